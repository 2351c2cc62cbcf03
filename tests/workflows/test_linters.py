"""The linters find nothing, in this repository's workflows, those that `init` writes, the README's.

Three exceptions in all; each stands beside its reason, and is tried without.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from workflows.yaml_policy import ROOT, File, callers, examples, own

BIN = Path(sys.executable).parent
CONFIG = ".github/actionlint.yaml"
IGNORED = YAML(typ="safe").load((ROOT / CONFIG).read_text())["paths"][".github/workflows/*.yml"][
    "ignore"
]
# zizmor's, of the workflow that follows a pull request's, and of its caller.
FOLLOWS = " # zizmor: ignore[dangerous-triggers] runs nothing of the pull request"
GROUPS: dict[str, Callable[[], Iterable[File]]] = {
    "ours": lambda: own().files,
    "init": callers,
    "README": examples,
}


def _written(folder: Path, group: str) -> Path:
    """Write the files of a group as a repository's; ours with the linters' settings."""
    (folder / ".git").mkdir()
    files = list(GROUPS[group]())
    assert files
    for file in files:
        path = folder / file.path.rpartition(":")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text)
    if group == "ours":
        shutil.copy(ROOT / CONFIG, folder / CONFIG)
    return folder


def _changed(folder: Path, path: str, old: str, new: str) -> None:
    text = (folder / path).read_text()
    assert text.count(old) == 1
    (folder / path).write_text(text.replace(old, new))


# --- the three tools; each returns what it complains of ----------------------------------------


def zizmor(folder: Path) -> str:
    options = ("--offline", "--persona", "pedantic", "--no-progress", "--quiet")
    return _said([BIN / "zizmor", *options, "."], folder)


def schemas(folder: Path) -> str:
    said = ""
    for schema, files in (
        ("vendor.github-workflows", folder.glob(".github/workflows/*.yml")),
        ("vendor.github-actions", folder.glob(".github/actions/*/action.yml")),
    ):
        if found := sorted(files):
            said += _said([BIN / "check-jsonschema", "--builtin-schema", schema, *found], folder)
    return said


def actionlint(folder: Path) -> str:
    places = shutil.which("actionlint"), shutil.which("actionlint", path=Path.home() / "go/bin")
    program = next(filter(None, places), None)
    if program is None:
        pytest.skip("actionlint is not installed: go install "
                    "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12")  # fmt: skip
    return _said([program, "-no-color"], folder)


def _said(command: list[str | Path], folder: Path) -> str:
    """Return what a linter prints if it complains; empty if it does not."""
    ended = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    return (ended.stdout + ended.stderr or "it failed") if ended.returncode else ""


# --- they find nothing ------------------------------------------------------------------------


# The README need not show any.
@pytest.mark.parametrize("group", [name for name in GROUPS if name != "README" or any(examples())])
@pytest.mark.parametrize("tool", [zizmor, schemas, actionlint])
def test_nothing_is_found(tool: Callable[[Path], str], group: str, tmp_path: Path) -> None:
    assert tool(_written(tmp_path, group)) == ""


@pytest.mark.parametrize(
    ("tool", "old", "new", "finding"),
    [
        (zizmor, "permissions: {}", "permissions: write-all", "excessive-permissions"),
        (schemas, "timeout-minutes", "timeout-minute", "timeout-minute"),
        (schemas, "queue: max", "queue: most", "queue"),
        (actionlint, "secrets.MERGELINE_TOKEN", "secrets.MERGELINE_KEY", "mergeline_key"),
    ],
)
def test_each_finds_what_is_wrong(
    tool: Callable[[Path], str], old: str, new: str, finding: str, tmp_path: Path
) -> None:
    ours = _written(tmp_path, "ours")
    _changed(ours, ".github/workflows/comment.yml", old, new)
    assert finding in tool(ours)


# --- the exceptions ---------------------------------------------------------------------------


def test_there_are_three_exceptions() -> None:
    texts = [file.text for group in GROUPS.values() for file in group()]
    inline = {text for each in texts for text in re.findall(r" # zizmor: ignore.*", each)}
    assert inline == {FOLLOWS}
    assert len(inline) + len(IGNORED) == 3
    settings = [path.name for path in ROOT.glob(".github/*.y*ml")]
    assert settings == ["actionlint.yaml"]
    assert not list(ROOT.glob("*zizmor.y*ml"))
    assert not [text for text in texts if re.search(r"shellcheck disable|pyflakes|noqa", text)]


@pytest.mark.parametrize("group", ["ours", "init"])
def test_zizmor_still_minds_what_follows_a_pull_request(group: str, tmp_path: Path) -> None:
    folder = _written(tmp_path, group)
    _changed(folder, ".github/workflows/comment.yml", FOLLOWS, "")
    assert "dangerous-triggers" in zizmor(folder)


@pytest.mark.parametrize("pattern", IGNORED)
def test_actionlint_still_does_not_know_it(pattern: str, tmp_path: Path) -> None:
    folder = _written(tmp_path, "ours")
    _changed(folder, CONFIG, f"- {pattern}", f"- not {pattern}")
    complaints = re.findall(r"^\S+:\d+:\d+: (.*) \[[a-z-]+\]$", actionlint(folder), re.MULTILINE)
    assert complaints
    assert [said for said in complaints if not re.search(pattern, said)] == []
