"""Requests to GitHub's API: read with patience, written once.

A read is repeated while that can help and time is left. A write never is: whoever asked
for it looks first whether it arrived (`GitHubError.unclear`).
"""

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from mergeline.adapters.github_errors import Asked, Said, no_answer, not_understood, refusal
from mergeline.adapters.github_place import Place
from mergeline.core.digest import sha256
from mergeline.errors import GitHubError

if TYPE_CHECKING:
    from github.Requester import Requester

T = TypeVar("T")

PER_PAGE = 100
_MOST_PAGES = 100
# A request needs more time when the server does; a fixed rhythm would meet the same trouble.
_SPREAD = 0.25


@dataclass(frozen=True)
class Patience:
    """How long to wait for GitHub.

    Attributes:
        seconds: For a connection, and for each piece of an answer.
        tries: Of a read, with the first one.
        pause: Seconds before the second try; each later pause is twice as long.
        longest: The longest pause that GitHub may ask for.
        total: Seconds after which no further try of the same read begins.
    """

    seconds: int = 10
    tries: int = 4
    pause: float = 1.0
    longest: float = 30.0
    total: float = 90.0


@dataclass(frozen=True)
class Client:
    """Requests about one repository, whose paths start with `/`."""

    place: Place
    patience: Patience

    def get(self, path: str, *, needs: str, **query: str | int) -> Any:
        """Return what GitHub answers to a read.

        Args:
            path: Below the API's address.
            needs: The workflow permission that it takes.
            query: Of the address.

        Raises:
            GitHubError: It refused, or did not answer in time.
        """
        return self._read(self._asked("GET", path, needs), query)[1]

    def look(self, path: str, *, needs: str) -> tuple[Mapping[str, str], Any]:
        """Return headers, their names in small letters, and answer of a read; as `get`."""
        return self._read(self._asked("GET", path, needs), {})

    def pages(self, path: str, key: str | None = None, *, needs: str, **query: str) -> list[Any]:
        """Return the items of all pages of a list.

        Args:
            path: Below the API's address.
            key: Where the list stands in the answer; None where it is the answer.
            needs: The workflow permission that it takes.
            query: Of the address.

        Raises:
            GitHubError: A page did not come; half a list is not returned.
        """
        asked = self._asked("GET", path, needs)
        items: list[Any] = []
        for page in range(1, _MOST_PAGES + 1):
            headers, data = self._read(asked, {**query, "per_page": PER_PAGE, "page": page})
            found = data.get(key) if key is not None and isinstance(data, dict) else data
            if not isinstance(found, list):
                raise not_understood(asked, HTTPStatus.OK, "it holds no list")
            items += found
            if 'rel="next"' not in headers.get("link", ""):
                return items
        raise not_understood(asked, HTTPStatus.OK, f"it has more than {_MOST_PAGES} pages")

    def write(self, verb: str, path: str, body: Mapping[str, Any] | None, *, needs: str) -> Any:
        """Ask for a change, once.

        Returns:
            What GitHub answers; None for nothing.

        Raises:
            GitHubError: It was refused, or it is not clear whether it was done (`unclear`).
        """
        return self._once(self._asked(verb, path, needs), {}, body)[1]

    def download(self, path: str, most: int, *, needs: str, digest: str | None) -> bytes:
        """Return the bytes that GitHub redirects to.

        Args:
            path: Below the API's address.
            most: Of them.
            needs: The workflow permission that it takes.
            digest: Their SHA-256 as GitHub states it; None where it does not.

        Raises:
            GitHubError: They did not come, not whole, or are more than `most`.
        """
        asked = self._asked("GET", path, needs)
        return self._patiently(lambda: self._whole(asked, most, digest))

    def _asked(self, verb: str, path: str, needs: str) -> Asked:
        return Asked(verb, path, needs, self.place.workflow)

    def _read(self, asked: Asked, query: Mapping[str, Any]) -> tuple[Mapping[str, str], Any]:
        return self._patiently(lambda: self._once(asked, query, None))

    def _patiently(self, attempt: Callable[[], T]) -> T:
        start, tries = time.monotonic(), self.patience.tries
        for number in range(1, tries):
            try:
                return attempt()
            except GitHubError as error:
                pause = self.pause(error, number)
                left = start + self.patience.total - time.monotonic()
                if pause is None or pause > left:
                    raise
            time.sleep(pause)
        return attempt()

    def pause(self, error: GitHubError, number: int) -> float | None:
        """Return how many seconds to wait before the next try; None when there is none.

        Args:
            error: What the last try came to.
            number: Of that try, from 1.
        """
        if error.again_after is None or error.again_after > self.patience.longest:
            return None
        pause: float = max(error.again_after, self.patience.pause * 2 ** (number - 1))
        return pause * (1 + random.uniform(0, _SPREAD))  # noqa: S311 -- no secret

    def _once(
        self, asked: Asked, query: Mapping[str, Any], body: Mapping[str, Any] | None
    ) -> tuple[Mapping[str, str], Any]:
        status, headers, text = self._send(asked, query, body)
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise refusal(asked, Said(status, headers, text))
        try:
            return headers, json.loads(text) if text else None
        except (ValueError, RecursionError) as error:
            raise not_understood(asked, status, f"it is not JSON ({error})") from error

    def _whole(self, asked: Asked, most: int, digest: str | None) -> bytes:
        data = self._bytes(asked, most)
        if digest in (None, sha256(data)):
            return data
        # Not a word about who made them: this only says that they got lost on the way.
        why = f"{len(data):,} bytes came, and they do not have the digest that it states"
        raise not_understood(asked, HTTPStatus.OK, why)

    def _bytes(self, asked: Asked, most: int) -> bytes:
        from mergeline.adapters.github_transport import TooLargeError, fetch

        status, headers, text = self._send(asked, {}, None)
        if status >= HTTPStatus.BAD_REQUEST:
            raise refusal(asked, Said(status, headers, text))
        address = headers.get("location", "")
        if urlsplit(address).scheme not in {"https", urlsplit(self.place.address).scheme}:
            raise not_understood(asked, status, "it names no https address to download from")
        place, seconds = self.place, self.patience.seconds
        try:
            status, data = fetch(address, most, place.verify, seconds)
        except TooLargeError as error:
            hint = "this is no bundle that Mergeline made, or its model is too large"
            raise GitHubError(f"the answer to {asked}: {error}", hint=hint, status=status) from None
        except _failures() as error:
            raise no_answer(asked, error, seconds) from error
        if status != HTTPStatus.OK:
            raise refusal(asked, Said(status, {}, ""))
        return data

    def _send(
        self, asked: Asked, query: Mapping[str, Any], body: Mapping[str, Any] | None
    ) -> tuple[int, Mapping[str, str], str]:
        """Ask once, whatever is answered.

        PyGithub's own objects are not used: they ask again for each field that an answer
        lacks, unseen and without our patience.
        """
        try:
            return self._requester.requestJson(asked.verb, asked.path, dict(query), None, body)
        except _failures() as error:
            raise no_answer(asked, error, self.patience.seconds) from error

    @cached_property
    def _requester(self) -> "Requester":
        from mergeline.adapters.github_transport import open_requester

        place = self.place
        return open_requester(place.address, place.token, place.verify, self.patience.seconds)


def _failures() -> tuple[type[Exception], ...]:
    """Return what requests, urllib3 and PyGithub raise for an answer that did not come."""
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    return (RequestException, HTTPError, OSError, RuntimeError, ValueError)
