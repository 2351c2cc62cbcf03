"""Metrics that follow from counts of decisions: whether evidence says of both the same."""

from collections.abc import Iterator, Mapping, Sequence

from mergeline.bundle.thresholds import Statement, same
from mergeline.core.base import Estimate
from mergeline.core.evidence import FEWEST_TOLD, Confusion, EvaluateContent

Values = Mapping[str, float | None]


def of_two(stated: EvaluateContent, counts: Confusion) -> Statement:
    """Hold metrics of two classes against their confusion."""
    return _unlike("evaluate.metrics", stated.metrics, _of_two(counts))


def of_several(stated: EvaluateContent) -> Iterator[Statement]:
    """Hold metrics of several classes against their matrix, which is square and of the classes."""
    right = [row[place] for place, row in enumerate(stated.matrix)]
    actual = [sum(row) for row in stated.matrix]
    predicted = [sum(column) for column in zip(*stated.matrix, strict=True)]
    yield _unlike("evaluate.metrics", stated.metrics, _of_several(right, actual, predicted))
    counts = zip(stated.classes, right, actual, predicted, strict=True)
    for report, *of_class in counts:
        yield _unlike("evaluate.classes by metrics", report.metrics, _of_class(*of_class))


def _unlike(what: str, stated: Mapping[str, Estimate], counted: Values) -> Statement:
    wrong = {
        name: stated[name].value
        for name, value in counted.items()
        if name in stated and not same(stated[name].value, value)
    }
    return Statement(f"{what} that are counted", wrong, {name: counted[name] for name in wrong})


def _of_two(counts: Confusion) -> Values:
    right, wrong = counts.true_positive, counts.false_positive
    actual, others = right + counts.false_negative, wrong + counts.true_negative
    recall, specificity = _share(right, actual), _share(counts.true_negative, others)
    both = None if recall is None or specificity is None else (recall + specificity) / 2
    return {
        "accuracy": _share(right + counts.true_negative, actual + others),
        "balanced_accuracy": both,
        "precision": _share(right, right + wrong),
        "recall": recall,
        "f1": _share(2 * right, actual + right + wrong),
    }


def _of_several(right: Sequence[int], actual: Sequence[int], predicted: Sequence[int]) -> Values:
    """Return what `stats.multiclass` says; a class without a row leaves no mean of classes."""
    each = list(zip(right, actual, predicted, strict=True))
    recall = _macro(actual, [_share(hits, n) for hits, n, _ in each])
    return {
        "accuracy": _share(sum(right), sum(actual)),
        "balanced_accuracy": recall,
        "recall_macro": recall,
        "precision_macro": _macro(actual, [_share(hits, said) for hits, _, said in each]),
        "f1_macro": _macro(actual, [_share(2 * hits, n + said) for hits, n, said in each]),
    }


def _of_class(right: int, actual: int, predicted: int) -> Values:
    if actual < FEWEST_TOLD:
        return dict.fromkeys(("precision", "recall", "f1"))
    return {
        "precision": _share(right, predicted),
        "recall": _share(right, actual),
        "f1": _share(2 * right, actual + predicted),
    }


def _macro(actual: Sequence[int], values: Sequence[float | None]) -> float | None:
    if not actual or not all(actual):
        return None
    return sum(value or 0.0 for value in values) / len(values)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
