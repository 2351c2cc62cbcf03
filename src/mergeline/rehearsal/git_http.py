"""Git over HTTP, through Git's own CGI program, with the API's tokens."""

import os
import re
import subprocess
from email import message_from_bytes
from http import HTTPStatus

from mergeline.errors import ToolError
from mergeline.rehearsal.answers import Answer, Refusal
from mergeline.rehearsal.api import Request, may_write, token_of
from mergeline.rehearsal.repository import git_environment
from mergeline.rehearsal.world import World

_PATH = re.compile(r"/([^/]+)/([^/]+?)(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)")
_SECONDS = 300
_PASSED = ("content-type", "content-encoding", "git-protocol", "accept-encoding")


def is_git(path: str) -> bool:
    """Return whether a path is one that Git's clients ask for."""
    return _PATH.fullmatch(path) is not None


def answer_git(world: World, request: Request) -> Answer:
    """Answer a fetch or a push, or refuse it as GitHub does."""
    found = _PATH.fullmatch(request.path)
    if found is None:
        return Answer(404, b"Not found")
    owner, name, rest = found.groups()
    try:
        pushes = "git-receive-pack" in request.query + rest
        folder = _permitted(world, request, f"{owner}/{name}", pushes=pushes)
    except Refusal as refusal:
        unknown = refusal.status == HTTPStatus.UNAUTHORIZED
        ask = {"WWW-Authenticate": 'Basic realm="GitHub"'} if unknown else {}
        return Answer(refusal.status, refusal.message.encode(), ask)
    return _run(request, folder, rest)


def _permitted(world: World, request: Request, full_name: str, *, pushes: bool) -> str:
    """Return the folder of a repository that the request may read or push to."""
    with world.lock:
        token = token_of(world, request)
        repo = world.find_repo(full_name)
        if token is None and (pushes or repo is None or repo.private):
            raise Refusal(401, "Authentication required")
        if repo is None or (token and not world.reads(repo, token)):
            raise Refusal(404, "Repository not found.")
        if pushes and token and not may_write(token, ("contents",)):
            raise Refusal(403, f"Permission to {full_name}.git denied to {token.login}.")
        return os.fspath(repo.git.path)


def _run(request: Request, folder: str, rest: str) -> Answer:
    environ = git_environment() | {
        "GIT_PROJECT_ROOT": folder,
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{rest}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query,
        "CONTENT_LENGTH": str(len(request.body)),
        "REMOTE_ADDR": "127.0.0.1",
    }
    for name in _PASSED:
        if name in request.headers:
            key = name.upper().replace("-", "_")
            environ[key if name == "content-type" else f"HTTP_{key}"] = request.headers[name]
    if "git-protocol" in request.headers:
        environ["GIT_PROTOCOL"] = request.headers["git-protocol"]
    try:
        done = subprocess.run(
            ["git", "http-backend"],
            input=request.body,
            env=environ,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"`git http-backend` did not end within {_SECONDS} seconds"
        raise ToolError(message, hint="look for another Git process or a slow disk") from error
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    headers = dict(message_from_bytes(head).items())
    status = int(headers.pop("Status", "200").split()[0])
    return Answer(status, body, headers)
