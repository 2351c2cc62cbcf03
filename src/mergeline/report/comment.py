"""The comment that decides a pull request: a plan in, GitHub's Markdown out."""

import re
from collections.abc import Iterable

from mergeline.core.plan import Plan
from mergeline.core.verdict import Banner
from mergeline.report.against import changes
from mergeline.report.forecast import foretold
from mergeline.report.markdown import NAME, Section, block, code, listing, marker, text
from mergeline.report.sections.changes import changed
from mergeline.report.sections.checks import checks
from mergeline.report.sections.explain import explanations
from mergeline.report.sections.fairness import fairness, why_unfair
from mergeline.report.sections.gates import ICON, gate_counts, gate_table, remedies
from mergeline.report.sections.leaks import leaks, told_outcome
from mergeline.report.sections.metrics import metrics, primary, slices
from mergeline.report.sections.provenance import digests, stages
from mergeline.report.sections.reuse import reused
from mergeline.report.sections.sensitive import rising
from mergeline.report.since import since_push
from mergeline.report.words import headline, if_merged, is_review

LIMIT = 60_000  # characters; GitHub refuses more than 65,536, and CML adds a line of its own

# Width of the texts in the gate table, and how many rows: the first that fits is taken.
_DETAIL: tuple[tuple[int, int | None], ...] = ((400, None), (100, None), (30, None), (30, 20))
_HEADING = 210  # longer ones lose their last clauses
_RESERVE = 400  # for the line that says what was left out
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:/[A-Za-z0-9._~/-]*)?(?:#[A-Za-z0-9-]*)?")
_BANNERS, _NOTICES, _FILES, _CHANGES = 8, 12, 12, 8


def render_comment(plan: Plan) -> str:
    """Return the comment, at most `LIMIT` characters.

    What does not fit is left out by whole folded parts, the most important being kept first, and
    a line says which. The gate table comes whole; only when hundreds of gates do not fit
    at all it ends with a count of the rest, which are none worse than those shown.
    """
    bottom = _bottom(plan)
    for width, most in _DETAIL:
        top = _top(plan, width, most)
        room = LIMIT - _RESERVE - len(top) - len(bottom)
        if room >= 0:
            break
    folded, left_out = _fitting(_sections(plan), room)
    parts = (top, *map(str, folded), _left_out(left_out), bottom)
    return "\n\n".join(part for part in parts if part) + "\n"


def _top(plan: Plan, width: int, most: int | None) -> str:
    verdict = headline(plan)
    parts = (
        marker(plan.project),
        f"## {ICON[verdict.outcome]} {text(verdict.within(_HEADING))}",
        _identity(plan),
        since_push(plan),
        *map(_banner, plan.judgement.banners[:_BANNERS]),
        f"### Gates: {gate_counts(plan.judgement)}",
        gate_table(plan.judgement, width=width, most=most),
        why_unfair(plan),
        remedies(plan),
        rising(plan),
        "### Primary metric",
        primary(plan),
        text(reused(plan)),
        told_outcome(plan),
        _changes(plan),
        *(("### If merged now", _if_merged(plan)) if is_review(plan) else ()),
    )
    return "\n\n".join(part for part in parts if part)


def _identity(plan: Plan) -> str:
    candidate = plan.candidate
    base = "no base" if candidate.base is None else f"base {code(candidate.base[:12])}"
    return (
        f"{code(plan.project)} at {code(candidate.commit[:12])}, {base}; "
        f"candidate {code(candidate.key[:12])}"
    )


def _banner(banner: Banner) -> str:
    kind = {"policy-only": "IMPORTANT", "diff": "NOTE"}.get(banner.kind, "WARNING")
    return f"> [!{kind}]\n> {text(banner.text, 600)}"


def _changes(plan: Plan) -> str:
    said = changes(plan)
    if not said:
        return ""
    more = f"; {len(said) - _CHANGES} more" if len(said) > _CHANGES else ""
    return f"**Changed**: {'; '.join(text(each, 120) for each in said[:_CHANGES])}{more}."


def _if_merged(plan: Plan) -> str:
    answer, first, *more = foretold(plan) or (plan.judgement.answer, *if_merged(plan))
    said = [f"**{text(answer, NAME)}**: {text(first)}", *(text(each) for each in more)]
    if plan.candidate.dirty:
        said.append(f"Not as in the commit: {listing(plan.candidate.dirty, _FILES)}.")
    return " ".join(said)


def _sections(plan: Plan) -> list[Section]:
    """The folded parts, from the most important to the least, as they are read too."""
    parts = (
        fairness(plan),
        metrics(plan),
        checks(plan),
        leaks(plan),
        changed(plan),
        explanations(plan),
        stages(plan),
        slices(plan),
        digests(plan),
    )
    return [part for part in parts if part is not None]


def _fitting(sections: list[Section], room: int) -> tuple[list[Section], list[Section]]:
    """Keep what fits, the most important first; one that is too long does not cost the others."""
    kept, left_out = [], []
    for section in sections:
        size = len(str(section)) + 2
        if size <= room:
            kept.append(section)
            room -= size
        else:
            left_out.append(section)
    return kept, left_out


def _left_out(sections: Iterable[Section]) -> str:
    names = ", ".join(part.name for part in sections)
    where = "they are in the evidence files under `reports/`"
    return f"Left out, because a comment holds no more: {names}; {where}." if names else ""


def _page(address: str) -> str:
    """Link the whole report; the address is the job's own, and held against that all the same."""
    if _ADDRESS.fullmatch(address) is None:
        return ""
    return f"[The whole report: charts, a threshold explorer, every number]({address})"


def _bottom(plan: Plan) -> str:
    lines = [f"- {text(notice, 300)}" for notice in plan.notices[:_NOTICES]]
    more = len(plan.notices) - _NOTICES
    lines += [f"- {more:,} more notices"] if more > 0 else []
    notices = "\n".join(("**Notices**", "", *lines)) if lines else ""
    parts = (notices, f"To reproduce it:\n\n{block(plan.command)}", _page(plan.page))
    return "\n\n".join(part for part in parts if part)
