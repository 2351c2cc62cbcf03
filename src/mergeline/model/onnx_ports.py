"""How a table goes into an ONNX model, and which of its outputs is the score."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mergeline.core.strict_json import shortened
from mergeline.errors import ModelError
from mergeline.model.onnx_file import OnnxFile, Port

_NUMBERS = ("float", "double")
_LABELS = ("int64", "text")
_PROBABILITIES = ("probabilities", "output_probability")
_MOST_SHOWN = 8


@dataclass(frozen=True)
class Way:
    """From rows to scores.

    Attributes:
        columns: Of each input the features that it takes, by their places.
        score: The output that holds the scores.
        label: The output that holds the most probable class; None without one.
    """

    inputs: tuple[Port, ...]
    columns: tuple[tuple[int, ...], ...]
    score: Port
    label: Port | None


def way_through(file: OnnxFile, names: Sequence[str], kinds: Sequence[str], classes: int) -> Way:
    """Return how rows become scores.

    Args:
        file: What the ONNX file holds.
        names: Of the features, in the order of the table.
        kinds: Of each: `number`, `boolean` or `category`.
        classes: How many; 0 for a number.

    Raises:
        ModelError: The file wants other inputs, or does not say which output is the score.
    """
    score, label = _outputs(file.outputs, classes)
    return Way(file.inputs, _columns(file.inputs, names, kinds), score, label)


# --- inputs -----------------------------------------------------------------------------------


def _columns(
    inputs: Sequence[Port], names: Sequence[str], kinds: Sequence[str]
) -> tuple[tuple[int, ...], ...]:
    by_name = {port.name: port for port in inputs}
    if len(by_name) == len(inputs) and by_name.keys() == {*names}:
        for name, kind in zip(names, kinds, strict=True):
            if not _takes_one(by_name[name], kind):
                raise _unfit_inputs(inputs, names, kinds)
        return tuple((names.index(port.name),) for port in inputs)
    if len(inputs) == 1 and "category" not in kinds and _takes_all(inputs[0], len(names)):
        return (tuple(range(len(names))),)
    raise _unfit_inputs(inputs, names, kinds)


def _takes_one(port: Port, kind: str) -> bool:
    fits = port.kind == "text" if kind == "category" else port.kind in _NUMBERS
    return fits and (port.shape is None or port.shape in {(None,), (None, 1), (None, None)})


def _takes_all(port: Port, width: int) -> bool:
    shapes = {(None, width), (None, None)}
    return port.kind in _NUMBERS and (port.shape is None or port.shape in shapes)


def _unfit_inputs(inputs: Sequence[Port], names: Sequence[str], kinds: Sequence[str]) -> ModelError:
    texts = [name for name, kind in zip(names, kinds, strict=True) if kind == "category"]
    each = (
        f"an input of the name of each of {len(names)} columns, [N, 1], float "
        f"({_listed([name for name in names if name not in texts])})"
        + (f" or string ({_listed(texts)})" if texts else "")
    )
    one = "" if texts else f"one float input [N, {len(names)}], or "
    hint = "export it so, with N free (dynamic axes)"
    if texts:
        hint += ", or name the columns of text in data.exclude"
    return ModelError(
        f"the ONNX file has the inputs {_listed(inputs)}; expected {one}{each}", hint=hint
    )


def _listed(items: Sequence[object]) -> str:
    shown = [shortened(each) if isinstance(each, str) else str(each) for each in items]
    more = f" and {len(shown) - _MOST_SHOWN} more" if len(shown) > _MOST_SHOWN else ""
    return (", ".join(shown[:_MOST_SHOWN]) or "none") + more


# --- outputs ----------------------------------------------------------------------------------


def _outputs(outputs: Sequence[Port], classes: int) -> tuple[Port, Port | None]:
    numbers = [port for port in outputs if port.kind in _NUMBERS]
    named = [port for port in numbers if classes and port.name in _PROBABILITIES]
    found = named or numbers
    if len(found) != 1 or not _shaped(found[0], classes):
        raise _unfit_outputs(outputs, classes)
    labels = [port for port in outputs if port.kind in _LABELS and port.shape != ()]
    return found[0], labels[0] if classes and len(labels) == 1 else None


def _shaped(port: Port, classes: int) -> bool:
    """Whether what is said of an output's shape may be that of scores."""
    alone: set[tuple[int | None, ...]] = {(None,), (None, 1), (None, None)}
    many: set[tuple[int | None, ...]] = {(None, classes), (None, None)}
    if classes == 2:  # noqa: PLR2004 -- the positive one alone is enough
        many |= alone
    return port.shape is None or port.shape in (many if classes else alone)


def _unfit_outputs(outputs: Sequence[Port], classes: int) -> ModelError:
    kinds: dict[int, Literal["probabilities", "a number"]] = {0: "a number"}
    what = kinds.get(classes, "probabilities")
    shapes = f"[N, {classes}]" if classes else "[N] or [N, 1]"
    if classes == 2:  # noqa: PLR2004
        shapes += ", or [N] or [N, 1] for the positive class"
    hint = "export it so, with N free (dynamic axes)"
    if any(port.kind in {"sequence", "map"} for port in outputs):
        hint = "turn the maps of classes off as it is exported: options={'zipmap': False}"
    elif classes and len(outputs) > 1:
        hint += "; of several the output named `probabilities` counts"
    return ModelError(
        f"the ONNX file has the outputs {_listed(outputs)}; expected one float output of "
        f"{what}, {shapes}",
        hint=hint,
    )
