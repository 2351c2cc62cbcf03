"""Other thresholds that a model could decide by, spread over its scores, telling of no row.

Each is a short number near a quantile of the scores, and not one of them. From one to the next
a group of rows changes sides by no row or by at least `FEWEST_TOLD`, so that the counts at both
tell of no single one. The threshold that decides is always among them: the others keep that
distance from it, and what lies beyond it is told by what is counted there anyway.
"""

from math import floor, log10
from typing import TYPE_CHECKING, Any

from mergeline.core.evidence import FEWEST_TOLD

if TYPE_CHECKING:
    import numpy as np

    Bools = np.ndarray[Any, np.dtype[np.bool_]]
    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]

# Beyond these many digits a double has none of its own, and ten no power beyond these places.
_MOST_DIGITS, _MOST_PLACES = 17, 308


def spread_thresholds(
    score: "Floats", *, most: int, groups: "Ints | None" = None, deciding: float | None = None
) -> list[float]:
    """Return thresholds at about the quantiles of the scores, rising.

    Where 0 or 1 would select every row or none, the first or the last of them does.

    Args:
        score: Probabilities, shape (n,).
        most: About how many: at most three more, and fewer where rows are few or scores are tied.
        groups: The number of each row's group, shape (n,), from 0; one group unless given.
        deciding: The threshold that decides, where one does.
    """
    import numpy as np

    rising = np.sort(score)
    cuts = _near_quantiles(rising, most)
    of_group = np.zeros(len(score), dtype=np.int64) if groups is None else groups
    sorted_groups = [np.sort(score[of_group == group]) for group in np.unique(of_group)]
    whole = np.array([len(each) for each in sorted_groups])
    below = _below(sorted_groups, cuts)
    if deciding is None:
        kept = _spaced(below, np.zeros_like(whole), whole)
    else:
        # From the deciding one down and up.
        (here,) = _below(sorted_groups, [deciding])
        down = _spaced(whole - below[::-1], whole - here, whole)
        kept = [*(len(cuts) - 1 - place for place in down), *_spaced(below, here, whole)]
    found = {cuts[place] for place in kept}
    lowest, highest = float(rising[0]), float(rising[-1])
    if deciding is not None:
        found.add(deciding)
    if deciding is None or deciding > lowest:
        found.add(_between(float("-inf"), lowest))
    if highest < 1 and (deciding is None or deciding <= highest):
        found.add(_between(highest, 1.0))
    return sorted(found)


def _near_quantiles(rising: "Floats", most: int) -> list[float]:
    """Return a short number near each quantile, rising; none selects all rows or none."""
    import numpy as np

    places = np.linspace(0, len(rising) - 1, most)
    slack = (len(rising) - 1) / (4 * most)
    found = set()
    for place in places:
        low = float(rising[max(0, round(place - slack))])
        high = float(rising[min(len(rising) - 1, round(place + slack))])
        if low == high:  # from the next smaller score up to this one
            before = int(np.searchsorted(rising, high)) - 1
            if before < 0:
                continue
            low = float(rising[before])
        found.add(_between(low, high))
    return sorted(found)


def selected(score: "Floats", thresholds: list[float]) -> "Ints":
    """Return how many scores reach each threshold, shape (thresholds,)."""
    import numpy as np

    return len(score) - _below([np.sort(score)], thresholds)[:, 0]


def _below(sorted_groups: "list[Floats]", values: list[float]) -> "Ints":
    """Return how many scores of each group lie below each value, shape (values, groups)."""
    import numpy as np

    return np.stack([np.searchsorted(each, values) for each in sorted_groups], axis=1)


def _spaced(passed: "Ints", start: "Ints", whole: "Ints") -> list[int]:
    """Return the places of cuts that keep their distance, walking from a first one.

    Args:
        passed: Rows on the near side of each cut by group, rising, shape (cuts, groups).
        start: The same of the cut to begin at, which is not among those returned.
        whole: Rows of each group.
    """
    kept, last = [], start
    for place, here in enumerate(passed):
        steps, rest = here - last, whole - here
        if steps.min() >= 0 and steps.any() and _told(steps) and _told(rest):
            kept.append(place)
            last = here
    return kept


def _told(rows: "Ints") -> bool:
    return bool(((rows == 0) | (rows >= FEWEST_TOLD)).all())


def _between(low: float, high: float) -> float:
    """Return the number of fewest decimals that lies above `low` and not above `high`."""
    zeros = max(0, -floor(log10(high))) if high > 0 else 0
    for digits in range(min(zeros + _MOST_DIGITS, _MOST_PLACES)):
        found: float = floor(high * 10**digits) / 10**digits
        if low < found <= high:
            return found
    return high
