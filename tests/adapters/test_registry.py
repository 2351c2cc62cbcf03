"""The registry against real MLflow: a SQLite file, and a server on PostgreSQL."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mergeline.adapters.registry import Registry, registry_uri
from mergeline.adapters.registry_files import MOST_FILES, files_digest
from mergeline.errors import ConfigError, RegistryMismatch, RegistryUnavailable, ToolError
from registries import Place

KEY, OTHER = "5e" * 32, "07" * 32
FILES = {
    "model/MLmodel": b'{"flavors": {}}',
    "model/model.skops": bytes(range(256)) * 300,
    "probes.json": b"[]",
    "evidence/train.json": b'{"stage": "train"}',
    "evidence/verdict.json": b"{}",
    "card.md": "# größe\n".encode(),
}
TAGS = {"mergeline.inputs": "11" * 32, "mergeline.model": "33" * 32, "mergeline.commit": "c0" * 20}


def numbers(versions):
    return [version.number for version in versions]


def read(paths):
    return {name: path.read_bytes() for name, path in paths.items()}


def raw(registry):
    """MLflow's own client of the same registry."""
    return registry._store.client


# --- every registry ------------------------------------------------------------------


def test_an_empty_registry_has_nothing(place):
    registry = place.registry()
    assert registry.find(KEY) == ()
    assert registry.versions() == ()
    assert registry.version("1") is None
    assert registry.aliases() == {}
    registry.delete("1")
    registry.delete_alias("champion")


def test_a_version_is_found_with_all_its_tags(place):
    registry = place.registry()
    made = registry.create(KEY, FILES, TAGS)
    assert (made.number, made.key) == ("1", KEY)
    named = {"mergeline.project": registry.project, "mergeline.key": KEY}
    assert made.tags == TAGS | named
    assert made.digest == files_digest(FILES)
    # Another process, which made nothing, sees the same.
    again = place.registry(registry.project)
    assert again.find(KEY) == again.versions() == (made,)
    assert again.version("1") == made
    assert again.find(OTHER) == ()
    assert place.registry().find(KEY) == ()


@pytest.mark.parametrize("number", ["", "0", "2", "01", "-1", "1.0", "x", "1 OR 1", "9" * 30])
def test_a_number_that_is_none_is_no_version(embedded, number):
    registry = embedded.registry("numbers")
    if not registry.versions():
        registry.create(KEY, FILES, TAGS)
    assert registry.version(number) is None


def test_a_version_is_read_back_whole(place, tmp_path):
    registry = place.registry()
    made = registry.create(KEY, FILES, TAGS)
    paths = registry.download(made.number, tmp_path / "to/release")
    assert read(paths) == FILES
    assert paths["model/MLmodel"] == tmp_path / "to/release/model/MLmodel"
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["release"]


def test_mlflows_own_tools_find_the_model(place, tmp_path, monkeypatch):
    from mlflow.artifacts import download_artifacts

    registry = place.registry()
    registry.create(KEY, FILES, TAGS)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", raw(registry).tracking_uri)
    folder = Path(download_artifacts(f"models:/{registry.project}/1", dst_path=str(tmp_path)))
    for name in ("MLmodel", "model.skops"):
        assert (folder / name).read_bytes() == FILES[f"model/{name}"]


def test_a_key_has_one_run_whatever_is_registered(place):
    registry = place.registry()
    first = registry.create(KEY, FILES, TAGS)
    second = registry.create(KEY, FILES, TAGS)
    other = registry.create(OTHER, FILES, TAGS)
    assert first.run == second.run != other.run
    assert first.source == second.source
    assert numbers(registry.find(KEY)) == ["1", "2"]
    assert numbers(registry.versions()) == ["1", "2", "3"]
    run = raw(registry).get_run(first.run)
    assert run.info.status == "FINISHED"
    assert run.data.tags["mergeline.key"] == KEY


def test_an_attempt_with_other_bytes_leaves_the_first_as_it_was(place, tmp_path):
    registry = place.registry()
    registry.create(KEY, FILES, TAGS)
    changed = FILES | {"card.md": b"# another\n"}
    registry.create(KEY, changed, TAGS)
    assert read(registry.download("1", tmp_path / "1")) == FILES
    assert read(registry.download("2", tmp_path / "2")) == changed


def test_a_deleted_version_is_gone_with_its_alias(place):
    registry = place.registry()
    for _ in range(3):
        registry.create(KEY, FILES, TAGS)
    registry.set_alias("champion", "1")
    registry.set_alias("previous", "2")
    registry.delete("1")
    registry.delete("1")
    assert numbers(registry.find(KEY)) == ["2", "3"]
    assert registry.version("1") is None
    assert registry.aliases() == {"previous": "2"}
    assert registry.create(KEY, FILES, TAGS).number == "4"


def test_aliases_are_set_moved_and_removed(place):
    registry = place.registry()
    registry.create(KEY, FILES, TAGS)
    registry.create(OTHER, FILES, TAGS)
    registry.set_alias("champion", "1")
    registry.set_alias("champion", "2")
    assert registry.aliases() == {"champion": "2"}
    registry.delete_alias("champion")
    registry.delete_alias("champion")
    assert registry.aliases() == {}
    with pytest.raises(RegistryUnavailable, match="version=9"):
        registry.set_alias("champion", "9")


def test_a_version_that_somebody_else_made_is_none_of_ours(place, tmp_path):
    registry = place.registry()
    registry.create(KEY, FILES, TAGS)
    foreign = raw(registry).create_model_version(registry.project, "s3://somewhere/model")
    assert numbers(registry.versions()) == ["1"]
    with pytest.raises(RegistryMismatch, match=r"no version of Mergeline's '2'"):
        registry.download(str(foreign.version), tmp_path / "x")
    with pytest.raises(RegistryMismatch, match=f"no version '3' of {registry.project}"):
        registry.download("3", tmp_path / "x")
    assert list(tmp_path.glob("*x*")) == []


def test_too_many_files_are_not_registered(place):
    registry = place.registry()
    many = {f"evidence/{number}.json": b"{}" for number in range(MOST_FILES + 1)}
    with pytest.raises(RegistryMismatch, match="101 files, expected at most 100"):
        registry.create(KEY, many, TAGS)
    assert registry.versions() == ()


# --- a SQLite file -------------------------------------------------------------------


def test_everything_lies_in_the_project(embedded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    registry = embedded.registry()
    made = registry.create(KEY, FILES, TAGS)
    state = embedded.root / ".mergeline"
    assert sorted(path.name for path in state.iterdir()) == ["registry", "registry.db"]
    assert (state / "registry" / made.run / "artifacts" / made.digest / "card.md").is_file()
    assert list(tmp_path.iterdir()) == []


def test_all_pages_are_read(embedded):
    registry = embedded.registry()
    made = registry.create(KEY, FILES, TAGS)
    for _ in range(204):
        raw(registry).create_model_version(registry.project, made.source, made.run, made.tags)
    assert numbers(registry.find(KEY)) == [str(number) for number in range(1, 206)]
    assert len(registry.versions()) == 205


def set_status(place, project, number, status):
    import sqlite3

    with sqlite3.connect(place.root / ".mergeline/registry.db") as base:
        base.execute(
            "UPDATE model_versions SET status = ? WHERE name = ? AND version = ?",
            (status, project, number),
        )


def test_a_version_that_failed_is_passed_over(embedded):
    registry = embedded.registry()
    registry.create(KEY, FILES, TAGS)
    registry.create(KEY, FILES, TAGS)
    set_status(embedded, registry.project, 1, "FAILED_REGISTRATION")
    assert numbers(registry.find(KEY)) == ["2"]
    assert registry.version("1") is None


def test_a_version_that_is_still_being_made_leaves_it_open(embedded):
    registry = embedded.registry()
    registry.create(KEY, FILES, TAGS)
    registry.create(KEY, FILES, TAGS)
    set_status(embedded, registry.project, 1, "PENDING_REGISTRATION")
    with pytest.raises(RegistryUnavailable, match=r"version 1 of .* is still being made"):
        registry.find(KEY)


def _stored(embedded, made):
    return embedded.root / ".mergeline/registry" / made.run / "artifacts" / made.digest


def _change_a_byte(folder):
    path = folder / "model/model.skops"
    path.write_bytes(b"\1" + path.read_bytes()[1:])


DAMAGE = {
    "a byte changed": _change_a_byte,
    "a file gone": lambda folder: (folder / "evidence/train.json").unlink(),
    "a file more": lambda folder: (folder / "model/code.py").write_text("import os"),
    "a file renamed": lambda folder: (folder / "card.md").rename(folder / "Card.md"),
    "all gone": shutil.rmtree,
    "too many": lambda folder: [(folder / f"{number}").touch() for number in range(100)],
    "endless folders": lambda folder: (folder / "/".join("x" * 101)).mkdir(parents=True),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_files_that_were_changed_are_not_handed_out(embedded, tmp_path, damage):
    registry = embedded.registry()
    made = registry.create(KEY, FILES, TAGS)
    DAMAGE[damage](_stored(embedded, made))
    with pytest.raises(RegistryMismatch, match="not what was registered"):
        registry.download("1", tmp_path / "release")
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_not_followed(embedded, tmp_path):
    registry = embedded.registry()
    made = registry.create(KEY, FILES, TAGS)
    path = _stored(embedded, made) / "probes.json"
    (tmp_path / "outside").write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(tmp_path / "outside")
    with pytest.raises(RegistryUnavailable):
        registry.download("1", tmp_path / "to/release")
    assert list((tmp_path / "to").iterdir()) == []


def test_a_moved_project_keeps_its_versions(tmp_path, plain_environment):
    before = Place("sqlite:///.mergeline/registry.db", tmp_path / "before")
    first = before.registry("moved").create(KEY, FILES, TAGS)
    shutil.move(before.root, tmp_path / "after")
    registry = Place(before.uri, tmp_path / "after").registry("moved")
    assert read(registry.download("1", tmp_path / "1")) == FILES
    second = registry.create(KEY, FILES, TAGS)
    assert second.run != first.run
    assert read(registry.download("2", tmp_path / "2")) == FILES
    assert not before.root.exists()


# --- a server ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "listed",
    [
        [{"path": "../../../../etc/hostname", "is_dir": False, "file_size": 9}],
        [{"path": "/etc/hostname", "is_dir": False, "file_size": 9}],
        [{"path": "a/../b", "is_dir": False, "file_size": 9}],
        [{"path": "..", "is_dir": True}],
        [{"path": "", "is_dir": True}],
        [{"path": "x\0", "is_dir": False, "file_size": 1}],
        [{"path": "big", "is_dir": False, "file_size": 3 * 1024**3}],
        [{"path": f"{n}", "is_dir": True} for n in range(101)],
        [{"path": "again", "is_dir": True}],
        [{"is_dir": False}],
        ["x"],
        "x",
    ],
)
def test_a_listing_is_not_believed(proxy, tmp_path, listed):
    registry = Place(proxy.uri, tmp_path).registry()
    registry.create(KEY, FILES, TAGS)
    lie = json.dumps({"files": listed}).encode()
    listing = "mlflow-artifacts/artifacts"
    proxy.change = lambda answer: (200, lie) if answer.path.endswith(listing) else None
    with pytest.raises(ToolError):
        registry.download("1", tmp_path / "to/release")
    assert list((tmp_path / "to").glob("**/*")) == []


def test_what_was_not_listed_at_first_is_refused(proxy, tmp_path):
    registry = Place(proxy.uri, tmp_path).registry()
    registry.create(KEY, FILES, TAGS)
    hidden = []

    def hide_one(answer):
        if not answer.path.endswith("mlflow-artifacts/artifacts") or hidden:
            return None
        hidden.append(answer)
        files = json.loads(answer.body)["files"]
        kept = [item for item in files if not item["path"].endswith("card.md")]
        assert len(kept) == len(files) - 1
        return 200, json.dumps({"files": kept}).encode()

    proxy.change = hide_one
    with pytest.raises(RegistryMismatch, match=r"'card.md' is not a file of 0 bytes"):
        registry.download("1", tmp_path / "release")
    assert list(tmp_path.iterdir()) == []


def test_a_file_longer_than_listed_is_refused(proxy, tmp_path):
    registry = Place(proxy.uri, tmp_path).registry()
    registry.create(KEY, FILES, TAGS)
    proxy.change = lambda answer: (200, b"x" * 99) if answer.path.endswith("/card.md") else None
    with pytest.raises(RegistryMismatch, match=r"'card.md' is not a file of 10 bytes"):
        registry.download("1", tmp_path / "release")


NONSENSE = [
    (503, b""),
    (500, b'{"error_code": "INTERNAL_ERROR", "message": "<b>\\u001b[31m no"}'),
    (401, b"who?"),
    (404, b"<html>not found</html>"),
    (200, b"<html>please log in</html>"),
    (200, b'{"model_versions": [{"name"'),
    (200, b'{"model_versions": 7}'),
    (200, b'{"model_versions": [7]}'),
    (200, b'{"model_versions": [{"version": "x", "status": "READY"}]}'),
    (200, b"[]"),
]


@pytest.mark.parametrize(("status", "body"), NONSENSE)
def test_an_answer_that_is_not_mlflows_is_no_answer(proxy, tmp_path, status, body):
    registry = Place(proxy.uri, tmp_path).registry()
    proxy.change = lambda _: (status, body)
    with pytest.raises(RegistryUnavailable) as caught:
        registry.find(KEY)
    assert len(proxy.seen) == 1, "asked once"
    assert "\x1b" not in caught.value.message
    assert proxy.uri in caught.value.message
    assert "registry.uri" in caught.value.hint


def test_a_create_is_not_repeated_whatever_the_user_set(proxy, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "5")
    registry = Place(proxy.uri, tmp_path).registry()
    create = "model-versions/create"
    proxy.change = lambda answer: (503, b"") if answer.path.endswith(create) else None
    with pytest.raises(RegistryUnavailable):
        registry.create(KEY, FILES, TAGS)
    assert proxy.count("POST", create) == 1
    assert numbers(registry.find(KEY)) == ["1"]
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "5"


def test_a_server_that_is_not_there_is_named_without_its_secrets(tmp_path, plain_environment):
    registry = Registry("http://me:sEcrEt@127.0.0.1:1/", tmp_path, "p")
    with pytest.raises(RegistryUnavailable, match="refused") as caught:
        registry.versions()
    assert "sEcrEt" not in caught.value.message + caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_never_answers_is_given_up(tmp_path, plain_environment, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        registry = Registry(f"http://127.0.0.1:{silent.getsockname()[1]}", tmp_path, "p")
        start = time.monotonic()
        with pytest.raises(RegistryUnavailable, match="timed out"):
            registry.find(KEY)
    assert time.monotonic() - start < 60, "asked once"


# --- what runs -----------------------------------------------------------------------

CYCLE = """
import json, sys
from pathlib import Path

FORBIDDEN = ("sklearn", "joblib", "skops", "mlflow.sklearn", "mlflow.pyfunc")
WATCHING = []

class Guard:
    def find_spec(self, name, path=None, target=None):
        if any(name == one or name.startswith(one + ".") for one in FORBIDDEN):
            raise AssertionError(f"imports {name}")

def watch(event, arguments):
    if WATCHING and event == "pickle.find_class":
        raise AssertionError(f"unpickles {arguments}")

sys.meta_path.insert(0, Guard())
sys.addaudithook(watch)
from mergeline.adapters.registry import Registry
WATCHING.append(True)

uri, root, project, to = sys.argv[1:]
registry = Registry(uri, Path(root), project)
files = {"model/MLmodel": b"{}", "model/model.skops": b"x", "card.md": b"#"}
made = registry.create("5e" * 32, files, {"mergeline.model": "33" * 32})
assert registry.find("5e" * 32) == (made,)
registry.download(made.number, Path(to))
registry.set_alias("champion", made.number)
registry.create("5e" * 32, files, {})
registry.delete("2")
print(json.dumps(registry.aliases()))
import pickle
try:
    pickle.loads(pickle.dumps(Path))
except AssertionError:
    print("watched")
try:
    import mlflow.pyfunc
except AssertionError:
    print("guarded")
"""


def test_nothing_is_unpickled_and_no_model_library_is_imported(place, tmp_path):
    (tmp_path / "cwd").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", CYCLE, place.uri, place.root, "unread", tmp_path / "to"],
        capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path / "cwd",
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.split("\n") == ['{"champion": "1"}', "watched", "guarded", ""]
    assert list((tmp_path / "cwd").iterdir()) == []


# --- where ---------------------------------------------------------------------------

DEFAULT = "sqlite:///.mergeline/registry.db"
HOSTED = {"GITHUB_ACTIONS": "true", "RUNNER_ENVIRONMENT": "github-hosted"}
OWN = {"GITHUB_ACTIONS": "true", "RUNNER_ENVIRONMENT": "self-hosted"}


@pytest.mark.parametrize(
    ("settings", "environ", "expected"),
    [
        (DEFAULT, {}, DEFAULT),
        (DEFAULT, OWN, DEFAULT),
        (DEFAULT, {"MLFLOW_TRACKING_URI": " "}, DEFAULT),
        (DEFAULT, {**HOSTED, "MLFLOW_TRACKING_URI": "https://h/\n"}, "https://h/"),
        ("http://h:5000", HOSTED, "http://h:5000"),
        ("sqlite:////srv/registry.db", {}, "sqlite:////srv/registry.db"),
    ],
)
def test_the_environment_wins_over_the_settings(settings, environ, expected):
    assert registry_uri(settings, environ) == expected


@pytest.mark.parametrize("uri", [DEFAULT, "sqlite:////srv/registry.db"])
@pytest.mark.parametrize("setting", ["registry.uri", "MLFLOW_TRACKING_URI"])
def test_a_hosted_runner_keeps_no_registry(uri, setting):
    settings, environ = (uri, {}) if setting == "registry.uri" else ("https://h", {setting: uri})
    with pytest.raises(ConfigError, match=f"{setting} is .* a hosted runner") as caught:
        registry_uri(settings, HOSTED | environ)
    assert "MLFLOW_TRACKING_URI" in caught.value.hint


@pytest.mark.parametrize(
    "uri",
    ["mlruns", "file:///x", "sqlite://", "sqlite:///:memory:", "databricks", "http://", "",
     "postgresql://me:sEcrEt@h/x", "ftp://me:sEcrEt@h"],
)  # fmt: skip
def test_another_kind_of_store_is_refused(uri):
    with pytest.raises(ConfigError, match=r"registry.uri is .*expected sqlite:///FILE") as caught:
        registry_uri(uri, {})
    assert "sEcrEt" not in caught.value.message


def test_importing_the_registry_imports_no_mlflow():
    code = "import sys, mergeline.adapters.registry; print({'mlflow', 'pandas'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "set()"
