"""The model card: what a registered version is, from what, how good, for whom, and who said so.

Its sections are those of Mitchell et al., "Model Cards for Model Reporting" (FAT* 2019), its front
matter Hugging Face's. What can be measured comes from the plan; the rest its owners say in the
section `card` of the settings, and what nobody said is said to be missing. Nothing in it depends
on when or where it is written.
"""

from mergeline.core.plan import Plan
from mergeline.core.verdict import GateResult, Outcome
from mergeline.report.card_data import evaluation_data, factors, training_data
from mergeline.report.card_metadata import front_matter
from mergeline.report.card_model import details, purpose
from mergeline.report.card_words import said, saying
from mergeline.report.markdown import code, text
from mergeline.report.numbers import joined
from mergeline.report.sections.checks import checks
from mergeline.report.sections.explain import explanations
from mergeline.report.sections.fairness import fairness
from mergeline.report.sections.gates import ICON, gate_counts, gate_table
from mergeline.report.sections.metrics import metrics, primary, slices
from mergeline.report.sections.provenance import digests
from mergeline.report.words import deciding, headline

_WIDTH, _GATES, _BANNERS, _NAMED = 400, 200, 8, 8


def render_card(plan: Plan) -> str:
    """Return the model card of a candidate; the same plan gives the same text."""
    return f"{front_matter(plan)}\n{card_text(plan)}"


def card_text(plan: Plan) -> str:
    """Return the card without its front matter: the Markdown that people read."""
    words = plan.card
    parts = (
        card_summary(plan),
        "## Model details",
        details(plan),
        "## Intended use",
        purpose(plan),
        saying("Primary uses", words.intended_use, "intended_use"),
        saying("Users", words.users, "users"),
        saying("Out of scope", words.out_of_scope, "out_of_scope"),
        "## Factors",
        factors(plan),
        "## Metrics",
        _metrics(plan),
        "## Evaluation data",
        evaluation_data(plan),
        "## Training data",
        training_data(plan),
        "## Quantitative analyses",
        "### All held-out rows",
        metrics(plan, drawn=False).body,
        "### Against the baseline",
        primary(plan),
        *_by_factor(plan),
        "## Explanations",
        explanations(plan).body,
        "## Checks",
        checks(plan).body,
        "## Gates and waivers",
        _gates(plan),
        "## Ethical considerations",
        saying("", words.ethical_considerations, "ethical_considerations"),
        _ethics(plan),
        "## Caveats and recommendations",
        saying("Limitations", words.limitations, "limitations"),
        saying("Recommendations", words.recommendations, "recommendations"),
        _caveats(plan),
        "## Lineage",
        _lineage(plan),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def card_summary(plan: Plan) -> str:
    """Return the first lines of the card: what the model is for, and what was decided of it."""
    verdict, candidate = headline(plan), plan.candidate
    return (
        f"# Model card: {code(plan.project)}\n\n"
        f"{said(plan.card.summary, 'summary')}\n\n"
        f"{ICON[verdict.outcome]} {text(verdict.sentence)}\n\n"
        f"Model {code(candidate.model[:12])} of commit {code(candidate.commit[:12])}, "
        f"promotion key {code(candidate.key[:12])}."
    )


# --- metrics -----------------------------------------------------------------------


def _metrics(plan: Plan) -> str:
    """Return what is measured and how: the choice, not the values."""
    evaluate, gaps = plan.evidence.evaluate, plan.evidence.fairness
    if evaluate is None:
        return "There is no evidence of the stage evaluate."
    content = evaluate.content
    others = [code(name) for name in list(content.metrics)[: 2 * _NAMED] if name != content.primary]
    parts = [f"Decided by {code(content.primary)}"]
    parts[0] += f"; also measured: {joined(others)}." if others else "."
    if content.threshold is not None:
        parts.append(f"Decisions are taken at the threshold {content.threshold:g}.")
    parts.append(f"Intervals are 95 % bootstrap intervals, {content.bootstrap:,} draws.")
    if gaps is not None and gaps.content.by:
        named = gaps.content.metrics
        rates = [code(name) for name in named[: 2 * _NAMED]]
        rates += [f"{len(named) - len(rates):,} more"] if len(named) > len(rates) else []
        parts.append(
            f"By group: {joined(rates)}, and the gaps between groups of "
            f"{gaps.content.min_group:,} rows or more."
        )
    return " ".join(parts)


# --- by factor -----------------------------------------------------------------------


def _by_factor(plan: Plan) -> tuple[str, ...]:
    found = slices(plan)
    return (
        *(() if found is None else ("### By slice", found.body)),
        "### Fairness by group",
        fairness(plan, together=False).body,
        "### Fairness by groups that intersect",
        _intersections(plan),
    )


def _intersections(plan: Plan) -> str:
    evidence = plan.evidence.fairness
    if evidence is not None and all(len(by.columns) == 1 for by in evidence.content.by):
        return "Not measured: that takes two sensitive columns (`data.sensitive`)."
    return fairness(plan, together=True).body


# --- who said so -----------------------------------------------------------------------


def _gates(plan: Plan) -> str:
    judgement = plan.judgement
    waived = _waived(plan)
    parts = (
        f"{gate_counts(judgement)}.",
        gate_table(judgement, width=_WIDTH, most=_GATES),
        *(f"- {text(banner.text, 600)}" for banner in judgement.banners[:_BANNERS]),
        "\n".join(map(_waiver, waived[:_GATES])) or "No waiver counted.",
    )
    return "\n\n".join(parts)


def _waived(plan: Plan) -> list[GateResult]:
    return [gate for gate in deciding(plan.judgement).gates if gate.outcome is Outcome.WAIVED]


def _waiver(gate: GateResult) -> str:
    return f"- {code(gate.name)} is waived: {text(gate.waiver)}"


# --- what to heed --------------------------------------------------------------------


def _ethics(plan: Plan) -> str:
    """Say what is known of it without anybody's words."""
    train, gaps = plan.evidence.train, plan.evidence.fairness
    parts = []
    if train is not None and gaps is not None:
        sensitive = dict.fromkeys(name for by in gaps.content.by for name in by.columns)
        read = [name for name in sensitive if name in {f.name for f in train.content.features}]
        if sensitive:
            names = joined(code(name) for name in list(sensitive)[:_NAMED])
            which = joined(code(name) for name in read[:_NAMED]) if read else "none of them"
            parts.append(f"- Sensitive columns: {names}. The model reads {which}.")
    parts += [
        f"- The gate {code(gate.name)} failed and is waived, see above."
        for gate in _waived(plan)[:_NAMED]
    ]
    return "\n".join(parts)


def _caveats(plan: Plan) -> str:
    parts = [
        "- What stands here was measured on the data described above, and holds for data like it."
    ]
    open_gates = [gate for gate in deciding(plan.judgement).gates if gate.outcome > Outcome.WAIVED]
    if open_gates:
        names = joined(code(gate.name) for gate in open_gates[:_NAMED])
        rest = f" and {len(open_gates) - _NAMED:,} more" if len(open_gates) > _NAMED else ""
        parts.append(f"- Not every gate passed: {names}{rest}, see above.")
    gaps = plan.evidence.fairness
    small = [
        f"{code(group.name)} ({code(by.by)})"
        for by in (gaps.content.by if gaps is not None else ())
        for group in by.groups
        if not group.judged
    ]
    if small:
        more = f" and {len(small) - _NAMED:,} more" if len(small) > _NAMED else ""
        parts.append(f"- Groups too small to be judged: {joined(small[:_NAMED])}{more}.")
    return "\n".join(parts)


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
