"""What other thresholds would come to, for the plans of `plans`: by hand, and adding up."""

from mergeline.core.evidence import ClassReport, CurvePoint, GroupThreshold, ThresholdPoint

COSTS = {
    "true_positive": 0.0,
    "false_positive": 1.0,
    "true_negative": 0.0,
    "false_negative": 5.0,
}
COST_UNIT = "monthly payments"
POSITIVES, NEGATIVES = 880, 3_120
# By threshold: how many of the 880 positive rows and of the 3,120 others are predicted positive.
_SELECTED = (
    (0.02, 880, 3_120),
    (0.05, 861, 2_210),
    (0.1, 818, 1_702),
    (0.15, 770, 1_290),
    (0.2, 712, 941),
    (0.3, 601, 561),
    (0.4, 498, 352),
    (0.5, 412, 231),
    (0.6, 301, 121),
    (0.7, 190, 52),
    (0.8, 84, 14),
    (0.95, 0, 0),
)
CHEAPEST = 0.2


def thresholds() -> tuple[ThresholdPoint, ...]:
    """Twelve thresholds; 0.5 is the one that decides."""
    return tuple(_point(*each) for each in _SELECTED)


def _point(threshold: float, caught: int, wrong: int) -> ThresholdPoint:
    rows, missed = POSITIVES + NEGATIVES, POSITIVES - caught
    return ThresholdPoint(
        threshold=threshold,
        true_positive=caught,
        false_positive=wrong,
        true_negative=NEGATIVES - wrong,
        false_negative=missed,
        recall=caught / POSITIVES,
        false_positive_rate=wrong / NEGATIVES,
        precision=caught / (caught + wrong) if caught + wrong else None,
        selection_rate=(caught + wrong) / rows,
        cost=(5 * missed + wrong) / rows,
    )


def group_thresholds(gap: float, found: float) -> tuple[GroupThreshold, ...]:
    """By sex; at 0.5 the rates and gaps of the plan.

    Args:
        gap: By how much women are found less often at 0.5.
        found: How often men are found at 0.5.
    """
    # At each threshold: selection and false positives of women and men, and how much of the gap.
    steps = (
        (0.2, (0.385, 0.441), (0.29, 0.318), 0.55),
        (0.3, (0.262, 0.318), (0.168, 0.194), 0.8),
        (0.4, (0.184, 0.235), (0.104, 0.127), 0.95),
        (0.5, (0.112, 0.158), (0.052, 0.071), 1.0),
        (0.6, (0.074, 0.112), (0.031, 0.046), 0.9),
        (0.7, (0.041, 0.066), (0.012, 0.019), 0.6),
    )
    return tuple(
        _groups_at(threshold, selected, false, round(gap * part, 6), found + 0.5 - threshold)
        for threshold, selected, false, part in steps
    )


def _groups_at(
    threshold: float,
    selected: tuple[float, float],
    false: tuple[float, float],
    gap: float,
    found: float,
) -> GroupThreshold:
    caught = (round(found - gap, 6), round(found, 6))
    names = ("selection_rate", "true_positive_rate", "false_positive_rate")
    rates = {
        group: dict(zip(names, (selected[place], caught[place], false[place]), strict=True))
        for place, group in enumerate(("female", "male"))
    }
    gaps = {
        "demographic_parity_difference": round(selected[1] - selected[0], 6),
        "equalized_odds_difference": max(gap, round(false[1] - false[0], 6)),
    }
    return GroupThreshold(threshold=threshold, rates=rates, gaps=gaps)


def curve(report: ClassReport, rows: int) -> tuple[CurvePoint, ...]:
    """Four points of a class's curves, the last of them as the report has it."""
    hits = report.metrics["recall"].value or 0.0
    points = []
    for threshold, recall in ((0.9, 0.3 * hits), (0.7, 0.7 * hits), (0.5, hits), (0.1, 1.0)):
        right = recall * report.n
        wrong = (report.predicted - hits * report.n) * (recall / hits) ** 2
        points.append(
            CurvePoint(
                threshold=threshold,
                false_positive_rate=round(wrong / (rows - report.n), 6),
                recall=round(recall, 6),
                precision=round(right / (right + wrong), 6),
            )
        )
    return tuple(reversed(points))
