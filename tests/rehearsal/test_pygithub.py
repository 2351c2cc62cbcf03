"""PyGithub, which the adapters use, speaks to it as it does to GitHub."""

from pathlib import Path

import pytest
from github import Auth, BadCredentialsException, Github, GithubException
from github.Repository import Repository

from mergeline.rehearsal import Rehearsal

from .clients import Clone


def repository(hub: Rehearsal, token: str) -> Repository:
    client = Github(
        base_url=hub.api_url,
        auth=Auth.Token(token),
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )
    return client.get_repo(hub.name)


def test_a_pull_request_from_open_to_merged(hub: Rehearsal, clone: Clone) -> None:
    head = clone.topic("topic", *(f"{number}.txt" for number in range(35)))
    repo = repository(hub, hub.token("bob"))
    pull = repo.create_pull(title="Many", head="topic", base="main")
    assert len(list(pull.get_commits())) == 35  # two pages
    assert pull.head.sha == head
    hub.approve(pull.number, "ann")
    assert [one.user.login for one in pull.get_reviews()] == ["ann"]
    assert repo.get_collaborator_permission("ann") == "write"
    comment = pull.create_issue_comment("one")
    comment.edit("two")
    assert [one.body for one in pull.get_issue_comments()] == ["two"]
    repo.get_commit(head).create_status("success", context="mergeline")
    assert repo.get_commit(head).get_combined_status().state == "success"
    merged = pull.merge(merge_method="squash", sha=head)
    assert merged.merged
    found = [one.number for one in repo.get_commit(merged.sha).get_pulls()]
    assert found == [pull.number]
    assert [(one.method, one.status) for one in hub.writes] == [
        ("POST", 201),
        ("POST", 201),
        ("PATCH", 200),
        ("POST", 201),
        ("PUT", 200),
    ]


def test_runs_artifacts_deployments(hub: Rehearsal, clone: Clone) -> None:
    sha = clone.git("rev-parse", "HEAD")
    number = hub.add_run(sha, event="push", artifacts={"model": {"a.txt": b"1"}})
    repo = repository(hub, hub.token("bob"))
    run = repo.get_workflow_run(number)
    assert [one.name for one in run.get_artifacts()] == ["model"]
    assert [one.id for one in repo.get_workflow_runs(head_sha=sha, event="push")] == [number]
    made = repo.create_deployment(sha, environment="production", required_contexts=[])
    made.create_status("success", description="live")
    assert [one.state for one in repo.get_deployment(made.id).get_statuses()] == ["success"]


def test_its_errors_are_githubs(hub: Rehearsal, clone: Clone) -> None:
    with pytest.raises(BadCredentialsException):
        repository(hub, "wrong")
    repo = repository(hub, hub.token("reader", "read"))
    with pytest.raises(GithubException) as caught:
        repo.get_commit("main").create_status("success")
    assert (caught.value.status, caught.value.data["status"]) == (403, "403")


def test_tls(tmp_path: Path) -> None:
    with Rehearsal.start(tmp_path / "hub", tls=True) as hub:
        assert hub.tls_url
        assert hub.ca_file
        auth = Auth.Token(hub.token("acme"))
        client = Github(base_url=f"{hub.tls_url}/api/v3", auth=auth, verify=str(hub.ca_file))
        assert client.get_user().login == "acme"
