"""The model card, where the model comes from, and what a merge would do."""

from collections.abc import Sequence

from mergeline.core.plan import Plan
from mergeline.core.verdict import OPEN
from mergeline.report.card import card_text
from mergeline.report.charts import Chart
from mergeline.report.forecast import foretold
from mergeline.report.github import to_html
from mergeline.report.numbers import plural
from mergeline.report.page.blocks import (
    Block,
    Facts,
    Heading,
    Listing,
    Note,
    Safe,
    Section,
    Table,
    Words,
    name,
)
from mergeline.report.words import approvals, if_merged, is_review

_LEDGER, _LIBRARIES, _NAMES = 50, 60, 20


def card(plan: Plan, _charts: Sequence[Chart]) -> Section:
    """Return the model card as a part of the page."""
    return Section("card", "Model card", (Safe(to_html(card_text(plan), shift=2)),))


def lineage(plan: Plan, _charts: Sequence[Chart]) -> Section:
    """Return the digests, each from the one before, the baseline, and the ledger."""
    candidate, prepare = plan.candidate, plan.evidence.prepare
    rows = [
        ("K", "promotion key: project, I and M", name(candidate.key)),
        ("I", "inputs, from the Git tree", name(candidate.inputs)),
        ("M", "model", name(candidate.model)),
        ("E", "evidence", name(candidate.evidence)),
        ("T", "Git tree", name(candidate.tree)),
        ("", "commit", name(candidate.commit)),
        ("", "base", name(candidate.base) if candidate.base else "none"),
    ]
    if prepare is not None:
        rows += [
            ("", "data file", name(prepare.content.sha256)),
            ("", "which rows are held out", name(prepare.content.held_out_sha256)),
        ]
    evaluate = plan.evidence.evaluate
    if evaluate is not None:
        rows.append(("", "predictions", name(evaluate.content.predictions_sha256)))
    blocks: list[Block] = [
        Table("What it is, by digest", ("", "Of", "Digest"), rows),
        *_baseline(plan),
        *_training(plan),
        *_ledger(plan),
    ]
    return Section(
        id="lineage",
        title="Lineage",
        lead="Everything here is named by its bytes: the same digest is the same thing.",
        blocks=blocks,
        data={
            "candidate": candidate.as_json(),
            "baseline": plan.baseline.as_json(),
            "ledger": [line.as_json() for line in plan.ledger[:_LEDGER]],
        },
    )


def _baseline(plan: Plan) -> list[Block]:
    baseline = plan.baseline
    said = {
        "available": "The baseline is the base's model.",
        "none": "There is no baseline.",
        "not_available": "The baseline is not available.",
        "unreadable": "The base cannot be read.",
    }[baseline.status]
    return [Heading("Baseline"), Words(f"{said} {baseline.reason}".strip())]


def _training(plan: Plan) -> list[Block]:
    if plan.evidence.train is None:
        return []
    train = plan.evidence.train.content
    libraries = list(train.libraries.items())
    more = len(libraries) - _LIBRARIES
    return [
        Heading("Training"),
        Facts(
            (
                ("Estimator", name(train.estimator)),
                ("Rows", f"{train.rows:,}"),
                ("Columns read", f"{len(train.features):,}"),
                ("Seed", str(train.seed)),
                *([("Constraint", train.mitigation)] if train.mitigation else []),
                *([("File", train.file)] if train.file else []),
                *(
                    (key, name(str(value)))
                    for key, value in list(train.params.items())[:_LIBRARIES]
                ),
            )
        ),
        Table(
            "Libraries",
            ("Library", "Version"),
            [(name(each), version) for each, version in libraries[:_LIBRARIES]],
            more=f"{more:,} more in the evidence." if more > 0 else "",
        ),
    ]


def _ledger(plan: Plan) -> list[Block]:
    if not plan.ledger:
        return [
            Heading("Ledger"),
            Words("No ledger was read here; mergeline log shows it.", quiet=True),
        ]
    more = len(plan.ledger) - _LEDGER
    table = Table(
        caption="The last entries, the newest first; each holds the digest of the one before",
        header=("Entry", "Time (UTC)", "What", "By", "What happened", "Digest"),
        rows=[
            (f"{line.number:,}", line.time, line.kind, line.by, line.said, name(line.sha256[:12]))
            for line in plan.ledger[:_LEDGER]
        ],
        numeric=frozenset({0}),
        more=f"{more:,} older ones." if more > 0 else "",
    )
    return [Heading("Ledger"), table]


def merging(plan: Plan, _charts: Sequence[Chart]) -> Section | None:
    """Return what a merge would do now, and how it would go back; None where nothing would."""
    if not is_review(plan):
        return None
    answer, *said = foretold(plan) or (plan.judgement.answer, *if_merged(plan))
    seen = plan.forecast
    blocks: list[Block] = [
        Note(f"{answer}: {said[0] if said else ''}", "good" if _passes(plan) else "bad"),
    ]
    if said[1:]:
        blocks.append(Listing(said[1:]))
    if seen is None:
        blocks.append(Words("As far as gates decide; GitHub and the ledger were not asked here."))
        blocks.append(Words(approvals(plan.approvals).capitalize(), quiet=True))
    else:
        more = len(seen.approvers) - _NAMES
        names = ", ".join(seen.approvers[:_NAMES]) + (f" and {more:,} more" if more > 0 else "")
        blocks.append(
            Facts(
                (
                    ("Environment", seen.environment),
                    (
                        "Approvals",
                        f"{plural(len(seen.approvers), 'counts', 'count')} of "
                        f"{seen.needed:,} needed",
                    ),
                    ("Approved by", names or "nobody yet"),
                    ("Becomes version", seen.version or "none"),
                    ("Live now", seen.live or "nothing"),
                    ("A rollback would return to", seen.rollback_to or "nothing"),
                    ("Commits of main still waiting", f"{seen.waiting:,}"),
                )
            )
        )
    blocks.append(
        Words(
            "What is merged is promoted byte for byte as reviewed. mergeline rollback goes back "
            "to the release before, without training.",
            quiet=True,
        )
    )
    return Section(
        "merging",
        "If merged now",
        blocks,
        data=None if seen is None else seen.as_json(),
    )


def _passes(plan: Plan) -> bool:
    seen = plan.forecast
    return (seen.answer if seen else plan.judgement.answer) in OPEN and not (
        plan.judgement.outcome.blocks
    )
