"""Sensitive columns and their proxies among what moves the predictions, and which of them rise."""

from collections.abc import Iterator

from mergeline.core.evidence import ExplainContent, Importance, Proxy
from mergeline.core.plan import Plan
from mergeline.report.markdown import code, table
from mergeline.report.numbers import number, percent, plural

_NAMED, _PROXIES = 3, 12
# A share that grows by less is told in the table alone.
_GROWN = 0.02
# A column that moves less of the predictions than this is not worth a warning.
_MOVES = 0.01

Ranked = dict[str, tuple[int, Importance]]

PROXIES = (
    "Columns that tell a sensitive one, alone, on held-out rows: 0 as by chance, 1 without "
    "error. The model can treat groups differently by them, even if it does not read the "
    "sensitive column."
)


def ranked(content: ExplainContent) -> Ranked:
    """Return rank and importance by column; rank 1 is the most important."""
    return {item.column: (rank, item) for rank, item in enumerate(content.features, start=1)}


def ranked_before(plan: Plan) -> Ranked:
    """Return those of the baseline; empty where it was not explained."""
    before = plan.baseline_evidence.explain
    return ranked(before.content) if before and before.content.outcome == "explained" else {}


def rising(plan: Plan) -> str:
    """Return a warning of sensitive columns, or proxies of one, that matter more than before.

    Returns:
        Empty where none does, and without a baseline.
    """
    now, old = plan.evidence.explain, ranked_before(plan)
    if now is None or not old:
        return ""
    found = [*_risen(plan, now.content, old)]
    if not found:
        return ""
    more = len(found) - _NAMED
    lines = found[:_NAMED] + ([f"{plural(more, 'more column')} too."] if more > 0 else [])
    return "\n".join(("> [!WARNING]", *(f"> {line}<br>" for line in lines[:-1]), f"> {lines[-1]}"))


def _risen(plan: Plan, now: ExplainContent, old: Ranked) -> Iterator[str]:
    why = _why(plan, now)
    for column, (rank, item) in ranked(now).items():
        if column not in why or item.share < _MOVES:
            continue
        if column not in old:
            yield f"{why[column]}, and is read anew: rank {rank}, {percent(item.share, 1)}."
            continue
        earlier, was = old[column]
        if rank < earlier or item.share - was.share >= _GROWN:
            ranks = f"rank {earlier} → {rank}" if rank != earlier else f"rank {rank}"
            shares = f"{percent(was.share, 1)} → {percent(item.share, 1)} of what moves predictions"
            yield f"{why[column]}, and matters more than before: {ranks}, {shares}."


def _why(plan: Plan, content: ExplainContent) -> dict[str, str]:
    """Say of each column why it is watched."""
    found = {}
    for proxy in reversed(content.proxies):  # the best is said
        tells = f"{code(proxy.column)} tells {_told(proxy)} (score {number(proxy.score)} of 1)"
        found[proxy.column] = tells
    for name in _sensitive(plan):
        found[name] = f"{code(name)} is a sensitive column"
    return found


def _sensitive(plan: Plan) -> set[str]:
    if plan.evidence.fairness is None:
        return set()
    return {column for by in plan.evidence.fairness.content.by for column in by.columns}


def _told(proxy: Proxy) -> str:
    group = f" ({code(proxy.group)} best)" if proxy.group is not None else ""
    return f"{code(proxy.of)}{group}"


def proxy_table(content: ExplainContent) -> str:
    """Return which columns that the model reads tell a sensitive one; empty for none."""
    if not content.proxies:
        return ""
    found = ranked(content)
    rows = [
        (
            code(proxy.column),
            _told(proxy),
            number(proxy.score),
            percent(found[proxy.column][1].share, 1) if proxy.column in found else "",
        )
        for proxy in content.proxies[:_PROXIES]
    ]
    more = len(content.proxies) - len(rows)
    end = f"\n\n{plural(more, 'more pair')} in the evidence." if more > 0 else ""
    header = ("Column", "Tells", "Score (0 to 1)", "Share of the explanation")
    return f"{PROXIES}\n\n{table(header, rows, numeric=(2, 3))}{end}"
