"""What Git is given of a job's environment."""

import os
import subprocess
from pathlib import Path

import pytest

from mergeline.adapters.git import Git
from mergeline.adapters.git_process import job_credentials, run_git
from mergeline.adapters.git_remote import Remote
from mergeline.errors import RemoteRefused
from mergeline.rehearsal import Rehearsal


def test_elsewhere_than_in_a_job_people_bring_their_own_credentials() -> None:
    assert job_credentials({"GITHUB_TOKEN": "t"}) == {}
    assert job_credentials({"GITHUB_ACTIONS": "true"}) == {}
    assert job_credentials({"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": " "}) == {}


def test_the_token_is_for_githubs_host_alone() -> None:
    job = {"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": "job", "GITHUB_SERVER_URL": "https://g.test/"}
    given = job_credentials(job)
    assert given["GIT_CONFIG_KEY_0"] == "http.https://g.test/.extraHeader"
    assert given["GIT_CONFIG_VALUE_0"] == "Authorization: Basic eC1hY2Nlc3MtdG9rZW46am9i"
    assert job_credentials({**job, "MERGELINE_TOKEN": ""}) == given


def test_what_the_environment_configures_already_is_kept() -> None:
    job = {"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": "job", "GIT_CONFIG_COUNT": "2"}
    given = job_credentials(job)
    assert given["GIT_CONFIG_COUNT"] == "3"
    assert given["GIT_CONFIG_KEY_2"] == "http.https://github.com/.extraHeader"


@pytest.fixture
def cloned(tmp_path: Path) -> tuple[Rehearsal, Remote]:
    world = Rehearsal.start(tmp_path / "github", private=True)
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    for command in (("init", "-q", "-b", "main", "clone"), ("-C", "clone", "remote", "add")):
        more = ("origin", world.clone_url) if command[0] == "-C" else ()
        subprocess.run(["git", *command, *more], cwd=tmp_path, env=environ, check=True)
    return world, Remote(Git(tmp_path / "clone"))


def test_a_job_pushes_and_fetches_with_its_token(
    cloned: tuple[Rehearsal, Remote], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, remote = cloned
    with world:
        world.add_user("bot", permission="write")
        commit = remote.commit_files({"a": b"1"}, None, "one")
        with pytest.raises(RemoteRefused):
            remote.push("line/x", commit, None)
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITHUB_SERVER_URL", world.url)
        monkeypatch.setenv("GITHUB_TOKEN", world.token("bot", "read"))
        with pytest.raises(RemoteRefused):
            remote.push("line/x", commit, None)
        monkeypatch.setenv("MERGELINE_TOKEN", world.token("bot"))
        assert remote.push("line/x", commit, None)
        assert remote.fetched("line/x") == commit
        kept = run_git(remote.git.root, "config", "--list", "--local").stdout.decode()
        assert "extraheader" not in kept.lower()
