"""From an answer of GitHub that is no help to a sentence that is."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from mergeline.config.problem import printable
from mergeline.errors import GitHubError

_LONGEST = 300
_DIGITS = 12  # of a time in seconds
_DETAILS = 5  # of what GitHub says is wrong with the fields of a request
_AGAIN = {
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


@dataclass(frozen=True)
class Asked:
    """What was asked for.

    Attributes:
        verb: Of HTTP.
        path: Below the address of the API, without the query.
        needs: The workflow permission that it takes, e.g. `pull-requests: write`.
        workflow: The file of the workflow that asks, or what to call it.
    """

    verb: str
    path: str
    needs: str
    workflow: str

    def __str__(self) -> str:
        return f"{self.verb} {printable(self.path)[:_LONGEST]}"


@dataclass(frozen=True)
class Said:
    """An answer with a status other than 2xx.

    Attributes:
        headers: Names in small letters.
        text: The body.
    """

    status: int
    headers: Mapping[str, str]
    text: str

    def message(self) -> str:
        """Return what GitHub says in one line, bounded and harmless to a terminal."""
        body = self._body()
        errors = body.get("errors")
        details = errors[:_DETAILS] if isinstance(errors, list) else []
        parts = [body.get("message"), *map(_detail, details)]
        said = "; ".join(part.strip() for part in parts if isinstance(part, str) and part.strip())
        return printable(" ".join(said.split()))[:_LONGEST] or _phrase(self.status)

    def _body(self) -> dict[str, Any]:
        try:
            body = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return body if isinstance(body, dict) else {}

    def is_limit(self) -> bool:
        """Whether it says that too much was asked."""
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            return True
        asked_too_often = (
            "retry-after" in self.headers
            or self.headers.get("x-ratelimit-remaining") == "0"
            or "rate limit" in self.message().lower()
        )
        return self.status == HTTPStatus.FORBIDDEN and asked_too_often

    def wait(self) -> float | None:
        """Return after how many seconds it may be asked again; None for "not at all".

        Zero leaves the time to the one who asks.
        """
        if self.status not in _AGAIN and not self.is_limit():
            return None
        after = _number(self.headers.get("retry-after"))
        if after is None and self.headers.get("x-ratelimit-remaining") == "0":
            reset = _number(self.headers.get("x-ratelimit-reset"))
            after = None if reset is None else reset - time.time()
        return max(after or 0.0, 0.0)


def refusal(asked: Asked, said: Said) -> GitHubError:
    """Return the error that tells what GitHub answered and what to change."""
    message = f"GitHub answered {said.status} to {asked}: {said.message()}"
    return GitHubError(
        message, hint=_hint(asked, said), status=said.status, again_after=said.wait()
    )


def not_understood(asked: Asked, status: int | None, why: str) -> GitHubError:
    """Return the error for an answer that is not what GitHub's description promises."""
    return GitHubError(
        f"GitHub's answer to {asked} cannot be read: {printable(why)[:_LONGEST]}",
        hint="run it again; if it stays, see that GITHUB_API_URL is the address of GitHub's API",
        status=status,
        again_after=0,
    )


def no_answer(asked: Asked, error: BaseException, seconds: float) -> GitHubError:
    """Return the error for a request that got no whole answer."""
    name = type(error).__name__
    again: float | None = 0.0
    if "SSL" in name:
        again = None
        why = f"its certificate is not accepted ({_cause(error)})"
        hint = (
            "name the authority that signed it: REQUESTS_CA_BUNDLE or SSL_CERT_FILE=/path/to/ca.pem"
        )
    elif "Timeout" in name or isinstance(error, TimeoutError):
        why = f"nothing came for {seconds:g} seconds, or the whole took too long"
        hint = "see whether GitHub has trouble, and whether a proxy is in the way; run it again"
    else:
        why = _cause(error)
        hint = "see that the network is up and that GITHUB_API_URL is right; then run it again"
    return GitHubError(f"GitHub did not answer {asked}: {why}", hint=hint, again_after=again)


def _hint(asked: Asked, said: Said) -> str:
    match said.status:
        case HTTPStatus.UNAUTHORIZED:
            return (
                f"the GITHUB_TOKEN of {asked.workflow} is wrong, expired or revoked: give one that "
                f"is valid and has `{asked.needs}`"
            )
        case status if said.is_limit():
            return (
                f"GitHub's limit of requests is reached ({status}); run it again {_until(said)}; "
                f"nothing is wrong with `{asked.needs}` in {asked.workflow}"
            )
        case HTTPStatus.FORBIDDEN:
            return _forbidden(asked, said.message().lower())
        case HTTPStatus.NOT_FOUND:
            return (
                "see that GITHUB_REPOSITORY and the number are right and that the token may see "
                f"the repository (`{asked.needs}` in the `permissions:` of {asked.workflow}); "
                "GitHub calls missing what it may not show"
            )
        case HTTPStatus.GONE:
            return "it was there once and is removed: artifacts expire; run the build again"
        case HTTPStatus.UNPROCESSABLE_ENTITY | HTTPStatus.CONFLICT:
            return (
                "GitHub says what is wrong with the request; mend that, then run it again; nothing "
                f"is wrong with `{asked.needs}` in {asked.workflow}"
            )
        case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return "GitHub has trouble (githubstatus.com says more); run it again later"
        case status if status < HTTPStatus.BAD_REQUEST:
            return (
                "the repository was renamed or moved: set GITHUB_REPOSITORY and the remote's "
                "address to the new name"
            )
    return "see that GITHUB_API_URL is the address of GitHub's API"


def _forbidden(asked: Asked, message: str) -> str:
    if "locked" in message:
        return "unlock the conversation of the pull request, then run it again"
    if "archived" in message:
        return "the repository is archived, so that nothing can be changed: unarchive it first"
    hint = (
        f"the token may not do that: add `{asked.needs}` to the `permissions:` of "
        f"{asked.workflow}, or give a token that has it"
    )
    if asked.needs.endswith("write"):
        hint += (
            "; a run that a fork's pull request starts never has it: do this in a workflow that "
            "`workflow_run` starts"
        )
    return hint


def _until(said: Said) -> str:
    wait = said.wait()
    if not wait:
        return "later"
    end = datetime.fromtimestamp(time.time() + wait, UTC)
    return f"after {end:%Y-%m-%d %H:%M:%S} UTC"


def _detail(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    if isinstance(error.get("message"), str):
        return str(error["message"])
    return " ".join(str(error[key]) for key in ("resource", "field", "code") if key in error)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no message"


def _number(text: str | None) -> float | None:
    digits = (text or "").strip().partition(".")[0]
    return float(digits) if digits.isdecimal() and len(digits) <= _DIGITS else None


def _cause(error: BaseException) -> str:
    """Return what the innermost error says; the outer ones repeat addresses and queries."""
    while (inner := _inner(error)) is not None:
        error = inner
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return printable(" ".join(said.split()))[:_LONGEST] or type(error).__name__


def _inner(error: BaseException) -> BaseException | None:
    """Return the error that this one was made from: the way of urllib3 and requests."""
    held = (getattr(error, "reason", None), *reversed(error.args))
    return next((each for each in held if isinstance(each, BaseException)), None)
