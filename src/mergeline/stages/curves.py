"""Curves for `dvc plots`: ROC and precision-recall, thinned to what a plot can show."""

from pathlib import Path
from typing import Any

from mergeline.files import write_whole
from mergeline.stats.metrics import Rows

_MOST_POINTS = 200


def write_curves(folder: Path, rows: Rows) -> None:
    """Write `roc.csv` and `precision_recall.csv`; a curve of one class is only its header."""
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
    _write(folder / "roc.csv", ("false_positive_rate", "true_positive_rate"), roc)
    _write(
        folder / "precision_recall.csv",
        ("recall", "precision"),
        zip(recall, precision, strict=True),
    )


def _write(path: Path, header: tuple[str, str], points: Any) -> None:
    lines = [",".join(header), *(f"{x:.6f},{y:.6f}" for x, y in points)]
    write_whole(path, ("\n".join(lines) + "\n").encode())
