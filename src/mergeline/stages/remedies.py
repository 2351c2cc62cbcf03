"""What would close a gap: another threshold for everybody, or thresholds by group.

A remedy is fitted on one half of the held-out rows and measured on the other, so that its
numbers are those of rows that it has not seen. The half of a row follows from a hash of
its key, so that rows of the same id or group are in the same half; so does the order of
rows, whatever the table is sorted by.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any, Literal

from mergeline.core.digest import sha256
from mergeline.core.evidence import Gap, Remedy
from mergeline.core.task import GAPS
from mergeline.stats.gaps import gap_values, judged_groups
from mergeline.stats.sums import Measures

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Bools = np.ndarray[Any, np.dtype[np.bool_]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]

# Smaller gaps need no remedy.
_SMALLEST_GAP = 0.02
# What one other threshold may cost in accuracy, in the half that it is chosen on.
_MOST_LOST = 0.01
# And how far it may move the share of rows predicted positive. Without this bound, where
# positives are rare, the best threshold would be the one that nobody reaches.
_SHARE = (0.5, 2.0)
_CANDIDATES = 200
# Fitting sorts and walks the rows in Python: more of them say little more.
_MOST_FITTED = 10_000
# Thresholds of more groups than this nobody would keep; fitting takes longer with each.
_MOST_GROUPS = 50
# Shares of less than this are not worth a word.
_TRACE = 0.005

_MEASURES = Measures("binary")
# What fairlearn calls the constraint that closes a gap.
CONSTRAINTS = {
    "demographic_parity_difference": "demographic_parity",
    "equalized_odds_difference": "equalized_odds",
    "equal_opportunity_difference": "true_positive_rate_parity",
}


@dataclass(frozen=True)
class Held:
    """The held-out rows.

    Attributes:
        keys: What each row stands for.
        positive: Whether it is positive, shape (n,).
        score: Probability of being positive, shape (n,).
        threshold: A row is predicted positive when its score reaches it.
    """

    keys: Sequence[str]
    positive: "Bools"
    score: "Floats"
    threshold: float

    @property
    def predicted(self) -> "Bools":
        """Which rows are predicted positive, shape (n,)."""
        return self.score >= self.threshold


@dataclass(frozen=True)
class _Rows:
    """Rows of judged groups; `group` numbers them in order of `names`."""

    names: Sequence[str]
    group: "Ints"
    positive: "Bools"
    score: "Floats"

    def take(self, rows: "Bools | Ints | slice") -> "_Rows":
        return _Rows(self.names, self.group[rows], self.positive[rows], self.score[rows])

    def judge(self, probability: "Floats", *gaps: str) -> tuple[float, ...]:
        """Return gaps and the accuracy when a row is predicted with a probability."""
        import numpy as np

        added = _MEASURES.added(self.positive, probability)
        many = len(self.names)
        sums: Floats = np.stack(
            [np.bincount(self.group, weights=part, minlength=many) for part in added.T], axis=-1
        )
        found = gap_values(_MEASURES.values(sums), _MEASURES, gaps)
        return *(float(found[gap]) for gap in gaps), float(sums[:, 1].sum() / sums[:, 0].sum())


@dataclass(frozen=True)
class _Rule:
    """A fitted remedy: its words, and the probability that it predicts a row."""

    method: Literal["threshold", "threshold_optimizer"]
    setting: str
    probability: "Floats"


def find_remedies(
    held: Held, labels: "np.ndarray[Any, Any]", gaps: Mapping[str, Gap], min_group: int
) -> tuple[Remedy, ...]:
    """Return what closes each gap of more than 0.02, and what that costs.

    For each gap at most one remedy of each method: one other threshold for everybody, the
    one that reduces the gap most at a loss of at most one percentage point of accuracy;
    and fairlearn's ThresholdOptimizer (Hardt, Price and Srebro, NeurIPS 2016), thresholds
    by group with chance between two of them. A method that cannot be fitted, or finds
    nothing, gives no remedy. Gap and accuracy of a rule with chance in it are expectations.

    Args:
        held: The held-out rows.
        labels: The group of each row by one column, shape (n,).
        gaps: The gaps by that column.
        min_group: Smaller groups are left out.
    """
    import numpy as np

    names = judged_groups(labels, min_group)
    wanted = [name for name, gap in gaps.items() if (gap.difference.value or 0) > _SMALLEST_GAP]
    if not wanted:
        return ()
    known = np.isin(labels, np.array(names, dtype=str))
    # Not by the key's own digits: they have decided already that the row is held out.
    hashes = np.array([sha256(f"remedy {key}".encode()) for key in held.keys])
    group = np.searchsorted(np.array(names, dtype=str), labels)
    order = np.argsort(hashes, kind="stable")
    order = order[known[order]]
    rows = _Rows(names, group, held.positive, held.score).take(order)
    first = hashes[order] < "8"
    fit, other = rows.take(first), rows.take(~first)
    if not len(fit.score) or not len(other.score):
        return ()
    found = []
    for gap in wanted:
        for fitted in (_threshold, _optimizer):
            rule = fitted(gap, fit, other, held.threshold)
            remedy = rule and _measured(gap, rule, other, held.threshold)
            found += [remedy] if remedy else []
    return tuple(found)


def _measured(gap: str, rule: _Rule, rows: _Rows, threshold: float) -> Remedy | None:
    """Return the remedy with its numbers; None where the rows leave a rate undefined."""
    names = (gap, *(other for other in GAPS["binary"] if other != gap))
    before, *others_before, accuracy_before = rows.judge(
        (rows.score >= threshold).astype(float), *names
    )
    after, *others_after, accuracy_after = rows.judge(rule.probability, *names)
    if isnan(before) or isnan(after):
        return None
    return Remedy(
        gap=gap,
        method=rule.method,
        setting=rule.setting,
        gap_before=before,
        gap_after=after,
        accuracy_before=accuracy_before,
        accuracy_after=accuracy_after,
        others=known_pairs(names[1:], others_before, others_after),
        n=len(rows.score),
    )


def known_pairs(
    names: Sequence[str], before: Iterable[float], after: Iterable[float]
) -> dict[str, tuple[float, float]]:
    """Return two values by name, without those that are undefined on a side."""
    found = {name: pair for name, *pair in zip(names, before, after, strict=True)}
    return {name: (old, new) for name, (old, new) in found.items() if not isnan(old + new)}


# --- one threshold for everybody -------------------------------------------------


def _threshold(gap: str, fit: _Rows, rows: _Rows, threshold: float) -> _Rule | None:
    now, accuracy = fit.judge((fit.score >= threshold).astype(float), gap)
    share = (fit.score >= threshold).mean()
    best, smallest = threshold, now
    for candidate in _candidates(fit.score, threshold):
        predicted = (fit.score >= candidate).astype(float)
        found, right = fit.judge(predicted, gap)
        moved = _SHARE[0] * share <= predicted.mean() <= _SHARE[1] * share
        if found < smallest and right >= accuracy - _MOST_LOST and moved:
            best, smallest = candidate, found
    if best == threshold:
        return None
    setting = f"one threshold of {best:g} instead of {threshold:g}"
    return _Rule("threshold", setting, (rows.score >= best).astype(float))


def _candidates(score: "Floats", threshold: float) -> list[float]:
    """Return thresholds of three digits all over the scores, nearest to the present one first."""
    import numpy as np

    quantiles = np.quantile(score, np.linspace(0, 1, _CANDIDATES))
    rounded = {float(f"{value:.3g}") for value in quantiles}
    return sorted(rounded, key=lambda value: (abs(value - threshold), value))


# --- thresholds by group ---------------------------------------------------------


def _identity() -> Any:
    """Return a fitted estimator that predicts its only column: fairlearn wraps estimators."""
    import numpy as np
    from sklearn.linear_model import LinearRegression

    identity = LinearRegression()
    identity.coef_, identity.intercept_ = np.ones(1), 0.0
    return identity


def _optimizer(gap: str, fit: _Rows, rows: _Rows, threshold: float) -> _Rule | None:  # noqa: ARG001
    import numpy as np
    from fairlearn.postprocessing import ThresholdOptimizer

    if len(fit.names) > _MOST_GROUPS:
        return None
    fit = fit.take(slice(_MOST_FITTED))
    sides = np.unique(fit.group * 2 + fit.positive)
    if len(sides) < 2 * len(fit.names):
        return None  # A group with one class only has no curve of trade-offs.
    optimizer = ThresholdOptimizer(
        estimator=_identity(), constraints=CONSTRAINTS[gap], prefit=True, predict_method="predict"
    )
    optimizer.fit(fit.score[:, None], fit.positive.astype(int), sensitive_features=fit.group)
    by_group = optimizer.interpolated_thresholder_.interpolation_dict
    probability = np.zeros(len(rows.score))
    for number, rule in by_group.items():
        inside = rows.group == number
        probability[inside] = _probability(rule, rows.score[inside])
    words = [f"{name} {_words(by_group[number])}" for number, name in enumerate(fit.names)]
    return _Rule("threshold_optimizer", f"thresholds by group: {'; '.join(words)}", probability)


def _probability(rule: Any, score: "Floats") -> "Floats":
    """Return the probability with which one group's rule predicts each score positive."""
    drawn: Floats = rule.p0 * rule.operation0(score) + rule.p1 * rule.operation1(score)
    ignored = rule.get("p_ignore", 0.0)
    probability: Floats = (1 - ignored) * drawn + ignored * rule.get("prediction_constant", 0.0)
    return probability


def _words(rule: Any) -> str:
    shares: dict[str, float] = {}
    for share, operation in ((rule.p0, rule.operation0), (rule.p1, rule.operation1)):
        word = _cut(operation.threshold)
        shares[word] = shares.get(word, 0.0) + share
    kept = {word: share for word, share in shares.items() if share > _TRACE}
    text = " or ".join(
        word if len(kept) == 1 else f"{word} ({share:.0%})" for word, share in kept.items()
    )
    ignored = rule.get("p_ignore", 0.0)
    if ignored > _TRACE:
        text += f", {ignored:.0%} by lot ({rule.prediction_constant:.0%} positive)"
    return text


def _cut(threshold: float) -> str:
    if threshold == float("inf"):
        return "nobody"
    return "everybody" if threshold == float("-inf") else f"{threshold:.3g}"
