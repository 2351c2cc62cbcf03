"""As a process of its own, with TLS, driven from outside."""

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from mergeline.rehearsal import Rehearsal

from .clients import SECONDS, Api, Clone


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("process")
    command = [sys.executable, "-m", "mergeline.rehearsal", str(folder / "hub"), "--tls"]
    with subprocess.Popen(
        [*command, "--repository", "team/model"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout
        yield {"folder": folder, "pid": running.pid, **json.loads(running.stdout.readline())}
        running.communicate(timeout=SECONDS)  # closes stdin
    assert running.returncode == 0


def act(process: dict[str, Any], name: str, **arguments: Any) -> Any:
    answer = control(process, "POST", f"do/{name}", arguments)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def control(
    process: dict[str, Any], method: str, path: str, body: Any = None, secret: str | None = None
) -> requests.Response:
    headers = {"Authorization": f"Bearer {secret or process['secret']}"}
    url = f"{process['url']}/_rehearsal/{path}"
    return requests.request(method, url, json=body, headers=headers, timeout=SECONDS)


def test_a_whole_pull_request_from_outside(process: dict[str, Any]) -> None:
    clone = Clone.make(process["folder"] / "clone", process["remote"])
    clone.commit("README", "hello\n", push="main")
    head = clone.topic("topic")
    act(process, "add_user", login="ann", email="ann@example.org", permission="write")
    act(process, "add_user", login="bob", permission="maintain")
    number = act(process, "open_pull", head="topic", login="ann", title="T")
    act(process, "approve", number=number, login="bob")
    zipped = base64.b64encode(b"zip").decode()
    run = act(process, "add_run", head_sha=head, artifacts={"model": zipped})
    merged = act(process, "merge", number=number, method="squash", login="bob")
    assert clone.log(form="%H")[0] == merged
    token = act(process, "token", login="bob")
    api = Api(process["tls_url"], token, process["repository"], process["ca_file"])
    assert api.get(f"/{{repo}}/actions/runs/{run}/artifacts")["artifacts"][0]["size_in_bytes"] == 3
    control(process, "POST", "faults", {"method": "POST", "path": "*/comments", "status": 500})
    path = f"/{{repo}}/issues/{number}/comments"
    assert [api("POST", path, {"body": "x"}).status_code for _ in range(2)] == [500, 201]
    writes = control(process, "GET", "writes").json()
    assert [(one["login"], one["status"], one["done"]) for one in writes] == [
        ("bob", 500, False),
        ("bob", 201, True),
    ]


def test_its_own_addresses_want_its_secret(process: dict[str, Any]) -> None:
    token = act(process, "token", login="acme")
    for secret in ("wrong", token, "ü"):
        answer = control(process, "GET", "writes", secret=secret.encode().decode("latin-1"))
        assert answer.status_code == 401
    assert control(process, "POST", "do/stop", {}).status_code == 404
    assert control(process, "POST", "do/merge", {"number": 99}).status_code == 422
    for fault in ({"method": "GET"}, {"method": "GET", "path": "*", "kind": "no"}):
        assert control(process, "POST", "faults", fault).status_code == 422
    assert control(process, "POST", "faults", {"path": "*", "method": "GET"}).status_code == 204
    assert control(process, "DELETE", "faults").status_code == 204


def test_tls_is_refused_without_its_authority(process: dict[str, Any]) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(process["tls_url"], timeout=SECONDS)
    for host in ("localhost", "127.0.0.1"):
        url = process["tls_url"].replace("localhost", host)
        answer = requests.get(url, verify=process["ca_file"], timeout=SECONDS)
        assert answer.status_code == 401
    assert (Path(process["ca_file"]).parent / "server.pem").stat().st_mode & 0o077 == 0


def test_it_listens_to_this_machine_alone(process: dict[str, Any]) -> None:
    assert process["url"].startswith("http://127.0.0.1:")


def test_git_over_tls(process: dict[str, Any]) -> None:
    token = act(process, "token", login="team")
    url = process["tls_url"].replace("://", f"://x-access-token:{token}@")
    remote, trusted = f"{url}/team/model.git", process["ca_file"]
    clone = Clone.make(process["folder"] / "tls", remote, GIT_SSL_CAINFO=trusted)
    head = clone.commit("tls.txt", "t\n", push="over-tls")
    assert clone.git("ls-remote", "origin", "over-tls").split()[0] == head


def test_a_signal_ends_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mergeline.rehearsal", str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout
        running.stdout.readline()
        os.kill(running.pid, signal.SIGTERM)
        assert running.wait(SECONDS) == 0


def test_a_repository_outlives_the_stand_in(tmp_path: Path) -> None:
    with Rehearsal.start(tmp_path / "hub") as hub:
        head = Clone.make(tmp_path / "clone", hub.remote).commit("README", "x\n", push="main")
        url = hub.api_url
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=SECONDS)
    with Rehearsal.start(tmp_path / "hub") as again:
        assert again.repo.git.tip("main") == head
