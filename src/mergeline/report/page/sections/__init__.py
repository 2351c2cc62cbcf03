"""The page's sections, a module each, in the order in which they are read."""

from mergeline.report.page.sections.checks import checks
from mergeline.report.page.sections.data import data
from mergeline.report.page.sections.explanations import explanations
from mergeline.report.page.sections.fairness import fairness
from mergeline.report.page.sections.lineage import card, lineage, merging
from mergeline.report.page.sections.performance import performance, slices
from mergeline.report.page.sections.verdict import verdict

SECTIONS = (
    verdict,
    performance,
    slices,
    fairness,
    explanations,
    data,
    checks,
    card,
    lineage,
    merging,
)
