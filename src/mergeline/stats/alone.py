"""How well one column alone tells the outcome: learned on training rows, scored on others.

The value of a row is replaced by the outcome's mean among the training rows that share it, pulled
towards the mean of all as if `_PRIOR_ROWS` more rows had that (Micci-Barreca, SIGKDD Explorations
3, 2001); numbers of many values are cut at quantiles first, and their plain order counts as well.
How well that orders the held-out rows is Somers' D, 2 AUC - 1, of a class against the rest
(Somers, American Sociological Review 27, 1962); for a number it is R squared. All are 0 by chance
and 1 without error. A missing value is a value.

Rows are counted by value and class, so that time and memory grow with the rows, not faster.
"""

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Bools = np.ndarray[Any, np.dtype[np.bool_]]
    Codes = np.ndarray[Any, np.dtype[np.int64]]
    Floats = np.ndarray[Any, np.dtype[np.float64]]

# A class, and what is not of it, need so many rows on both sides to say anything of it.
FEWEST = 10
_PRIOR_ROWS = 10.0
# Cuts of a number: each with enough training rows for a mean.
_MOST_CUTS, _ROWS_A_CUT = 100, 50


@dataclass(frozen=True)
class Classes:
    """An outcome of classes.

    Attributes:
        codes: Of each row, 0 to `count` - 1, shape (n,).
        count: How many classes there are; two are one question.
    """

    codes: "Codes"
    count: int


@dataclass(frozen=True)
class Told:
    """How well a column alone tells the outcome.

    Attributes:
        score: 0 to 1.
        noise: What a column that tells nothing stays under, but for one of some 30,000.
        code: The class that it tells best; None where there are two classes, or none.
    """

    score: float
    noise: float
    code: int | None = None


def told_by(
    values: "Codes | Floats", outcome: "Classes | Floats", held_out: "Bools"
) -> Told | None:
    """Return how well a column tells the outcome; None where there are too few rows to say.

    Args:
        values: Codes of categories, -1 for a missing one, or numbers, NaN for a missing one;
            shape (n,).
        outcome: A class of each row, or a number.
        held_out: Which rows are scored; shape (n,).
    """
    import numpy as np

    numbers = values.astype(np.float64) if values.dtype.kind == "f" else None
    codes = (values if numbers is None else _cut(numbers, ~held_out)) + 1
    if isinstance(outcome, Classes):
        return _tells_class(codes.astype(np.int64), numbers, outcome, held_out)
    return _tells_number(codes.astype(np.int64), numbers, outcome, held_out)


def _cut(numbers: "Floats", train: "Bools") -> "Codes":
    """Number the intervals between quantiles of the training rows from 0; -1 is missing."""
    import numpy as np

    missing = np.isnan(numbers)
    known = numbers[train & ~missing]
    edges = np.unique(known)
    most = int(np.clip(len(known) // _ROWS_A_CUT, 1, _MOST_CUTS))
    if len(edges) > most:
        edges = np.unique(known[_ranks(known, most)])
    found: Codes = np.searchsorted(edges, numbers, side="right")
    return np.where(missing, -1, found)


def _ranks(known: "Floats", parts: int) -> "Codes":
    """Return where the quantiles lie in an array."""
    import numpy as np

    places = np.linspace(0, len(known) - 1, parts + 1).astype(np.int64)
    order: Codes = np.argpartition(known, places)[places]
    return order


# --- classes -----------------------------------------------------------------------


def _tells_class(
    codes: "Codes", numbers: "Floats | None", outcome: Classes, held_out: "Bools"
) -> Told | None:
    import numpy as np

    size, count = int(codes.max()) + 1, outcome.count
    cells = codes * count + outcome.codes
    seen = np.bincount(cells[~held_out], minlength=size * count).reshape(size, count)
    scored = np.bincount(cells[held_out], minlength=size * count).reshape(size, count)
    found = [
        _of_class(code, seen, scored, _held(numbers, outcome.codes, held_out))
        for code in ([1] if count == 2 else range(count))  # noqa: PLR2004 -- one question
        if _is_enough(seen, code) and _is_enough(scored, code)
    ]
    best = max(found, key=lambda told: told.score, default=None)
    return Told(best.score, best.noise) if best is not None and count == 2 else best  # noqa: PLR2004


def _is_enough(counts: "Codes", code: int) -> bool:
    hits = int(counts[:, code].sum())
    return min(hits, int(counts.sum()) - hits) >= FEWEST


def _held(
    numbers: "Floats | None", classes: "Codes", held_out: "Bools"
) -> "tuple[Floats, Codes] | None":
    """Return the held-out numbers with their classes; missing ones lie in the middle."""
    import numpy as np

    if numbers is None:
        return None
    known = numbers[~held_out & ~np.isnan(numbers)]
    middle = float(np.median(known)) if len(known) else 0.0
    return np.nan_to_num(numbers[held_out], nan=middle), classes[held_out]


def _of_class(
    code: int, seen: "Codes", scored: "Codes", held: "tuple[Floats, Codes] | None"
) -> Told:
    import numpy as np

    totals = seen.sum(axis=1)
    prior = seen[:, code].sum() / totals.sum()
    mean = (seen[:, code] + _PRIOR_ROWS * prior) / (totals + _PRIOR_ROWS)
    hits, rest = scored[:, code], scored.sum(axis=1) - scored[:, code]
    score = _somers(np.unique(mean, return_inverse=True)[1], hits, rest)
    if held is not None:
        ranks = np.unique(held[0], return_inverse=True)[1]
        of_it = held[1] == code
        rising = _somers(np.arange(len(seen)), seen[:, code], totals - seen[:, code]) >= 0
        by_order = _somers(ranks, of_it.astype(np.int64), (~of_it).astype(np.int64))
        score = max(score, by_order if rising else -by_order)
    return Told(max(0.0, score), _noise(int(hits.sum()), int(rest.sum())), code)


def _somers(ranks: "Codes", hits: "Codes", rest: "Codes") -> float:
    """Return 2 AUC - 1 of ranks, by how many rows of each are hits and how many are not."""
    import numpy as np

    above = np.bincount(ranks, weights=hits)
    below = np.bincount(ranks, weights=rest)
    wins = (above * (np.cumsum(below) - below / 2)).sum()
    return float(2 * wins / (above.sum() * below.sum()) - 1)


def _noise(hits: int, rest: int) -> float:
    """Return four standard deviations of Somers' D where there is nothing to tell.

    Of the rank sum without ties (Mann and Whitney, Annals of Mathematical Statistics 18, 1947).
    """
    return 4 * sqrt((hits + rest + 1) / (3 * hits * rest))


# --- numbers -----------------------------------------------------------------------


def _tells_number(
    codes: "Codes", numbers: "Floats | None", outcome: "Floats", held_out: "Bools"
) -> Told | None:
    import numpy as np

    train = ~held_out
    if min(int(train.sum()), int(held_out.sum())) < FEWEST:
        return None
    actual = outcome[held_out]
    spread = float(((actual - actual.mean()) ** 2).sum())
    if spread == 0:
        return None
    size = int(codes.max()) + 1
    totals = np.bincount(codes[train], minlength=size)
    sums = np.bincount(codes[train], weights=outcome[train], minlength=size)
    mean = (sums + _PRIOR_ROWS * outcome[train].mean()) / (totals + _PRIOR_ROWS)
    guesses = [mean[codes[held_out]]]
    if numbers is not None:
        guesses.append(_line(numbers, outcome, held_out))
    errors = (float(((guess - actual) ** 2).sum()) for guess in guesses)
    score = max(1 - error / spread for error in errors)
    # The square of a correlation that is four standard deviations, 1 / sqrt(n) each, from 0.
    return Told(max(0.0, score), min(1.0, 16 / len(actual)))


def _line(numbers: "Floats", outcome: "Floats", held_out: "Bools") -> "Floats":
    """Return what the training rows' straight line says of the held-out ones."""
    import numpy as np

    train, known = ~held_out, np.isfinite(numbers)
    x, y, others = numbers[train & known], outcome[train & known], outcome[train & ~known]
    without = (others.sum() + _PRIOR_ROWS * outcome[train].mean()) / (len(others) + _PRIOR_ROWS)
    guess: Floats = np.full(int(held_out.sum()), without)
    if len(x) < FEWEST or np.ptp(x) == 0:
        return guess
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    there = known[held_out]
    guess[there] = y.mean() + slope * (numbers[held_out][there] - x.mean())
    return guess
