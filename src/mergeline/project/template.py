"""The pipeline that a project starts with: `dvc.yaml`, and what Git and DVC ignore.

Every stage depends on the pin of Mergeline and its environment, so that an upgrade runs
again what it must, and an older commit can still be restored from a cache.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mergeline.config.load import load_settings
from mergeline.core import layout
from mergeline.core.evidence import STAGES
from mergeline.files import write_whole

PINS = "requirements/mergeline.txt"

_TABLES = (layout.TRAIN_TABLE, layout.TEST_TABLE)
_ROC = "{x: false_positive_rate, y: true_positive_rate, title: ROC}"
_CURVE = "{x: recall, y: precision, title: Precision and recall}"

# What each stage reads, by DVC dependency and by section of params.yaml.
_DEPS: Mapping[str, Sequence[str]] = {
    "prepare": (),
    "train": (layout.TRAIN_TABLE,),
    "evaluate": (layout.TEST_TABLE, layout.MODEL),
    "check_data": _TABLES,
    "check_model": (*_TABLES, layout.MODEL, layout.PREDICTIONS),
    "fairness": (layout.TEST_TABLE, layout.PREDICTIONS),
    "explain": (*_TABLES, layout.MODEL, layout.PREDICTIONS),
}
_PARAMS: Mapping[str, Sequence[str]] = {
    "prepare": ("data", "split"),
    "train": ("data", "model"),
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


def pipeline(*, contract: bool, pins: Sequence[str], code: Mapping[str, Sequence[str]]) -> str:
    """Return the text of `dvc.yaml`.

    Args:
        contract: Whether the settings name one.
        pins: Files that pin Mergeline and its environment.
        code: Stage code that lies in the repository itself, by stage; empty for a project
            that installs Mergeline.
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
        lines += ["    outs:", *(f"      - {path}" for path in _OUTS.get(name, ()))]
        lines += [f"      - {layout.evidence(name)}"]
        if name == "evaluate":
            lines += ["    metrics:", f"      - {layout.METRICS}", "    plots:"]
            lines += [f"      - {layout.PLOTS}/roc.csv: {_ROC}"]
            lines += [f"      - {layout.PLOTS}/precision_recall.csv: {_CURVE}"]
    return "\n".join(lines) + "\n"


IGNORED: Mapping[str, Sequence[str]] = {
    ".gitignore": ("/.mergeline/", "/dvc_plots/", "__pycache__/"),
    ".dvcignore": ("__pycache__/", "*.pyc"),
    "data/.gitignore": ("/prepared/",),
    "reports/.gitignore": ("/*", "!/.gitignore", "!/example/"),
}


def write_pipeline(root: Path) -> None:
    """Write `dvc.yaml` and the ignore files of a project that installs Mergeline.

    Lines that an ignore file has already are kept.

    Args:
        root: The project's root; its `params.yaml` and `PINS` are there already.
    """
    settings = load_settings(root / layout.SETTINGS)
    text = pipeline(contract=settings.data.contract is not None, pins=[PINS], code={})
    write_whole(root / layout.PIPELINE, text.encode())
    for name, lines in IGNORED.items():
        write_whole(root / name, _with_lines(root / name, lines).encode())


def _with_lines(path: Path, lines: Sequence[str]) -> str:
    """Return what a text file says with the lines that it lacks, each on one of its own."""
    present = path.read_text().splitlines() if path.is_file() else []
    return "\n".join([*present, *(line for line in lines if line not in present)]) + "\n"
