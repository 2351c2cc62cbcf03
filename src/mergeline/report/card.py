"""The model card: what a registered version is, from what, how good, for whom, and who said so.

One Markdown template over a plan. Nothing in it depends on when or where it is written.
"""

from mergeline.core.evidence import TrainContent
from mergeline.core.plan import Plan
from mergeline.core.verdict import GateResult, Outcome
from mergeline.report.markdown import Section, code, listing, table, text
from mergeline.report.numbers import percent, plural, size
from mergeline.report.sections.changes import changed
from mergeline.report.sections.checks import checks
from mergeline.report.sections.explain import explanations
from mergeline.report.sections.fairness import fairness
from mergeline.report.sections.gates import ICON, gate_counts, gate_table
from mergeline.report.sections.metrics import metrics, primary, slices
from mergeline.report.sections.provenance import digests
from mergeline.report.words import deciding, headline

_WIDTH, _GATES, _COLUMNS, _LIBRARIES, _BANNERS = 400, 200, 60, 20, 8
_SETTING, _CLASSES = 120, 20


def render_card(plan: Plan) -> str:
    """Return the model card of a candidate; the same plan gives the same text."""
    parts = (
        f"# Model card: {code(plan.project)}",
        _abstract(plan),
        "## What it does",
        _purpose(plan),
        _columns(plan),
        "## Data",
        changed(plan).body,
        "## Training",
        _training(plan),
        "## Metrics",
        metrics(plan).body,
        _optional("### Slices", slices(plan)),
        "### Against the baseline",
        primary(plan),
        "## Fairness by group",
        fairness(plan).body,
        "## Explanations",
        explanations(plan).body,
        "## Checks",
        checks(plan).body,
        "## Gates and waivers",
        _gates(plan),
        "## Lineage",
        _lineage(plan),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _abstract(plan: Plan) -> str:
    verdict, candidate = headline(plan), plan.candidate
    return (
        f"{ICON[verdict.outcome]} {text(verdict.sentence)}\n\n"
        f"Model {code(candidate.model[:12])} of commit {code(candidate.commit[:12])}, "
        f"promotion key {code(candidate.key[:12])}."
    )


def _optional(title: str, section: Section | None) -> str:
    return "" if section is None else f"{title}\n\n{section.body}"


# --- what it does ----------------------------------------------------------------------


def _purpose(plan: Plan) -> str:
    prepare, train, evaluate = plan.evidence.prepare, plan.evidence.train, plan.evidence.evaluate
    if prepare is None or train is None or evaluate is None:
        return "There is no evidence of what it was made for."
    target = code(prepare.content.target)
    match train.content.task:
        case "binary":
            noun, positive = text(plan.noun, 40), code(str(prepare.content.positive))
            threshold = evaluate.content.threshold
            least = "" if threshold is None else f"{threshold:g}"
            said = (
                f"It scores rows from 0 to 1: how likely {target} is {positive} "
                f"({noun}). A row with {least} or more is predicted {noun}."
            )
        case "multiclass":
            classes = train.content.classes
            said = (
                f"It says how likely each of {len(classes):,} classes of {target} is: "
                f"{listing(classes, _CLASSES)}. A row is predicted to be of the most likely one."
            )
        case "regression":
            said = f"It predicts {target}, a number, in the units of that column."
    return (
        f"{said} What is said below was measured on the data described below and holds for "
        "data like it."
    )


def _columns(plan: Plan) -> str:
    """Return what the model reads, and what the table has besides."""
    prepare, train = plan.evidence.prepare, plan.evidence.train
    if prepare is None or train is None:
        return ""
    profiles = {column.name: column for column in prepare.content.columns}
    features = train.content.features
    rows = [
        (
            code(feature.name),
            feature.kind,
            percent(profiles[feature.name].missing, prepare.content.rows)
            if feature.name in profiles
            else "",
        )
        for feature in features[:_COLUMNS]
    ]
    read = {feature.name for feature in features} | {prepare.content.target}
    rest = [name for name in profiles if name not in read]
    parts = [f"It reads {plural(len(features), 'column')}:"]
    parts += [table(("Column", "Kind", "Missing"), rows, numeric=(2,))] if rows else []
    if len(features) > len(rows):
        parts.append(f"{plural(len(features) - len(rows), 'more column')} in the evidence.")
    if rest:
        parts.append(f"In the table and not read: {listing(rest, _COLUMNS)}.")
    return "\n\n".join(parts)


def _training(plan: Plan) -> str:
    if plan.evidence.train is None:
        return "There is no evidence of the stage train."
    made = plan.evidence.train.content
    rows = [("fairness constraint", code(made.mitigation, _SETTING))] if made.mitigation else []
    rows += [(code(name), code(str(value), _SETTING)) for name, value in made.params.items()]
    rows += [] if made.class_weight is None else [("class weight", code(str(made.class_weight)))]
    rows += [("seed", str(made.seed))]
    with_what = ", ".join(
        f"{code(name)} {text(version, 40)}"
        for name, version in list(made.libraries.items())[:_LIBRARIES]
    )
    return (
        f"{code(made.estimator, _SETTING)}{_trained(made)}; "
        f"{size(made.model_bytes)}.\n\n"
        + table(("Setting", "Value"), rows[: _COLUMNS + 1], numeric=())
        + (f"\n\nMade with {with_what}." if with_what else "")
    )


def _trained(made: TrainContent) -> str:
    if made.file:
        return f" ({code(made.file, _SETTING)}), trained by a stage of the project's own"
    return f", trained on {plural(made.rows, 'row')}"


# --- who said so -----------------------------------------------------------------------


def _gates(plan: Plan) -> str:
    judgement = plan.judgement
    waived = [gate for gate in deciding(judgement).gates if gate.outcome is Outcome.WAIVED]
    parts = (
        f"{gate_counts(judgement)}.",
        gate_table(judgement, width=_WIDTH, most=_GATES),
        *(f"- {text(banner.text, 600)}" for banner in judgement.banners[:_BANNERS]),
        "\n".join(map(_waiver, waived[:_GATES])) or "No waiver counted.",
    )
    return "\n\n".join(parts)


def _waiver(gate: GateResult) -> str:
    return f"- {code(gate.name)} is waived: {text(gate.waiver)}"


def _lineage(plan: Plan) -> str:
    prepare = plan.evidence.prepare
    chain = digests(plan).body
    data = "" if prepare is None else f"Digest of the data: {code(prepare.content.sha256, 72)}."
    return "\n\n".join(
        part
        for part in (
            chain,
            data,
            "Who reviewed and approved it, and where it was live, the ledger says: "
            f"the branch {code('mergeline/ledger')}.",
        )
        if part
    )
