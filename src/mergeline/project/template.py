"""The pipeline that a project starts with: `dvc.yaml`, and what Git and DVC ignore.

Every stage depends on the pin of Mergeline and its environment, so that an upgrade runs
again what it must, and an older commit can still be restored from a cache.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from mergeline.check.pipeline import MODEL_STAGES, own_code
from mergeline.config.document import read_document
from mergeline.config.load import load_settings, parse_settings
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.evidence import STAGES
from mergeline.core.task import Task
from mergeline.errors import ConfigError
from mergeline.files import write_whole
from mergeline.model.extras import PACKAGES, installed

PINS = "requirements/mergeline.txt"
# What decides a stage's numbers, as it is installed here.
_PINNED = (
    *("mergeline", "scikit-learn", "numpy", "pandas", "scipy"),
    *("skops", "fairlearn", "shap", "mlflow", "dvc"),
)

_TABLES = (layout.TRAIN_TABLE, layout.TEST_TABLE)
# The files that stages leave for `dvc plots`, by task. Curves of several classes are in one
# file, where a line would join one class with the next. DVC draws each file by itself, or, under
# `plots` at the end, a few of a file's columns by name.
_ROC = "x: false_positive_rate, y: true_positive_rate, title: ROC"
_CURVE = "x: recall, y: precision, title: Precision and recall"
_CALIBRATION = "x: score, y: observed, title: Calibration"
_SCATTER = "template: scatter"
_PLOTS: Mapping[Task, Mapping[str, str]] = {
    "binary": {"roc.csv": _ROC, "precision_recall.csv": _CURVE, "calibration.csv": _CALIBRATION},
    "multiclass": {
        "roc.csv": f"{_ROC}, {_SCATTER}",
        "precision_recall.csv": f"{_CURVE}, {_SCATTER}",
        "calibration.csv": f"{_CALIBRATION}, {_SCATTER}",
    },
    "regression": {
        "predicted_actual.csv": "x: predicted, y: actual, title: Predicted and actual",
        "error_quantiles.csv": "x: percent, y: error, title: Quantiles of the error",
    },
}
_IMPORTANCE = (
    "x: share, y: column, title: Share of the explanation, template: bar_horizontal_sorted"
)
_THRESHOLDS, _GROUPS = f"{layout.PLOTS}/thresholds.csv", f"{layout.PLOTS}/groups.csv"
# What is shown of each group.
_BY_GROUP: Mapping[Task, Sequence[str]] = {
    "binary": ("selection_rate", "true_positive_rate", "false_positive_rate"),
    "multiclass": ("accuracy",),
    "regression": ("mean_error", "mean_absolute_error"),
}

# What each stage reads, by DVC dependency and by section of params.yaml.
_DEPS: Mapping[str, Sequence[str]] = {
    "prepare": (),
    "train": (layout.TRAIN_TABLE,),
    "evaluate": (layout.TEST_TABLE, layout.MODEL),
    "check_data": _TABLES,
    "check_model": (*_TABLES, layout.MODEL, layout.PREDICTIONS),
    "fairness": (*_TABLES, layout.PREDICTIONS),
    "explain": (*_TABLES, layout.MODEL, layout.PREDICTIONS),
}
_PARAMS: Mapping[str, Sequence[str]] = {
    "prepare": ("data", "split"),
    "train": ("data", "model", "fairness"),
    "evaluate": ("data", "model", "evaluate"),
    "check_data": ("data", "checks"),
    "check_model": ("data", "model", "evaluate", "checks"),
    "fairness": ("data", "model", "evaluate", "fairness"),
    "explain": ("data", "model", "fairness", "explain", "report"),
}
_OUTS: Mapping[str, Sequence[str]] = {
    "prepare": _TABLES,
    "train": (layout.MODEL,),
    "evaluate": (layout.PREDICTIONS, layout.PROBES),
}


def pipeline(
    *,
    contract: bool,
    pins: Sequence[str],
    code: Mapping[str, Sequence[str]],
    task: Task = "binary",
) -> str:
    """Return the text of `dvc.yaml`.

    Args:
        contract: Whether the settings name one.
        pins: Files that pin Mergeline and its environment.
        code: Code that lies in the repository itself, by stage: the model's own, and for
            Mergeline's own repository that of the stages.
        task: What the settings predict.
    """
    sources = ["${data.source}", *(["${data.contract}"] if contract else [])]
    lines = [
        "# Each stage writes one evidence file. `mergeline check` runs what is stale.",
        "stages:",
    ]
    for name in STAGES:
        deps = [*pins, *code.get(name, ()), *(sources if name == "prepare" else _DEPS[name])]
        lines += [f"  {name}:", f"    cmd: mergeline stage {name}", "    deps:"]
        lines += [f"      - {path}" for path in deps]
        lines += ["    params:", *(f"      - {section}" for section in _PARAMS[name])]
        outs = [*_OUTS.get(name, ()), layout.evidence(name), *_drawn_later(name, task)]
        lines += ["    outs:", *(f"      - {path}" for path in outs)]
        if name == "evaluate":
            lines += ["    metrics:", f"      - {layout.METRICS}"]
        if plots := {"evaluate": _PLOTS[task], "explain": {"importance.csv": _IMPORTANCE}}.get(
            name
        ):
            lines.append("    plots:")
            lines += [f"      - {layout.PLOTS}/{file}: {{{axes}}}" for file, axes in plots.items()]
    return "\n".join([*lines, *_plots_of_columns(task)]) + "\n"


def _drawn_later(stage: str, task: Task) -> list[str]:
    """Return the files of a stage of which `plots` at the end draws some columns."""
    if stage == "fairness":
        return [_GROUPS]
    return [_THRESHOLDS] if stage == "evaluate" and task == "binary" else []


def _plots_of_columns(task: Task) -> Iterator[str]:
    yield "plots:"
    if task == "binary":
        yield "  - Thresholds:"
        yield "      x: threshold"
        yield f"      y: {{{_THRESHOLDS}: [recall, precision, selection_rate]}}"
        yield "      template: simple"
    for measure in _BY_GROUP[task]:
        title = measure.replace("_", " ").capitalize()
        yield f"  - {title} by group:"
        yield f"      x: {{{_GROUPS}: {measure}}}"
        yield f"      y: {{{_GROUPS}: group}}"
        yield "      template: bar_horizontal"


IGNORED: Mapping[str, Sequence[str]] = {
    ".gitignore": ("/.mergeline/", "/dvc_plots/", "__pycache__/"),
    ".dvcignore": ("__pycache__/", "*.pyc"),
    "data/.gitignore": ("/prepared/",),
    "reports/.gitignore": ("/*", "!/.gitignore", "!/example/"),
}


def write_pipeline(root: Path) -> None:
    """Write `dvc.yaml`, ignore files and, where there are none, pins of a project.

    Lines that an ignore file has already are kept. Sections that the stages read and
    `params.yaml` lacks are added at its end, empty; the rest of it stays as it is.

    Args:
        root: The project's root; its `params.yaml` is there already.

    Raises:
        ConfigError: The settings are not right, or nothing can be added at their end.
    """
    settings = load_settings(root / layout.SETTINGS)
    completed = _completed((root / layout.SETTINGS).read_bytes(), settings)
    code = dict.fromkeys(MODEL_STAGES, tuple(own_code(root, settings.model)))
    if settings.model.onnx:
        code["train"] += (settings.model.onnx,)
    contract, task = settings.data.contract is not None, settings.data.task
    text = pipeline(contract=contract, pins=[PINS], code=code, task=task)
    write_whole(root / layout.SETTINGS, completed)
    write_whole(root / layout.PIPELINE, text.encode())
    if not (root / PINS).exists():
        write_whole(root / PINS, installed_pins().encode())
    for name, lines in IGNORED.items():
        write_whole(root / name, with_lines(root / name, lines).encode())


def installed_pins(own: str = "") -> str:
    """Return the text of the pins: what is installed here of that which decides numbers.

    Args:
        own: The line that pins Mergeline; its version where none is given.
    """
    lines = {name: f"{name}=={version(name)}" for name in _PINNED}
    for extra in PACKAGES:
        lines |= {name: f"{name}=={number}" for name, number in installed(extra).items()}
    if own:
        lines["mergeline"] = own
    return "\n".join(lines.values()) + "\n"


def _completed(data: bytes, settings: Settings) -> bytes:
    """Return settings with the sections that stages read: DVC wants each of them there."""
    text = data.decode("utf-8-sig")
    present = read_document(text, origin=layout.SETTINGS).data
    named = {section for sections in _PARAMS.values() for section in sections}
    missing = sorted(named - present.keys())
    if not missing:
        return data
    lines = ["# sections that keep their defaults", *(f"{name}: {{}}" for name in missing)]
    added = ("" if text.endswith("\n") else "\n") + "\n".join(lines) + "\n"
    try:
        same = parse_settings(text + added, origin=layout.SETTINGS) == settings
    except ConfigError:
        same = False
    if not same:
        raise ConfigError(
            f"{layout.SETTINGS}: nothing can be added at its end, and it lacks "
            f"{', '.join(missing)}",
            hint=f"add a line each: {', '.join(lines[1:])}",
        )
    return data + added.encode()


def with_lines(path: Path, lines: Sequence[str]) -> str:
    """Return what a text file says with the lines that it lacks, each on one of its own."""
    present = path.read_text().splitlines() if path.is_file() else []
    return "\n".join([*present, *(line for line in lines if line not in present)]) + "\n"
