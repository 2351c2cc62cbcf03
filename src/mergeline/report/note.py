"""The verdict in a few lines, for where a run is listed: MLflow shows it as Markdown."""

from mergeline.core.plan import Plan
from mergeline.report.markdown import code, text
from mergeline.report.sections.gates import ICON, gate_counts, gate_table
from mergeline.report.sections.metrics import primary
from mergeline.report.words import headline

_LONGEST, _GATES = 4900, 20


def render_note(plan: Plan) -> str:
    """Return sentence, gates and primary metric; at most 4,900 characters, by whole parts."""
    verdict, candidate = headline(plan), plan.candidate
    base = "nothing" if candidate.base is None else code(candidate.base[:12])
    lead = (
        f"{ICON[verdict.outcome]} **{text(verdict.sentence, 600)}**\n\n"
        f"{code(plan.project)} at {code(candidate.commit[:12])}, compared with {base}. "
        "The whole report is `report.html` among the artifacts, the model card `card.md`."
    )
    parts = [
        f"Gates: {gate_counts(plan.judgement)}.",
        gate_table(plan.judgement, width=160, most=_GATES),
        primary(plan),
    ]
    note = lead
    for part in parts:
        if len(note) + len(part) + 2 <= _LONGEST:
            note += f"\n\n{part}"
    return f"{note}\n"
