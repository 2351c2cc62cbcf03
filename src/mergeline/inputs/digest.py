"""I: the digest of what decides the stages' inputs, from committed files alone.

It covers the stages of `dvc.yaml`, the parameters that they read, and the bytes (or the
`.dvc` pointer) of every dependency that no stage makes. No DVC, no checkout: whoever has
the commit can compute it again.
"""

import json
import posixpath
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mergeline.adapters.git import Git
from mergeline.config.document import plain, read_document
from mergeline.config.problem import dotted, printable
from mergeline.core import layout
from mergeline.core.digest import json_digest, sha256, tree_digest
from mergeline.errors import ConfigError, first_line
from mergeline.inputs.trees import CommitTree, Tree, WorkingTree

_TEMPLATE = re.compile(r"(?<!\\)\$\{\s*([^}]*?)\s*\}")
_UNSUPPORTED = {"foreach", "matrix", "vars"}
_LONGEST = 4 * 1024 * 1024  # of a file that parameters are read from
_PLACE = re.compile("[0-9]{1,9}")  # in a list


def inputs_digest(git: Git, commit: str) -> str:
    """Return I of a commit.

    Raises:
        ConfigError: `dvc.yaml` is missing, is not right, or says something that the
            digest cannot cover.
    """
    return digest_of(CommitTree(git, commit))


def working_inputs(root: Path, git: Git) -> str:
    """Return what I would be if the working tree were committed as it is.

    Raises:
        ConfigError: As for `inputs_digest`.
    """
    return digest_of(WorkingTree(root, git))


def digest_of(tree: Tree) -> str:
    """Return I of a tree.

    Raises:
        ConfigError: As for `inputs_digest`.
    """
    stages, reader = stages_of(tree), Reader(tree)
    made = {path for stage in stages.values() for path in reader.outputs(stage)}
    needed = {path for stage in stages.values() for path in reader.dependencies(stage)}
    for stage in stages.values():
        reader.note_parameters(stage, made)
    sources = [path for path in sorted(needed) if not within(path, made)]
    found = {source: _find(tree.paths, source, made) for source in sources}
    data = tree.read(path for _, files in found.values() for path in files)
    shas = {path: sha256(content) for path, content in data.items()}
    return json_digest(
        {
            "stages": _plain(stages, layout.PIPELINE),
            "parameters": reader.parameters,
            "dependencies": {
                source: [kind, tree_digest((path, shas[path]) for path in files)]
                for source, (kind, files) in found.items()
            },
        }
    )


def output_paths(tree: Tree) -> tuple[str, ...]:
    """Return the paths that the stages make.

    Raises:
        ConfigError: As for `inputs_digest`.
    """
    stages, reader = stages_of(tree), Reader(tree)
    paths = {path for stage in stages.values() for path in reader.outputs(stage)}
    return tuple(sorted(paths))


def pins(tree: Tree) -> dict[str, bytes]:
    """Return the pins that the stages depend on, by path.

    Pins are requirement files: under `requirements/`, or named `requirements*.txt`.

    Raises:
        ConfigError: As for `inputs_digest`.
    """
    stages, reader = stages_of(tree), Reader(tree)
    needed = {path for stage in stages.values() for path in reader.dependencies(stage)}
    return tree.read(path for path in tree.paths if is_pin(path) and within(path, needed))


def is_pin(path: str) -> bool:
    """Return whether a path is a requirement file: what steers the environment of a build."""
    folder, name = posixpath.split(path)
    return "requirements" in folder.split("/") or bool(re.fullmatch(r"requirements.*\.txt", name))


def stages_of(tree: Tree) -> dict[str, dict[str, Any]]:
    """Return the stages of a tree's `dvc.yaml` as they are written.

    Raises:
        ConfigError: It is missing, is not right, or uses what the digest cannot cover.
    """
    document = _load(tree, layout.PIPELINE)
    stages = document.get("stages")
    if not isinstance(stages, dict) or not all(isinstance(s, dict) for s in stages.values()):
        raise _wrong("stages: is missing or is not a mapping")
    for where, part in [("", document), *((f"{name}: ", part) for name, part in stages.items())]:
        for key in _UNSUPPORTED & part.keys():
            raise _wrong(f"{where}Mergeline does not support {key}:")
    return stages


def _find(paths: Sequence[str], source: str, made: Set[str]) -> tuple[str, list[str]]:
    """Return what stands in the tree for a dependency: itself, its pointer, or its files."""
    here = frozenset(paths)
    if source in here:
        return "file", [source]
    pointers = [f"{path}.dvc" for path in _upwards(source) if f"{path}.dvc" in here]
    if f"{source}.dvc" in pointers:
        return "pointer", pointers[:1]
    inside = [path for path in paths if path.startswith(f"{source}/") and not within(path, made)]
    files = [path for path in inside if "__pycache__" not in path.split("/")]
    if files:
        return "folder", files
    if pointers:
        return "pointer", pointers[:1]
    raise ConfigError(
        f"{layout.PIPELINE}: the dependency {source} is neither committed nor has a .dvc pointer",
        hint=f"`git add {source}`, or for large data `dvc add {source}` and commit {source}.dvc",
    )


def is_tracked(tree: Tree, path: str) -> bool:
    """Return whether a tree holds a path, or a `.dvc` pointer to it or to a folder around it."""
    places = {path, *(f"{place}.dvc" for place in _upwards(path))}
    return not places.isdisjoint(tree.paths)


def _upwards(path: str) -> list[str]:
    """Return a path and the folders that it is in, the nearest first."""
    steps = path.split("/")
    return ["/".join(steps[:end]) for end in range(len(steps), 0, -1)]


def within(path: str, places: Set[str]) -> bool:
    """Return whether a path, or a folder that it is in, is one of the places."""
    return not places.isdisjoint(_upwards(path))


# --- dvc.yaml and parameter files --------------------------------------------------


@dataclass
class Reader:
    """Reads what stages say, and keeps the parameters that they read on the way.

    Attributes:
        parameters: By file and key; the key is empty for a whole file.
        missing: Keys that are not there, by file.
    """

    tree: Tree
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: dict[str, set[str]] = field(default_factory=dict)
    _loaded: dict[str, Any] = field(default_factory=dict)

    def outputs(self, stage: Mapping[str, Any]) -> list[str]:
        """Return the paths that a stage makes."""
        return [
            self._path(stage, name)
            for key in ("outs", "metrics", "plots")
            for item in _items(stage, key)
            for name in (item if isinstance(item, dict) else [item])
        ]

    def dependencies(self, stage: Mapping[str, Any]) -> list[str]:
        """Return the paths that a stage reads."""
        paths = [self._path(stage, name) for name in _items(stage, "deps")]
        for path in paths:
            if "://" in path or path.startswith(("/", "../")):
                raise _wrong(f"the dependency {path} is outside of the repository")
        return paths

    def note_parameters(self, stage: Mapping[str, Any], made: Set[str]) -> None:
        """Keep the parameters that a stage names, and those in its templates."""
        for text in _texts(stage):
            self._filled(text)
        for item in _items(stage, "params"):
            wanted = item if isinstance(item, dict) else {layout.SETTINGS: [item]}
            for name, keys in wanted.items():
                path = self._path(stage, name)
                if not within(path, made):
                    self._note(path, [self._filled(str(key)) for key in _keys(keys)])

    def _path(self, stage: Mapping[str, Any], name: object) -> str:
        path = self._filled(str(name))
        if "://" in path:
            return path
        folder = self._filled(str(stage.get("wdir") or "."))
        return posixpath.normpath(posixpath.join(folder, path))

    def _filled(self, text: str) -> str:
        """Fill in `${key}` from `params.yaml`."""

        def value_of(match: re.Match[str]) -> str:
            key = match[1].replace("[", ".").replace("]", "")
            if not self._note(layout.SETTINGS, [key]):
                raise _wrong(f"{match[0]} is not in {layout.SETTINGS}")
            return str(self.parameters[layout.SETTINGS][key])

        return _TEMPLATE.sub(value_of, text)

    def _note(self, path: str, keys: Iterable[str]) -> bool:
        """Keep values; say whether the last key is there."""
        if path not in self._loaded:
            self._loaded[path] = _load(self.tree, path)
        has_keys = isinstance(self._loaded[path], dict)
        there = False
        for key in keys if has_keys else [""]:
            if set("*?[]") & set(key):
                raise _wrong(f"the parameter {key} is a pattern, expected a name")
            there, value = _lookup(self._loaded[path], key)
            if there:
                self.parameters.setdefault(path, {})[key] = value
            else:
                self.missing.setdefault(path, set()).add(key)
        return there


def _lookup(value: Any, key: str) -> tuple[bool, Any]:
    for step in key.split(".") if key else ():
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and _PLACE.fullmatch(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            return False, None
    return True, value


def _items(stage: Mapping[str, Any], key: str) -> list[Any]:
    items = stage.get(key) or []
    if not isinstance(items, list):
        raise _wrong(f"{key}: is not a list")
    return items


def _keys(keys: Any) -> list[Any]:
    """Return the keys that a stage reads of a file: all of it, one, or a list of them."""
    if isinstance(keys, dict):
        raise _wrong("params: the keys of a file are not a list")
    return keys or [""] if isinstance(keys, list | None) else [keys]


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _load(tree: Tree, path: str) -> Any:
    """Return what a YAML, JSON or TOML file says; of another file the SHA-256."""
    if path not in tree.paths:
        raise ConfigError(f"{path} is not committed", hint=f"`git add {path}`")
    data = tree.read([path])[path]
    if len(data) > _LONGEST and path.endswith((".json", ".toml")):
        raise ConfigError(f"{path} has over {_LONGEST:,} bytes", hint="data belongs to deps:")
    try:
        match posixpath.splitext(path)[1]:
            case ".yaml" | ".yml":
                return _plain(read_document(data.decode("utf-8-sig"), origin=path).data, path)
            case ".json":
                return _plain(json.loads(data), path)
            case ".toml":
                return _plain(tomllib.loads(data.decode()), path)
            case _:
                return sha256(data)
    except (ValueError, RecursionError) as error:
        problem = printable(first_line(error))
        raise ConfigError(f"{path} cannot be read: {problem}", hint="correct the file") from error


def _plain(value: Any, origin: str) -> Any:
    result, problems = plain(value, ())
    if problems:
        key = dotted(problems[0].path)
        raise ConfigError(f"{origin}: {key}: {problems[0].text}", hint="correct the file")
    return result


def _wrong(message: str) -> ConfigError:
    return ConfigError(f"{layout.PIPELINE}: {message}", hint="write it as the example does")
