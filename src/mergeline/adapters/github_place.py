"""Where GitHub's API is and who asks, from the environment of a workflow's job."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mergeline.config.problem import printable, shown
from mergeline.errors import UsageError

API = "https://api.github.com"
_REPOSITORY = re.compile(r"[A-Za-z0-9_-]{1,39}/[A-Za-z0-9._-]{1,100}")
_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+")
_TOKEN = re.compile(r"[!-~]+")
_WORKFLOW = re.compile(r"[^/]+/[^/]+/(\.github/workflows/[^@]{1,200})@")
_SOME_WORKFLOW = "the workflow's job"
_AUTHORITIES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True)
class Place:
    """Where GitHub's API is, and who asks.

    Attributes:
        address: Without a slash at the end.
        repository: `owner/name`.
        verify: Path of the authorities' certificates; True for those of the system.
        workflow: The file of the workflow that asks, for hints.
    """

    address: str
    repository: str
    token: str = field(repr=False)
    verify: bool | str = True
    workflow: str = _SOME_WORKFLOW


def place_of(environ: Mapping[str, str]) -> Place:
    """Return the place that the variables of a workflow's job name.

    Args:
        environ: `GITHUB_TOKEN` and `GITHUB_REPOSITORY`; `GITHUB_API_URL` where it is not
            github.com; `REQUESTS_CA_BUNDLE` or `SSL_CERT_FILE` for an authority of one's own.

    Raises:
        UsageError: A variable is missing or is not what it should be.
    """
    workflow = _WORKFLOW.match(environ.get("GITHUB_WORKFLOW_REF", ""))
    return Place(
        address=_address(environ.get("GITHUB_API_URL", "").strip() or API),
        repository=_repository(environ.get("GITHUB_REPOSITORY", "").strip()),
        token=_token(environ.get("GITHUB_TOKEN", "").strip()),
        verify=next((path for name in _AUTHORITIES if (path := environ.get(name))), True),
        workflow=printable(workflow[1]) if workflow else _SOME_WORKFLOW,
    )


def _address(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    safe = parts.scheme == "https" or (parts.scheme == "http" and _LOOPBACK.fullmatch(host))
    if not host or not safe or parts.query or parts.fragment or parts.username:
        raise UsageError(
            f"GITHUB_API_URL is {shown(address)}: not the https address of an API",
            hint=f"leave it out for github.com ({API}), else give https://HOST/api/v3",
        )
    return address.rstrip("/")


def _repository(name: str) -> str:
    if _REPOSITORY.fullmatch(name) is None:
        seen = f"is {shown(name)}, not owner/name" if name else "is not set"
        raise UsageError(
            f"GITHUB_REPOSITORY {seen}",
            hint="a workflow sets it; elsewhere: `export GITHUB_REPOSITORY=owner/name`",
        )
    return name


def _token(token: str) -> str:
    # Its text is in no message.
    if _TOKEN.fullmatch(token) is None:
        seen = "holds spaces or characters that no token has" if token else "is not set"
        raise UsageError(
            f"GITHUB_TOKEN {seen}",
            hint="in the workflow's step: `env: {GITHUB_TOKEN: ${{ github.token }}}`",
        )
    return token
