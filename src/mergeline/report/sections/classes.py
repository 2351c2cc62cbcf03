"""Several classes: how well each is found, and which is taken for which."""

from collections.abc import Sequence

from mergeline.core.evidence import ClassReport, EvaluateContent
from mergeline.report.markdown import code, table
from mergeline.report.numbers import estimate, number, percent, plural, signed

# More columns than this nobody reads; the largest classes are shown, the others together.
_SHOWN = 12
_COLUMNS = {"precision": "Precision", "recall": "Recall", "f1": "F1"}


def class_table(content: EvaluateContent) -> str:
    """Return each class against all others: found how often, and rightly how often."""
    if not content.classes:
        return ""
    places = _places(content)
    rows = [_class_row(content.classes[place]) for place in places]
    header = ("Class", "Rows", "Predicted", *_COLUMNS.values())
    more = len(content.classes) - len(rows)
    end = f"\n\n{plural(more, 'smaller class', 'smaller classes')} in the evidence." if more else ""
    parts = (
        "Each class against all others: precision is the share of the rows predicted to be of it "
        "that are, recall the share of its rows that are found.",
        table(header, rows, numeric=(1, 2, 3, 4, 5)) + end,
    )
    return "\n\n".join(parts)


def _class_row(item: ClassReport) -> tuple[str, ...]:
    found = [item.metrics.get(name) for name in _COLUMNS]
    shown = ("" if each is None else estimate(each) for each in found)
    return code(item.name), f"{item.n:,}", f"{item.predicted:,}", *shown


def class_calibration(content: EvaluateContent) -> str:
    """Return for each class how far its probabilities are from what came true, at the worst."""
    rows = [
        (
            code(item.name),
            f"{worst.low:.2f} to {worst.high:.2f}",
            f"{worst.n:,}",
            number(worst.score),
            number(worst.observed),
            signed(worst.score - worst.observed),
        )
        for item in (content.classes[place] for place in _places(content))
        if item.calibration
        for worst in [max(item.calibration, key=lambda one: abs(one.score - one.observed))]
    ]
    if not rows:
        return ""
    header = ("Class", "Probabilities", "n", "Mean probability", "Observed rate", "Apart")
    words = (
        "Calibration: where the probabilities of each class are furthest from what came true; "
        "all of them are in the evidence."
    )
    return f"{words}\n\n{table(header, rows, numeric=(2, 3, 4, 5))}"


def _places(content: EvaluateContent) -> list[int]:
    """Return the places of the classes that are shown: the largest, in the model's order."""
    ranked = sorted(range(len(content.classes)), key=lambda at: -content.classes[at].n)
    return sorted(ranked[:_SHOWN])


# --- which is taken for which ----------------------------------------------------------


def confusion_matrix(content: EvaluateContent) -> str:
    """Return rows by actual and predicted class, and what is mixed up most often."""
    if not content.matrix:
        return ""
    names = [item.name for item in content.classes]
    places, matrix = _places(content), content.matrix
    others = [at for at in range(len(names)) if at not in places]
    rows = [_matrix_row(names[at], matrix[at], places, others, at) for at in places]
    if others:
        rest = [sum(matrix[at][column] for at in others) for column in range(len(names))]
        rows.append(_matrix_row(None, rest, places, others, None))
    header = ["Actual ↓, predicted →", *(code(names[at]) for at in places)]
    header += ["others"] if others else []
    numeric = tuple(range(1, len(header)))
    return "\n\n".join((_most_mixed(content), table(tuple(header), rows, numeric=numeric)))


def _matrix_row(
    name: str | None,
    counts: Sequence[int],
    places: Sequence[int],
    others: Sequence[int],
    own: int | None,
) -> tuple[str, ...]:
    total = sum(counts)
    cells = [_cell(counts[at], total, own=at == own) for at in places]
    cells += [_cell(sum(counts[at] for at in others), total, own=name is None)] if others else []
    return "others" if name is None else code(name), *cells


def _cell(count: int, total: int, *, own: bool) -> str:
    if not count:
        return "0"
    shown = f"{count:,} ({percent(count, total, decimals=0)})"
    return f"**{shown}**" if own else shown


def _most_mixed(content: EvaluateContent) -> str:
    """Say which class is most often taken for which other one."""
    names = [item.name for item in content.classes]
    count, actual, predicted = max(
        (count, -row, -column)
        for row, counts in enumerate(content.matrix)
        for column, count in enumerate(counts)
        if row != column
    )
    if not count:
        return "Every row is predicted to be of its class."
    rows = sum(content.matrix[-actual])
    return (
        f"Most often mixed up: {count:,} of the {rows:,} rows of {code(names[-actual])} "
        f"({percent(count, rows, decimals=0)}) are taken for {code(names[-predicted])}. "
        "Shares are of the actual class."
    )
