"""I: what changes it, what does not, and what it refuses to cover."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mergeline.adapters.git import Git
from mergeline.errors import ConfigError
from mergeline.inputs.digest import inputs_digest, pins, working_inputs
from mergeline.inputs.trees import CommitTree, WorkingTree
from toys import run

PIPELINE = """stages:
  prepare:
    cmd: python -m code prepare ${data.source}
    deps: ["${data.source}", code, requirements/main.txt]
    params: [data, split.test]
    outs: [out/table.txt]
  train:
    cmd: python -m code train
    deps: [out/table.txt, code]
    params: [model, other.toml: [seed]]
    outs: [out/model]
    metrics: [out/metrics.json: {cache: false}]
"""
FILES = {
    "dvc.yaml": PIPELINE,
    "params.yaml": "data: {source: data/a.csv}\nsplit: {test: 0.2, after: 2026-01-01}\n"
    "model: {depth: 3}\ngates: {}\n",
    "other.toml": "seed = 1\nunread = 2\n",
    "data/a.csv": "1,2\n",
    "code/__init__.py": "x = 1\n",
    "code/deep/more.py": "y = 1\n",
    "code/__pycache__/x.pyc": "1",
    "requirements/main.txt": "a==1\n",
    "README.md": "words\n",
}
Digest = Callable[[Mapping[str, str | None]], str]

AUTHOR = ("-c", "user.name=Ada", "-c", "user.email=ada@example.invalid")


@pytest.fixture
def repository(tmp_path: Path) -> Git:
    run(tmp_path, "git", "init", "-q", "-b", "main")
    return Git(tmp_path)


def write(git: Git, files: Mapping[str, str | None]) -> None:
    for name, text in files.items():
        path = git.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(text)


@pytest.fixture
def digest(repository: Git) -> Digest:
    """Commit the usual files with some of them changed (None: left out); return I."""

    def commit(changed: Mapping[str, str | None]) -> str:
        write(repository, FILES)
        write(repository, changed)
        run(repository.root, "git", "add", "-A", "--force")
        run(repository.root, "git", *AUTHOR, "commit", "-q", "--allow-empty", "-m", "files")
        return inputs_digest(repository, repository.head())

    return commit


@pytest.mark.parametrize(
    "changed",
    [
        {"data/a.csv": "1,3\n"},
        {"code/deep/more.py": "y = 2\n"},
        {"code/new.py": ""},
        {"code/deep/more.py": None, "code/deep/moved.py": "y = 1\n"},
        {"requirements/main.txt": "a==2\n"},
        {"dvc.yaml": PIPELINE.replace("code train", "code train --fast")},
        {"dvc.yaml": PIPELINE.replace("{cache: false}", "{cache: true}")},
        {"params.yaml": FILES["params.yaml"].replace("test: 0.2", "test: 0.3")},
        {"params.yaml": FILES["params.yaml"].replace("depth: 3", "depth: 3, deeper: null")},
        {"params.yaml": FILES["params.yaml"].replace("a.csv", "b.csv"), "data/b.csv": "1,2\n"},
        {"other.toml": "seed = 2\nunread = 2\n"},
    ],
    ids=lambda changed: next(iter(changed)) + f"-{len(str(changed))}",
)
def test_what_stages_read_changes_it(digest: Digest, changed: Mapping[str, str | None]) -> None:
    assert digest({}) != digest(changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"README.md": "other words\n"},
        {"dvc.lock": "schema: '2.0'\n"},
        {"out/table.txt": "made\n", "out/model/weights": "made\n"},
        {"code/__pycache__/x.pyc": "2"},
        {"params.yaml": FILES["params.yaml"].replace("gates: {}", "gates: {a: {at_least: 1}}")},
        {"params.yaml": FILES["params.yaml"] + "card: {summary: other words}\n"},
        {"params.yaml": FILES["params.yaml"].replace("after: 2026-01-01", "after: 2027-01-01")},
        {"params.yaml": "# words\n" + FILES["params.yaml"].replace("0.2", "0.20")},
        {"other.toml": "unread = 3\nseed = 1\n"},
        {"dvc.yaml": PIPELINE + "plots: [out/metrics.json]\n"},
    ],
    ids=lambda changed: next(iter(changed)) + f"-{len(str(changed))}",
)
def test_what_no_stage_reads_does_not(digest: Digest, changed: Mapping[str, str | None]) -> None:
    assert digest({}) == digest(changed)


@pytest.mark.parametrize("pointer", ["data/a.csv.dvc", "data.dvc"])
def test_a_pointer_stands_for_its_data(digest: Digest, repository: Git, pointer: str) -> None:
    first = digest({"data/a.csv": None, pointer: "outs:\n- md5: 11\n"})
    second = digest({"data/a.csv": None, pointer: "outs:\n- md5: 22\n"})
    assert first != second
    (repository.root / ".gitignore").write_text("/data/a.csv\n")
    (repository.root / "data").mkdir(exist_ok=True)
    (repository.root / "data/a.csv").write_text("the data itself, which Git does not see")
    assert working_inputs(repository.root, repository) == second


def test_the_working_tree_is_as_if_committed(digest: Digest, repository: Git) -> None:
    clean = digest({})
    root = repository.root
    assert working_inputs(root, repository) == clean
    (root / "code/new.py").write_text("z = 1\n")
    (root / "README.md").write_text("other\n")
    dirty = working_inputs(root, repository)
    assert dirty != clean
    assert digest({"code/new.py": "z = 1\n"}) == dirty
    (root / "data/a.csv").unlink()
    with pytest.raises(ConfigError, match=r"the dependency data/a\.csv is neither"):
        working_inputs(root, repository)


def test_a_stage_in_a_folder_reads_what_lies_there(digest: Digest) -> None:
    pipeline = (
        "stages:\n  a:\n    wdir: sub\n    cmd: x\n    deps: [in.txt, ../code]\n"
        "    params: [k, whole.json: null]\n    outs: [out.txt]\n"
        "  b:\n    cmd: x\n    deps: [sub/out.txt]\n    outs: [b.txt]\n"
    )
    files = {
        "dvc.yaml": pipeline,
        "sub/in.txt": "1",
        "sub/params.yaml": "k: 1\n",
        "sub/whole.json": "{}",
    }
    first = digest(files)
    for name, text in {
        "sub/in.txt": "2",
        "sub/params.yaml": "k: 2\n",
        "sub/whole.json": "[]",
    }.items():
        assert digest({**files, name: text}) != first
    assert digest({**files, "params.yaml": "k: 3\n"}) == first


def test_the_inputs_of_a_dependency_that_holds_outputs(digest: Digest) -> None:
    pipeline = PIPELINE.replace("deps: [out/table.txt, code]", "deps: [out, code]")
    files = {"dvc.yaml": pipeline, "out/by_hand.txt": "1"}
    assert digest(files) == digest({**files, "out/model/weights": "made"})
    assert digest(files) != digest({**files, "out/by_hand.txt": "2"})


def test_one_key_of_a_file_is_a_key_not_its_letters(digest: Digest) -> None:
    pipeline = PIPELINE.replace("other.toml: [seed]", "other.toml: seed")
    assert digest({"dvc.yaml": pipeline}) != digest(
        {"dvc.yaml": pipeline, "other.toml": "seed = 2\n"}
    )


def test_a_number_too_long_for_a_place_is_a_key_that_is_not_there(digest: Digest) -> None:
    pipeline = PIPELINE.replace("split.test]", f"split.list.{'9' * 5000}]")
    settings = FILES["params.yaml"].replace("test: 0.2", "test: 0.2, list: [1]")
    assert digest({"dvc.yaml": pipeline, "params.yaml": settings})


def wrong(text: str) -> dict[str, str | None]:
    return {"dvc.yaml": PIPELINE + text}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data/a.csv": None}, r"dependency data/a\.csv is neither committed nor has a \.dvc"),
        ({"dvc.yaml": None}, r"dvc\.yaml is not committed"),
        ({"params.yaml": None}, r"params\.yaml is not committed"),
        ({"dvc.yaml": "stages: [a]\n"}, r"dvc\.yaml: stages: is missing or is not a mapping"),
        ({"dvc.yaml": "stages: {a: [b}\n"}, r"dvc\.yaml:1"),
        ({"params.yaml": "data: {source: .nan}\n"}, r"params\.yaml: data\.source: found nan"),
        ({"other.toml": "seed = \n"}, r"other\.toml cannot be read"),
        (
            {"other.toml": f"seed = 0x{'f' * 9_999}\n"},
            r"seed: found a number of more than 1024 bits",
        ),
        ({"other.toml": f"seed = 1 # {'x' * 2**22}\n"}, r"other\.toml has over 4,194,304 bytes"),
        (wrong("vars: [{a: 1}]\n"), "Mergeline does not support vars:"),
        (wrong("  c: {foreach: [1], do: {cmd: x}}\n"), "c: Mergeline does not support foreach:"),
        (wrong("  c: {matrix: {a: [1]}, cmd: x}\n"), "c: Mergeline does not support matrix:"),
        (wrong("  c: {cmd: '${no.such}'}\n"), r"\$\{no\.such\} is not in params\.yaml"),
        (wrong("  c: {cmd: x, deps: ['s3://b/c']}\n"), "s3://b/c is outside of the repository"),
        (wrong("  c: {cmd: x, deps: [../c]}\n"), r"\.\./c is outside of the repository"),
        (wrong("  c: {cmd: x, deps: code}\n"), "deps: is not a list"),
        (wrong("  c: {cmd: x, params: ['model.*']}\n"), "is a pattern, expected a name"),
        (wrong("  c: {cmd: x, params: [other.toml: {a: 1}]}\n"), "keys of a file are not a list"),
        (wrong('  c: {cmd: "\\ud800"}\n'), "half a character"),
        ({"other.toml": f"seed = {'[' * 10_000}\n"}, r"other\.toml cannot be read: .*recursion"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_it_cannot_cover_is_refused(
    digest: Digest, changed: Mapping[str, str | None], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        digest(changed)


def test_a_link_is_refused_in_both_trees(digest: Digest, repository: Git) -> None:
    digest({})
    (repository.root / "code/link.py").symlink_to("../README.md")
    with pytest.raises(ConfigError, match=r"code/link\.py is a link or a submodule"):
        working_inputs(repository.root, repository)
    with pytest.raises(ConfigError, match=r"code/link\.py is a link or a submodule"):
        digest({})


def test_an_escaped_template_is_text(digest: Digest) -> None:
    assert digest(wrong("  c: {cmd: 'echo \\${HOME}'}\n"))


def test_pins_are_the_requirement_files_that_stages_depend_on(
    digest: Digest, repository: Git
) -> None:
    extra = wrong("  c: {cmd: x, deps: [requirements-extra.txt, README.md, code]}\n")
    digest({**extra, "requirements-extra.txt": "b==1\n", "requirements/dev.txt": "c==1\n"})
    for tree in (CommitTree(repository, "HEAD"), WorkingTree(repository.root, repository)):
        assert pins(tree) == {
            "requirements-extra.txt": b"b==1\n",
            "requirements/main.txt": b"a==1\n",
        }


def test_it_needs_no_dvc() -> None:
    code = "import sys, mergeline.inputs.digest; sys.exit('dvc' in sys.modules)"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, check=False, env=dict(os.environ)).returncode == 0
