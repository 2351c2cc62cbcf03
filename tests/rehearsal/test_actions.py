"""Workflow runs and artifacts."""

import io
import zipfile
from urllib.parse import urlsplit

import pytest
import requests

from mergeline.rehearsal import Rehearsal

from .clients import SECONDS, Api, Clone


def test_runs_are_found_by_commit_event_and_state(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    sha = clone.topic("topic")
    one = hub.add_run(sha, head_branch="topic")
    two = hub.add_run(sha, event="push", conclusion="failure")
    three = hub.add_run("1" * 40, status="in_progress")

    def found(**query: str) -> list[int]:
        return [run["id"] for run in ann.get("/{repo}/actions/runs", **query)["workflow_runs"]]

    assert found() == [three, two, one]
    assert (found(head_sha=sha), found(event="push")) == ([two, one], [two])
    assert (found(branch="topic"), found(status="in_progress")) == ([one], [three])
    assert (found(status="failure"), found(actor="nobody")) == ([two], [])
    assert ann.get(f"/{{repo}}/actions/runs/{one}")["head_commit"]["id"] == sha
    assert ann.get(f"/{{repo}}/actions/runs/{three}")["head_commit"] is None


def test_a_run_names_the_open_pull_requests_of_its_branch(
    hub: Rehearsal, clone: Clone, ann: Api
) -> None:
    sha = clone.topic("topic")
    number, run = hub.open_pull("topic", login="ann"), hub.add_run(sha, head_branch="topic")

    def named() -> list[int]:
        return [one["number"] for one in ann.get(f"/{{repo}}/actions/runs/{run}")["pull_requests"]]

    assert named() == [number]
    hub.close_pull(number)
    assert named() == []


def test_a_rerun_keeps_the_commit(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    sha = clone.git("rev-parse", "HEAD")
    run = hub.add_run(sha)
    assert ann("POST", f"/{{repo}}/actions/runs/{run}/rerun").status_code == 201
    shown = ann.get(f"/{{repo}}/actions/runs/{run}")
    assert (shown["run_attempt"], shown["status"], shown["conclusion"]) == (2, "queued", None)
    assert shown["head_sha"] == sha
    assert ann("POST", f"/{{repo}}/actions/runs/{run}/rerun").status_code == 403


def test_an_artifact_is_fetched_from_a_storage_that_wants_no_token(
    hub: Rehearsal, clone: Clone, ann: Api
) -> None:
    run = hub.add_run("1" * 40, artifacts={"model": {"a/b.txt": b"1"}, "other": b"no zip"})
    listed = ann.get(f"/{{repo}}/actions/runs/{run}/artifacts")
    assert (listed["total_count"], listed["artifacts"][1]["size_in_bytes"]) == (2, 6)
    one = ann.get(f"/{{repo}}/actions/runs/{run}/artifacts", name="model")["artifacts"][0]
    sent = ann("GET", one["archive_download_url"])
    assert (sent.status_code, sent.content) == (302, b"")
    there = sent.headers["Location"]
    assert urlsplit(there).hostname != urlsplit(hub.api_url).hostname
    data = requests.get(there, timeout=SECONDS).content
    assert zipfile.ZipFile(io.BytesIO(data)).read("a/b.txt") == b"1"
    assert ann("GET", there).status_code == 400
    assert requests.get(there + "x", timeout=SECONDS).status_code == 404
    hub.fault("GET", "/_rehearsal/downloads/*", "cut")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        requests.get(there, timeout=SECONDS)


def test_an_expired_artifact_is_listed_and_gone(hub: Rehearsal, ann: Api) -> None:
    run = hub.add_run("1" * 40, artifacts={"model": b"1", "kept": b"2"})
    hub.expire(run, "model")
    shown = ann.get("/{repo}/actions/artifacts")["artifacts"]
    assert [(one["name"], one["expired"]) for one in shown] == [("kept", False), ("model", True)]
    assert ann("GET", shown[1]["archive_download_url"]).status_code == 410
    assert ann("GET", shown[0]["archive_download_url"]).status_code == 302
    assert ann("GET", "/{repo}/actions/artifacts/1/zip").status_code == 404
