"""remedies: closing one gap can open another, which is told."""

import numpy as np

from mergeline.core.evidence import Remedy
from mergeline.report.sections.gates import remedy_cost
from mergeline.stages.remedies import Held, find_remedies
from mergeline.stats.gaps import measure_gaps

GAPS = ("demographic_parity_difference", "equalized_odds_difference")


def people(n=4000):
    """Men are positive far more often, and the scores are calibrated."""
    random = np.random.default_rng(0)
    groups = np.where(random.random(n) < 0.5, "female", "male")
    score = 1 / (1 + np.exp(-2 * random.normal(size=n) - np.where(groups == "male", 1.0, -1.5)))
    keys = tuple(f"row {place}" for place in range(n))
    return Held(keys, random.random(n) < score, score, 0.5), groups


def test_what_closing_one_gap_does_to_the_others_is_told():
    held, groups = people()
    given = (held.positive, held.predicted, groups)
    gaps = measure_gaps(*given, min_group=50, replicates=100, seed=0)
    found = {(one.gap, one.method): one for one in find_remedies(held, groups, gaps, 50)}
    parity = found[GAPS[0], "threshold_optimizer"]
    assert parity.gap_after < 0.1 < parity.gap_before
    assert set(parity.others) == {GAPS[1], "equal_opportunity_difference"}
    half = found[GAPS[1], "threshold_optimizer"]
    assert parity.others[GAPS[1]][0] == half.gap_before
    assert half.others[GAPS[0]][0] == parity.gap_before


def test_no_thresholds_are_fitted_for_each_of_very_many_groups():
    held, _ = people(6000)
    for many in (50, 51):
        groups = np.array([f"town {place % many:02d}" for place in range(len(held.keys))])
        given = (held.positive, held.predicted, groups)
        gaps = measure_gaps(*given, min_group=50, replicates=20, seed=0)
        found = {one.method for one in find_remedies(held, groups, gaps, 50)}
        assert ("threshold_optimizer" in found) == (many == 50)


def remedy(**changes):
    given = {"gap_before": 0.2, "gap_after": 0.01, "accuracy_before": 0.8, "accuracy_after": 0.79}
    return Remedy(gap=GAPS[0], method="reduction", setting="x", n=100, **{**given, **changes})


def test_a_gap_that_opens_stands_beside_the_cost():
    assert remedy_cost(remedy()) == "accuracy 0.800 → 0.790"
    assert remedy_cost(remedy(others={GAPS[1]: (0.149, 0.279)})) == (
        f"accuracy 0.800 → 0.790; **opens** `{GAPS[1]}` 0.149 → 0.279"
    )
    assert remedy_cost(remedy(others={GAPS[1]: (0.149, 0.151)})) == "accuracy 0.800 → 0.790"
    number = {"accuracy_before": None, "accuracy_after": None, "error_before": 3000.5}
    much = {"mean_error_difference": (100.5, 400.5)}
    assert "opens" in remedy_cost(remedy(**number, error_after=3100.5, others=much))
    assert "opens" not in remedy_cost(remedy(others={GAPS[1]: (0.3, 0.1)}))
