"""Models in ONNX files, which a stage of the project's own made.

A stand-in holds the file's bytes, as one member of the model file, and scores by ONNX Runtime.
They are read strictly before it sees them.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from mergeline.config.problem import printable
from mergeline.errors import ModelError, UnsafeModel, first_line
from mergeline.model.onnx_file import OnnxFile, Port, read_onnx
from mergeline.model.onnx_ports import Way, way_through

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]
    Floats = np.ndarray[Any, np.dtype[np.float64]]

# What one call takes: more only need more memory.
_ROWS = 8192
# How far the probabilities of a row may be from 1 in sum: half precision comes that far.
_ROUNDING = 1e-3
_ERRORS_ONLY = 4
_LONGEST = 200
_STATE = ("data", "names", "kinds", "order", "classes_", "n_features_in_")


class Onnx(BaseEstimator):  # type: ignore[misc]
    """What both kinds of stand-ins share.

    Attributes:
        data: The file's bytes.
        names: Of the features, in the order of the table.
        kinds: Of each: `number`, `boolean` or `category`.
        order: Of each class the place of its probability in the file; none for a number.
        n_features_in_: How many features.
    """

    data: bytes
    names: list[str]
    kinds: list[str]
    order: list[int]
    n_features_in_: int

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in _STATE if name in self.__dict__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def fit(self, rows: Any, outcomes: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn's
        """Return itself: it was trained elsewhere."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return "data" in self.__dict__

    @cached_property
    def file(self) -> OnnxFile:
        """What the file holds.

        Raises:
            UnsafeModel: It could do more than score, or is not understood.
        """
        return read_onnx(self.data)

    @cached_property
    def way(self) -> Way:
        """From rows to scores.

        Raises:
            UnsafeModel: As `file`, or the rest of the stand-in is not as it is written.
            ModelError: The file wants other columns.
        """
        order = [*self.order] if isinstance(self.order, list) else [-1]
        if sorted(order) != [*range(len(getattr(self, "classes_", ())))]:
            raise UnsafeModel(
                "the classes of the ONNX model are not in an order", hint="train it again"
            )
        return way_through(self.file, self.names, self.kinds, len(order))

    @cached_property
    def _session(self) -> Any:
        self.way  # noqa: B018 -- read strictly before a library in C++ reads it
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelError(
                f"the model needs onnxruntime, which is not installed here: {first_line(error)}",
                hint="install it: make install EXTRAS=onnx",
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.use_deterministic_compute = True
        options.log_severity_level = _ERRORS_ONLY
        try:
            return onnxruntime.InferenceSession(
                self.data, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its errors have no class of their own
            raise ModelError(
                f"ONNX Runtime {onnxruntime.__version__} cannot load the ONNX file: {_told(error)}",
                hint="see it alone: python -c 'import onnxruntime; "
                'onnxruntime.InferenceSession("FILE")\'; an older opset may do',
            ) from error

    def load(self) -> None:
        """Hand the file to ONNX Runtime.

        Raises:
            UnsafeModel: It could do more than score, or is not understood.
            ModelError: ONNX Runtime is not installed, or does not take it.
        """
        self._session  # noqa: B018 -- made once

    def outputs(self, rows: Any, ports: Sequence[Port]) -> "list[Array]":
        """Return outputs for rows, as the file gives them.

        Raises:
            ModelError: One has not a row of the answer for each row.
        """
        import numpy as np

        columns, count = _columns_of(rows), len(rows)
        parts: list[list[Any]] = [[] for _ in ports]
        for start in range(0, count, _ROWS):
            some = [column[start : start + _ROWS] for column in columns]
            feeds = {
                port.name: _fed(port, [some[place] for place in places])
                for port, places in zip(self.way.inputs, self.way.columns, strict=True)
            }
            answers = self._answers([port.name for port in ports], feeds, len(some[0]))
            for part, port, answer in zip(parts, ports, answers, strict=True):
                if len(np.shape(answer)) == 0 or len(answer) != len(some[0]):
                    raise ModelError(
                        f"the output {port} of the ONNX file has the shape {np.shape(answer)} "
                        f"for {len(some[0])} rows",
                        hint="export it so that the first side is that of the rows",
                    )
                part.append(np.asarray(answer))
        return [np.concatenate(part) for part in parts]

    def _answers(self, names: Sequence[str], feeds: "Mapping[str, Array]", rows: int) -> Any:
        session = self._session
        try:
            return session.run(names, feeds)
        except Exception as error:  # its errors have no class of their own
            raise ModelError(
                f"ONNX Runtime cannot score {rows} rows: {_told(error)}",
                hint="look at the operator that it names; an export for an older opset may do",
            ) from error

    def _scores(self, rows: Any) -> "Floats":
        """Return the output of scores, shape (n,) or (n, outputs)."""
        import numpy as np

        if len(rows) == 0:
            return np.zeros((0, max(1, len(self.order))))
        (found,) = self.outputs(rows, [self.way.score])
        scores: Floats = found.astype(np.float64)
        return scores[:, 0] if scores.ndim > 1 and scores.shape[1] == 1 else scores


class OnnxClassifier(ClassifierMixin, Onnx):  # type: ignore[misc]
    """A classifier's stand-in.

    Attributes:
        classes_: 0, 1, ...
    """

    classes_: Any

    def predict_proba(self, rows: Any) -> "Floats":
        """Return probabilities, shape (n, classes).

        Raises:
            ModelError: What the file gives are no probabilities of these classes.
        """
        import numpy as np

        said = self._scores(rows)
        if said.ndim == 1:
            said = np.column_stack((1.0 - said, said))
        if said.shape[1:] != (len(self.order),):
            raise ModelError(
                f"the output {self.way.score} of the ONNX file has the shape {said.shape} for "
                f"{len(said)} rows and {len(self.order)} classes",
                hint="export it with a probability for each class",
            )
        _require_probabilities(said, self.way.score)
        return said[:, self.order]

    def predict(self, rows: Any) -> Any:
        """Return the most probable class of each row, shape (n,)."""
        return self.classes_.take(self.predict_proba(rows).argmax(axis=1))


class OnnxRegressor(RegressorMixin, Onnx):  # type: ignore[misc]
    """A regressor's stand-in."""

    def predict(self, rows: Any) -> "Floats":
        """Return the predicted values, shape (n,).

        Raises:
            ModelError: The file gives several numbers a row.
        """
        said = self._scores(rows)
        if said.ndim > 1:
            raise ModelError(
                f"the output {self.way.score} of the ONNX file has the shape {said.shape} for "
                f"{len(said)} rows",
                hint="export it with one number a row",
            )
        return said


def _require_probabilities(said: "Floats", port: Port) -> None:
    import numpy as np

    said = said[np.isfinite(said).all(axis=1)]  # what is no number is told elsewhere
    if not len(said):
        return
    low, high, off = said.min(), said.max(), np.abs(said.sum(axis=1) - 1.0).max()
    if low < -_ROUNDING or high > 1.0 + _ROUNDING or off > _ROUNDING:
        raise ModelError(
            f"the output {port} of the ONNX file gives no probabilities: they lie between "
            f"{low:.4g} and {high:.4g}, and those of a row differ from 1 in sum by up to {off:.4g}",
            hint="are these logits? End the graph with a softmax, or for one output with a sigmoid",
        )


def _told(error: Exception) -> str:
    """Return the end of what ONNX Runtime says: before it stands where in its own source."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return printable(lines[0].rpartition("Status Message: ")[2][-_LONGEST:])


def _columns_of(rows: Any) -> "list[Array]":
    import numpy as np

    if hasattr(rows, "columns"):
        return [rows[name].to_numpy() for name in rows.columns]
    return [*np.asarray(rows).T]


def _fed(port: Port, columns: "Sequence[Array]") -> "Array":
    """Return what an input gets: missing numbers are NaN, missing texts are empty."""
    import numpy as np

    if port.kind == "text":
        (column,) = columns
        texts = [value if isinstance(value, str) else "" for value in column]
        found: Array = np.array(texts, dtype=object)
    else:
        kind = np.float32 if port.kind == "float" else np.float64
        with np.errstate(over="ignore"):
            found = np.array(columns, dtype=np.float64).T.astype(kind, order="C")
        if len(columns) > 1 or port.shape is None or len(port.shape) > 1:
            return found
        return found[:, 0]
    return found if port.shape is not None and len(port.shape) == 1 else found[:, None]
