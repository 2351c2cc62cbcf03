"""One chart of what a model says beside what is true, as Mermaid, which GitHub draws.

Nothing in it is a string of the data but names of classes made of letters and digits alone:
others are numbered, in the order of the table of classes. GitHub picks the colours.
"""

import re
from collections.abc import Sequence

from mergeline.core.evidence import EvaluateContent

# More bars than this have no room for their labels on a phone.
_BARS, _FEWEST = 12, 3
_SAFE = re.compile(r"[A-Za-z][A-Za-z ]{0,11}")
# Words of Mermaid's own.
_WORDS = re.compile(r"(?i)\b(?:end|click|graph|title|style|class|call|href|link)\b")


def chart(content: EvaluateContent) -> str:
    """Return the chart that a task is best judged by, with its words; empty without numbers."""
    match content.task:
        case "binary":
            return _calibration(content)
        case "multiclass":
            return _recall(content)
        case "regression":
            return _residuals(content)


def _calibration(content: EvaluateContent) -> str:
    bins = content.calibration[:_BARS]
    if len(bins) < _FEWEST:
        return ""
    said = "Bars: how often it came true. Line: how often the scores said so."
    return _drawn(
        said,
        x=("Scores from", [_share(item.low) for item in bins]),
        y=("Share", 0.0, 1.0),
        bars=[_share(item.observed) for item in bins],
        line=[_share(item.score) for item in bins],
    )


def _residuals(content: EvaluateContent) -> str:
    bins = content.residuals.bins[:_BARS] if content.residuals else ()
    if len(bins) < _FEWEST:
        return ""
    both = [value for item in bins for value in (item.predicted, item.actual)]
    low, high = min(0.0, *both), max(0.0, *both)
    if low == high:
        return ""
    said = "Bars: actual mean. Line: predicted mean. By tenths of the predictions, lowest first."
    return _drawn(
        said,
        x=("Tenth of the predictions", [str(place) for place, _ in enumerate(bins, start=1)]),
        y=("Mean", low, high),
        bars=[f"{item.actual:.6g}" for item in bins],
        line=[f"{item.predicted:.6g}" for item in bins],
    )


def _recall(content: EvaluateContent) -> str:
    found = [
        (place, item.name, value)
        for place, item in enumerate(content.classes, start=1)
        if (recall := item.metrics.get("recall")) and (value := recall.value) is not None
    ]
    if not _FEWEST <= len(found) <= _BARS:
        return ""
    safe = all(_is_safe(name) for _, name, _ in found)
    labels = [f'"{name}"' if safe else f'"class {place}"' for place, name, _ in found]
    said = "Recall: the share of each class's rows that are found."
    return _drawn(
        said if safe else f"{said} Classes are numbered as in the table.",
        x=("Class", labels),
        y=("Recall", 0.0, 1.0),
        bars=[_share(value) for _, _, value in found],
        line=[],
    )


def _is_safe(name: str) -> bool:
    return _SAFE.fullmatch(name) is not None and _WORDS.search(name) is None


def _share(value: float) -> str:
    return f"{value:.2f}"


def _drawn(
    said: str,
    *,
    x: tuple[str, Sequence[str]],
    y: tuple[str, float, float],
    bars: Sequence[str],
    line: Sequence[str],
) -> str:
    title, labels = x
    what, low, high = y
    lines = [
        "xychart-beta",
        f'    x-axis "{title}" [{", ".join(labels)}]',
        f'    y-axis "{what}" {low:.6g} --> {high:.6g}',
        f"    bar [{', '.join(bars)}]",
        *([f"    line [{', '.join(line)}]"] if line else []),
    ]
    return "\n".join((said, "", "```mermaid", *lines, "```"))
