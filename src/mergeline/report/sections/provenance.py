"""Where it all came from: stages, baseline, digests."""

from mergeline.core.plan import Plan
from mergeline.report.markdown import Section, code, listing, table, text
from mergeline.report.numbers import plural, seconds

_STAGES, _DIGEST = 20, 72
_ACTIONS = ("ran", "restored", "unchanged")


def stages(plan: Plan) -> Section:
    """Return what became of each stage, and where the baseline came from."""
    counts = {action: sum(s.action == action for s in plan.stages) for action in _ACTIONS}
    summary = ", ".join(f"{count} {action}" for action, count in counts.items() if count)
    spent = sum(stage.seconds for stage in plan.stages)
    rows = [
        (code(stage.name), stage.action, seconds(stage.seconds) if stage.seconds else "")
        for stage in plan.stages[:_STAGES]
    ]
    shown = table(("Stage", "What was done", "Time"), rows, numeric=(2,)) if rows else ""
    body = "\n\n".join(part for part in (shown, _baseline(plan)) if part)
    return Section("Stages", f"{summary or 'none'}; {seconds(spent)} of work", body)


def _baseline(plan: Plan) -> str:
    baseline = plan.baseline
    reason = f" {text(baseline.reason)}" if baseline.reason else ""
    if baseline.status != "available":
        return {
            "none": f"Baseline: there is none.{reason}",
            "not_available": f"Baseline: not available.{reason}",
            "unreadable": f"Baseline: the base cannot be read.{reason}",
        }[baseline.status]
    at = f" at {code(baseline.commit[:12])}" if baseline.commit is not None else ""
    parts = []
    if baseline.restored:
        kept = plural(len(baseline.restored), "stage")
        parts.append(f"{kept} restored from a cache ({listing(baseline.restored, _STAGES)})")
    if baseline.ran:
        ran = plural(len(baseline.ran), "stage")
        parts.append(f"{ran} had to run ({listing(baseline.ran, _STAGES)})")
    return f"Baseline{at}: {', '.join(parts) or 'remembered'}.{reason}"


def digests(plan: Plan) -> Section:
    """Return the digest chain in full."""
    candidate = plan.candidate
    rows = [
        ("K", "promotion key: project, I and M", code(candidate.key, _DIGEST)),
        ("I", "inputs, from the Git tree", code(candidate.inputs, _DIGEST)),
        ("M", "model", code(candidate.model, _DIGEST)),
        ("E", "evidence", code(candidate.evidence, _DIGEST)),
        ("T", "Git tree", code(candidate.tree, _DIGEST)),
        ("", "commit", code(candidate.commit, _DIGEST)),
        ("", "base", "none" if candidate.base is None else code(candidate.base, _DIGEST)),
    ]
    return Section("Digests", "K, I, M, E in full", table(("", "Of", "Digest"), rows, numeric=()))
