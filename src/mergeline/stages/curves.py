"""Curves for `dvc plots`: ROC and precision-recall, thinned to what a plot can show."""

from collections.abc import Iterable

from mergeline.stats.binary import Rows

_MOST_POINTS = 200


def curves(rows: Rows) -> dict[str, bytes]:
    """Return `roc.csv` and `precision_recall.csv`, by name.

    Of one class only, the rate that needs the other one is 0 throughout.
    """
    import numpy as np

    found = np.cumsum(rows.positive)
    seen = np.arange(1, len(found) + 1)
    ends = np.append(rows.tie_starts[1:], len(found)) - 1
    keep = ends[np.unique(np.linspace(0, len(ends) - 1, _MOST_POINTS).round().astype(int))]
    positives, negatives = found[-1], len(found) - found[-1]
    recall = found[keep] / max(positives, 1)
    false_rate = (seen[keep] - found[keep]) / max(negatives, 1)
    precision = found[keep] / seen[keep]
    roc = zip([0.0, *false_rate], [0.0, *recall], strict=True)
    return {
        "roc.csv": _csv(("false_positive_rate", "true_positive_rate"), roc),
        "precision_recall.csv": _csv(("recall", "precision"), zip(recall, precision, strict=True)),
    }


def _csv(header: tuple[str, str], points: Iterable[tuple[float, float]]) -> bytes:
    lines = [",".join(header), *(f"{x:.6f},{y:.6f}" for x, y in points)]
    return ("\n".join(lines) + "\n").encode()
