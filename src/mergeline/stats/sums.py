"""What is measured by group, as ratios of sums to which every row adds.

So a bootstrap replicate is a product of two matrices: how often each row is drawn, and what
it adds. Rows that add the same are counted once: drawing n rows with replacement is one
multinomial draw over the kinds of rows there are (Efron and Tibshirani, An Introduction to
the Bootstrap, 1993, chapter 6). Where an id or group repeats, whole units are drawn instead.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mergeline.core.task import Task
from mergeline.stats.bootstrap import resample_counts

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]
    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]

# Numbers held at once in a draw over kinds of rows.
_CHUNK = 2_000_000


@dataclass(frozen=True)
class Kind:
    """One rate or mean.

    Attributes:
        rate: Its name.
        of: The class that is held against the others; multiclass only.
        lacks: What a group without it does not have.
    """

    rate: str
    of: str | None = None
    lacks: str = "row"


@dataclass(frozen=True)
class Measures:
    """The rates of a task, or the means of a regression, that gaps are differences of.

    Attributes:
        task: What is predicted.
        classes: The classes by number; multiclass only.
    """

    task: Task
    classes: tuple[str, ...] = ()

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """What is measured, in the order of `values`."""
        if self.task == "regression":
            return tuple(map(Kind, ("mean_prediction", "mean_error", "mean_absolute_error")))
        if self.task == "binary":
            return _of_class(None)
        return (Kind("accuracy"), *(kind for name in self.classes for kind in _of_class(name)))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the classes that are held against the others."""
        return (1,) if self.task == "binary" else tuple(range(len(self.classes)))

    def added(self, actual: "Array", predicted: "Array") -> "Floats":
        """Return what each row adds to the sums of its group, shape (n, sums).

        Args:
            actual: Number of the class or value, shape (n,).
            predicted: The same; of two classes the probability of being predicted positive.
        """
        import numpy as np

        one = np.ones(len(actual))
        if self.task == "regression":
            error = predicted - actual
            return np.stack([one, predicted, error, np.abs(error)], axis=-1)
        if self.task == "binary":
            true, said = actual.astype(np.float64), predicted.astype(np.float64)
            right = true * said + (1 - true) * (1 - said)
            return np.stack([one, right, true, said, true * said], axis=-1)
        columns = [one, (actual == predicted).astype(np.float64)]
        for number in self.numbers:
            true, said = actual == number, predicted == number
            columns += [side.astype(np.float64) for side in (true, said, true & said)]
        return np.stack(columns, axis=-1)

    def values(self, sums: "Floats") -> "Floats":
        """Return the rates or means; NaN where a group has no row of the kind.

        Args:
            sums: What the rows of each group add, shape (..., groups, sums).

        Returns:
            Shape (..., kinds, groups).
        """
        import numpy as np

        above, below = self._ratios(sums)
        return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)

    def rows(self, sums: "Floats") -> "Floats":
        """Return the rows that each rate is a share of, shape (..., kinds, groups)."""
        return self._ratios(sums)[1]

    def _ratios(self, sums: "Floats") -> "tuple[Floats, Floats]":
        import numpy as np

        n = sums[..., 0]
        if self.task == "regression":
            above = [sums[..., place] for place in (1, 2, 3)]
            return np.stack(above, axis=-2), np.stack([n] * 3, axis=-2)
        # Of two classes the accuracy is no gap.
        above, below = ([], []) if self.task == "binary" else ([sums[..., 1]], [n])
        for place in range(2, sums.shape[-1], 3):
            true, said, both = (sums[..., place + side] for side in range(3))
            above += [said, both, said - both]
            below += [n, true, n - true]
        return np.stack(above, axis=-2), np.stack(below, axis=-2)


def _of_class(name: str | None) -> tuple[Kind, ...]:
    true, other = ("positive row", "negative row") if name is None else ("such row", "other row")
    return (
        Kind("selection_rate", name),
        Kind("true_positive_rate", name, true),
        Kind("false_positive_rate", name, other),
    )


@dataclass(frozen=True)
class GroupRows:
    """Rows of groups, for one or several predictions of each.

    Attributes:
        names: The groups, sorted.
        sides: How many predictions there are of each row.
        sums: How many sums there are by group.
        matrix: What each kind of row adds, shape (kinds of rows, sides * groups * sums).
        kind_of_row: Shape (n,); None where each row is a kind of its own.
    """

    names: tuple[str, ...]
    sides: int
    sums: int
    matrix: Any
    kind_of_row: "Ints | None"

    def whole(self) -> "Floats":
        """Return the sums over all rows, shape (sides, groups, sums)."""
        import numpy as np

        size = self.matrix.shape[0]
        counts = np.ones(size)
        if self.kind_of_row is not None:
            counts = np.bincount(self.kind_of_row, minlength=size).astype(np.float64)
        found: Floats = self._shaped(counts[None, :])[0]
        return found

    def draw(self, units: "Ints | None", replicates: int, seed: int) -> "Iterator[Floats]":
        """Yield the sums of the replicates, shapes (b, sides, groups, sums).

        Args:
            units: The number of its unit of each row, shape (n,); None draws rows.
            replicates: Bootstrap samples; the b add up to it.
            seed: Of the draws.
        """
        import numpy as np
        from scipy.sparse import csr_array

        size = self.matrix.shape[0]
        if units is not None:
            kinds = np.arange(size) if self.kind_of_row is None else self.kind_of_row
            shape = (int(units.max()) + 1, size)
            by_unit = csr_array((np.ones(len(units)), (units, kinds)), shape=shape) @ self.matrix
            for counts in resample_counts(shape[0], replicates, seed):
                yield self._shaped(counts, by_unit)
        elif self.kind_of_row is None:
            for counts in resample_counts(size, replicates, seed):
                yield self._shaped(counts)
        else:
            n = len(self.kind_of_row)
            share = np.bincount(self.kind_of_row, minlength=size) / n
            random = np.random.default_rng(seed)
            step = max(1, _CHUNK // size)
            for start in range(0, replicates, step):
                drawn = random.multinomial(n, share, size=min(step, replicates - start))
                yield self._shaped(drawn.astype(np.float64))

    def _shaped(self, counts: "Floats", matrix: Any = None) -> "Floats":
        found: Floats = counts @ (self.matrix if matrix is None else matrix)
        return found.reshape(len(counts), self.sides, len(self.names), self.sums)


def group_rows(
    measures: Measures,
    names: Sequence[str],
    groups: "Array",
    actual: "Array",
    predictions: "Sequence[Array]",
) -> GroupRows:
    """Return what rows add to the sums of their groups.

    Args:
        measures: What is measured.
        names: The groups, sorted; every row is of one.
        groups: Of each row, shape (n,).
        actual: Number of the class or value, shape (n,).
        predictions: One or several of each row, in the same terms, shape (n,) each.
    """
    import numpy as np
    from scipy.sparse import csr_array, hstack

    group = np.searchsorted(np.array(names, dtype=str), groups)
    kind_of_row = None
    if measures.task != "regression":
        classes = max(2, len(measures.classes))
        code = group
        for side in (actual, *predictions):
            code = code * classes + side
        _, first, kind_of_row = np.unique(code, return_index=True, return_inverse=True)
        group, actual = group[first], actual[first]
        predictions = [side[first] for side in predictions]
    parts, sums = [], 0
    for side in predictions:
        added = measures.added(actual, side)
        n, sums = added.shape
        columns = (group[:, None] * sums + np.arange(sums)).ravel()
        ends = np.arange(n + 1) * sums
        parts.append(csr_array((added.ravel(), columns, ends), shape=(n, len(names) * sums)))
    matrix = csr_array(hstack(parts))
    matrix.eliminate_zeros()
    return GroupRows(tuple(names), len(parts), sums, matrix, kind_of_row)
