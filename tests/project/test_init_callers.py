"""The workflows of a project, and where the framework that they call is."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import mergeline
from mergeline.errors import UsageError
from mergeline.project import callers
from mergeline.project.callers import (
    FOLDER,
    Framework,
    given_framework,
    installed_framework,
    repository_of,
    workflows,
)

REPOSITORY = Path(__file__).parents[2]
COMMIT = "3d3c42e5aac5ba805825da76410c181273ba90b1"
ACME = Framework("acme/mergeline", COMMIT)
NAMES = ("pull-request", "comment", "review", "promote", "rollback")
CALLS = tuple(name for name in NAMES if name != "review")
RANK = {"none": 0, "read": 1, "write": 2}


def load(text: str) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(text)


def text_of(name: str) -> str:
    return workflows(ACME, "main")[f"{FOLDER}/{name}.yml"]


def job_of(name: str) -> dict[str, Any]:
    (job,) = load(text_of(name))["jobs"].values()
    return job


def reusable(name: str) -> dict[str, Any]:
    return load((REPOSITORY / FOLDER / f"{name}.yml").read_text())


# --- the texts ---------------------------------------------------------------------------


def test_each_workflow_has_the_name_of_its_file() -> None:
    assert set(workflows(ACME, "main")) == {f"{FOLDER}/{name}.yml" for name in NAMES}
    for name in NAMES:
        assert load(text_of(name))["name"] == name


def test_events() -> None:
    events = {name: load(text_of(name))["on"] for name in NAMES}
    assert events["pull-request"] == {"pull_request": None, "merge_group": None}
    assert events["comment"] == {
        "workflow_run": {"workflows": ["pull-request", "review"], "types": ["completed"]}
    }
    assert events["review"] == {
        "pull_request_review": {"types": ["submitted", "edited", "dismissed"]}
    }
    assert events["promote"] == {"push": {"branches": ["main"]}}
    assert list(events["rollback"]) == ["workflow_dispatch"]


@pytest.mark.parametrize("main", ["main", "release/1.0", "no", "a'b\"c", "{x}"])
def test_the_branch_that_is_delivered(main: str) -> None:
    text = workflows(ACME, main)[f"{FOLDER}/promote.yml"]
    assert load(text)["on"] == {"push": {"branches": [main]}}


@pytest.mark.parametrize("name", CALLS)
def test_a_workflow_calls_one_of_its_name_at_a_commit(name: str) -> None:
    job = job_of(name)
    assert job["uses"] == f"acme/mergeline/{FOLDER}/{name}.yml@{COMMIT}"
    assert f"@{COMMIT} # v{mergeline.__version__}\n" in text_of(name)
    assert "steps" not in job


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_granted_without_a_reason(name: str) -> None:
    assert load(text_of(name))["permissions"] == {}
    grants = re.findall(r"^      ([a-z-]+: (?:read|write))(.*)$", text_of(name), re.MULTILINE)
    assert dict(one.split(": ") for one, _ in grants) == job_of(name).get("permissions", {})
    assert all(re.fullmatch(r" # \w.+", why) for _, why in grants)


@pytest.mark.parametrize("name", CALLS)
def test_what_is_granted_is_what_the_called_jobs_ask_for(name: str) -> None:
    """One grant too few, and GitHub does not start the workflow."""
    most: dict[str, str] = {}
    for job in reusable(name)["jobs"].values():
        for scope, level in job["permissions"].items():
            most[scope] = max(most.get(scope, "none"), level, key=RANK.__getitem__)
    assert job_of(name)["permissions"] == most


@pytest.mark.parametrize("name", CALLS)
def test_the_secrets_that_are_declared_are_passed_one_by_one(name: str) -> None:
    """One that is not declared stops the workflow; one that is not passed is empty there."""
    declared = reusable(name)["on"]["workflow_call"]["secrets"]
    assert job_of(name)["secrets"] == {one: f"${{{{ secrets.{one} }}}}" for one in declared}
    assert not any(secret["required"] for secret in declared.values())


@pytest.mark.parametrize("name", CALLS)
def test_the_inputs_that_are_passed_are_declared(name: str) -> None:
    given = job_of(name).get("with", {})
    assert given.keys() <= reusable(name)["on"]["workflow_call"].get("inputs", {}).keys()
    asked = (load(text_of(name))["on"].get("workflow_dispatch") or {}).get("inputs", {})
    assert given == {one: f"${{{{ inputs.{one} }}}}" for one in asked}


def test_a_review_runs_nothing() -> None:
    job = job_of("review")
    assert job["steps"] == [{"run": "true"}]
    assert job["timeout-minutes"] <= 5
    assert "uses" not in job


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    program = shutil.which("actionlint") or shutil.which("actionlint", path=Path.home() / "go/bin")
    if program is None:
        pytest.skip("actionlint is not on PATH")
    for path, text in workflows(ACME, "main").items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    done = subprocess.run([program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


# --- the framework -------------------------------------------------------------------------


def test_a_framework_that_is_given() -> None:
    found = given_framework(f"acme/mergeline@{COMMIT}")
    assert found == ACME
    assert found.requirement == f"mergeline @ git+https://github.com/acme/mergeline@{COMMIT}"


@pytest.mark.parametrize(
    "text", ["acme/mergeline", "acme/mergeline@main", f"acme@{COMMIT}", f"a/b/c@{COMMIT}", "\x1b@"]
)
def test_a_framework_that_is_not_named_by_commit(text: str) -> None:
    with pytest.raises(UsageError, match="OWNER/NAME@COMMIT") as caught:
        given_framework(text)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("address", "repository"),
    [
        ("https://github.com/acme/mergeline.git", "acme/mergeline"),
        ("https://somebody:secret@github.com/acme/mergeline", "acme/mergeline"),
        ("ssh://git@github.com:22/acme/my.project.git/", "acme/my.project"),
        ("git@github.com:acme/mergeline.git\n", "acme/mergeline"),
        ("/srv/git/mergeline.git", None),
        ("../acme/mergeline", None),
        ("file:///srv/acme/mergeline", None),
        ("https://github.com/acme/mergeline/tree/main", None),
        ("https://github.com/acme/$(x)", None),
    ],
)
def test_the_repository_of_an_address(address: str, repository: str | None) -> None:
    assert repository_of(address) == repository


class Installed:
    """A distribution, with what an installer wrote down of its origin."""

    def __init__(self, origin: object) -> None:
        self._origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self._origin is None else json.dumps(self._origin)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "a checkout"
    (folder / "src/mergeline").mkdir(parents=True)
    for command in (
        ["init", "--quiet"],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x", "--allow-empty"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def head(folder: Path) -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Let the package seem to be installed from somewhere."""
    monkeypatch.setattr(mergeline, "__file__", os.fspath(tmp_path / "lib/py/mergeline/__init__.py"))

    def install(origin: object) -> Framework | None:
        monkeypatch.setattr(callers, "distribution", lambda _: Installed(origin))
        return installed_framework()

    return install


def test_installed_from_git(installed: Any) -> None:
    origin = {
        "url": "https://ghe.acme.org/acme/mergeline.git",
        "vcs_info": {"vcs": "git", "requested_revision": "main", "commit_id": COMMIT},
    }
    found = installed(origin)
    assert found == Framework("acme/mergeline", COMMIT, host="ghe.acme.org")
    assert "git+https://ghe.acme.org/acme/mergeline@" in found.requirement


@pytest.mark.parametrize(
    "origin",
    [
        None,
        [],
        {},
        {"url": "https://example.org/mergeline.whl", "archive_info": {}},
        {"url": "https://github.com/acme/mergeline", "vcs_info": {"vcs": "git", "commit_id": "x"}},
        {"url": "https://github.com/acme/mergeline", "vcs_info": {"vcs": "hg"}},
        {"url": "file:///nowhere", "dir_info": {}},
    ],
)
def test_installed_from_elsewhere(installed: Any, origin: object) -> None:
    assert installed(origin) is None


def test_installed_from_a_checkout(installed: Any, checkout: Path) -> None:
    origin = {"url": checkout.as_uri(), "dir_info": {"editable": True}}
    assert installed(origin) is None  # nobody else can find it
    remote = ["git", "remote", "add", "origin", "git@github.com:acme/mergeline.git"]
    subprocess.run(remote, cwd=checkout, check=True)
    assert installed(origin) == Framework("acme/mergeline", head(checkout))


def test_run_from_a_checkout(
    installed: Any, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mergeline, "__file__", os.fspath(checkout / "src/mergeline/__init__.py"))
    remote = ["git", "remote", "add", "origin", "https://github.com/acme/mergeline"]
    subprocess.run(remote, cwd=checkout, check=True)
    assert installed(None) == Framework("acme/mergeline", head(checkout))
