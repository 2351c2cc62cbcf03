"""What owners say about their model in the settings, and what they left unsaid."""

from collections.abc import Sequence

from mergeline.report.markdown import text

_LONGEST, _MOST = 1000, 20


def said(words: str, key: str) -> str:
    """Return one text of the section `card`, or that it is missing."""
    return text(words, _LONGEST) if words.strip() else _missing(key)


def saying(title: str, points: Sequence[str], key: str) -> str:
    """Return a list of the section `card` under its title, or that it is missing.

    Args:
        title: Of the list; empty for none.
        points: As somebody wrote them.
        key: Of the settings: what is to be filled in.
    """
    lead = f"**{title}**" if title else ""
    given = [point for point in points if point.strip()]
    if not given:
        return f"{lead}: {_missing(key)}" if lead else _missing(key)
    lines = [f"- {text(point, _LONGEST)}" for point in given[:_MOST]]
    lines += [f"- and {len(given) - _MOST:,} more in the settings"] if len(given) > _MOST else []
    return "\n\n".join(filter(None, (lead and f"{lead}:", "\n".join(lines))))


def _missing(key: str) -> str:
    return f"The settings do not say (`card.{key}`)."
