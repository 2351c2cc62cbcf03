"""How many pull requests were judged on the same held-out rows."""

from mergeline.core.plan import Plan
from mergeline.report.numbers import number, plural


def reused(plan: Plan) -> str:
    """Return it in a sentence or two of plain text; empty where no ledger tells."""
    found = plan.reuse
    if found is None:
        return ""
    count = found.pull_requests
    if count == (1 if found.included else 0):
        return f"No {'other ' if found.included else ''}pull request was judged on these rows."
    this = ", this one included" if found.included else ""
    said = f"These held-out rows were judged on in {plural(count, 'pull request')} so far{this}."
    if found.optimism is None or plan.evidence.evaluate is None:
        return said
    name = plan.evidence.evaluate.content.primary
    return (
        f"{said} By luck alone the best of so many may look better than it is, by up to about "
        f"{number(found.optimism)} in {name}; rows that come later would tell."
    )
