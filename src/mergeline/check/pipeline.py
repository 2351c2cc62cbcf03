"""What `dvc.yaml` must say before a stage runs: the model's own code or file, sections."""

import posixpath
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from mergeline.adapters.git import Git
from mergeline.config.load import load_settings
from mergeline.config.settings import Model, Settings
from mergeline.core import layout
from mergeline.errors import ConfigError
from mergeline.inputs.digest import Reader, is_tracked, stages_of, within
from mergeline.inputs.trees import Tree, WorkingTree

# The stages that import the model's own code: they train, or they load the model.
MODEL_STAGES = ("train", "evaluate", "check_model", "fairness", "explain")


def require_pipeline(root: Path) -> None:
    """See that the pipeline covers the model's own code and names sections that are there.

    Raises:
        ConfigError: It does not; all sections that are missing are named at once.
    """
    if not (root / layout.PIPELINE).is_file():
        raise ConfigError(
            f"{layout.PIPELINE}: there is no such file",
            hint="`mergeline init --data FILE --target COLUMN` writes it beside what is there",
        )
    tree = WorkingTree(root, Git(root))
    _require_sections(tree)
    model = load_settings(root / layout.SETTINGS).model
    _require_code(root, tree, model)
    if model.onnx is not None:
        _require_file(tree, posixpath.normpath(model.onnx))


def own_code(root: Path, model: Model) -> dict[str, str]:
    """Return the top-level packages and modules under the root that the settings name.

    Args:
        root: The project's root, from which stages import.
        model: The section `model` of the settings.

    Returns:
        The key of the settings that names it, by path: `mypkg` or `mypkg.py`.
    """
    named = [("factory", model.factory), ("estimator", model.estimator)]
    named += [("trusted_types", name) for name in model.trusted_types]
    found: dict[str, str] = {}
    for key, name in named:
        top = re.split("[.:]", name)[0] if name else ""
        for path in (top, f"{top}.py") if top else ():
            if (root / path).exists():
                found.setdefault(path, f"model.{key}")
    return found


def _require_code(root: Path, tree: Tree, model: Model) -> None:
    train = stages_of(tree).get("train")
    needed = frozenset(Reader(tree).dependencies(train)) if train else frozenset()
    for path, key in own_code(root, model).items():
        if train and not within(path, needed):
            raise ConfigError(
                f"{layout.PIPELINE}: the stage train does not depend on {path}, which {key} "
                "names; a change of it would not be seen",
                hint=f"add `- {path}` to its deps, and to those of {_and(MODEL_STAGES[1:])}",
            )


def _require_file(tree: Tree, path: str) -> None:
    """See that the file of a model is an input of training, and comes from somewhere."""
    stages, reader = stages_of(tree), Reader(tree)
    train = stages.get("train")
    if train and not within(path, frozenset(reader.dependencies(train))):
        raise ConfigError(
            f"{layout.PIPELINE}: the stage train does not depend on {path}, which model.onnx "
            "names; a change of it would not be seen",
            hint=f"add `- {path}` to its deps",
        )
    made = frozenset(out for stage in stages.values() for out in reader.outputs(stage))
    if not within(path, made) and not is_tracked(tree, path):
        raise ConfigError(
            f"model.onnx names {path}, which no stage of {layout.PIPELINE} makes and neither Git "
            "nor DVC tracks",
            hint=f"add `- {path}` to the outs of the stage that makes it, or `git add {path}`, or "
            f"`dvc add {path}`",
        )


def _require_sections(tree: Tree) -> None:
    missing = _missing(tree)
    if missing:
        said = [f"{path} has no {_and(keys)}" for path, keys in missing.items()]
        raise ConfigError(
            f"{'; '.join(said)}, which the params of {layout.PIPELINE} name", hint=_to_add(missing)
        )


def _missing(tree: Tree) -> dict[str, tuple[str, ...]]:
    """Return the parameters that stages name and no file has, sorted, by file."""
    stages, reader = stages_of(tree), Reader(tree)
    made = {path for stage in stages.values() for path in reader.outputs(stage)}
    for stage in stages.values():
        reader.note_parameters(stage, made)
    return {path: tuple(sorted(keys)) for path, keys in sorted(reader.missing.items())}


def _to_add(missing: Mapping[str, tuple[str, ...]]) -> str:
    sections = [key for key in missing.get(layout.SETTINGS, ()) if key in Settings.model_fields]
    lines = _and([f"`{section}: {{}}`" for section in sections])
    if sum(map(len, missing.values())) == len(sections):
        return f"add to {layout.SETTINGS}, a line each: {lines}; they keep their defaults"
    return f"add them with their values, or take them out of the params of {layout.PIPELINE}"


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1] if names else ""]))
