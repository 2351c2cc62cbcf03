"""A store, opened: where it is, who makes it, and what its errors say."""

import subprocess
import sys

import pytest

from mergeline.adapters.mlflow_store import experiment_of, open_store, reporting, sqlite_path
from mergeline.errors import RegistryUnavailable

MAKE = """
import sys
from pathlib import Path
import mlflow.tracking
from mergeline.adapters.mlflow_store import experiment_of, open_store, reporting
from mergeline.errors import ToolError

root, name = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
with reporting("a store", ToolError, "a hint"):
    store = open_store(Path(root), "sqlite:///.mergeline/x.db", "files")
    experiment_of(store, name)
    experiment_of(store, "shared")
"""


def test_of_two_that_make_a_store_none_loses_what_it_wrote(tmp_path, plain_environment):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MAKE, tmp_path, name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in ("one", "two")
    ]  # fmt: skip
    try:
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.wait(timeout=120) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    store = open_store(tmp_path, "sqlite:///.mergeline/x.db", "files")
    found = [item.name for item in store.client.search_experiments()]
    assert sorted(found) == ["Default", "one", "shared", "two"]
    assert [path.name for path in (tmp_path / ".mergeline").iterdir()] == ["x.db"]


def test_where_artifacts_go_is_known_of_a_file_only(tmp_path, plain_environment):
    store = open_store(tmp_path, "sqlite:///deep/x.db", "files")
    assert store.artifacts == (tmp_path / "deep/files").as_uri()
    assert store.embedded
    elsewhere = open_store(tmp_path, f"sqlite:///{tmp_path}/deep/x.db", "files")
    assert (elsewhere.artifacts, elsewhere.embedded) == (store.artifacts, False)
    server = open_store(tmp_path, "http://127.0.0.1:1", "files")
    assert (server.artifacts, server.embedded) == (None, False)
    number = experiment_of(store, "p")
    assert store.client.get_experiment(number).artifact_location == store.artifacts
    assert experiment_of(store, "p") == number


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("sqlite:///a/b.db", "/project/a/b.db"),
        ("sqlite:////a/b.db?timeout=3", "/a/b.db"),
        ("sqlite://", None),
        ("sqlite:///:memory:", None),
        ("http:///x", None),
        ("x", None),
    ],
)
def test_the_file_of_a_store(uri, path, tmp_path):
    found = sqlite_path(tmp_path, uri)
    expected = None if path is None else path.replace("/project", str(tmp_path.resolve()))
    assert (None if found is None else str(found)) == expected


def test_an_error_is_of_the_kind_that_was_asked_for(plain_environment):
    with (
        pytest.raises(RegistryUnavailable, match="at http://h cannot be used: KeyError") as caught,
        reporting("http://me:sEcrEt@h", RegistryUnavailable, "what to do"),
    ):
        raise KeyError("files")
    assert caught.value.hint == "what to do"
