"""The connection under PyGithub, bounded in time and size.

Imported only when something is asked: PyGithub takes half a second. Its own connection
waits for ever for an answer that comes a byte at a time, and its own download refuses the
host that GitHub keeps artifacts on.
"""

import logging
import threading
import time
from typing import Any

import requests
from github import Auth
from github.Requester import (
    HTTPRequestsConnectionClass,
    HTTPSRequestsConnectionClass,
    Requester,
    RequestsResponse,
)

_MEGABYTE = 1 << 20
_WHOLE = 64 * _MEGABYTE  # a page of a hundred comments of full length, escaped, has 40
_CHUNK = 1 << 16
# How many times the wait for a byte the whole answer, or a download, may take.
_ANSWER, _DOWNLOAD = 3, 60
_MAKING = threading.Lock()


class TooLargeError(Exception):
    """An answer has more bytes than were asked for."""


class Taken(RequestsResponse):
    """An answer whose body is here already."""

    def __init__(self, response: requests.Response, body: bytes) -> None:
        super().__init__(response)
        self.body = body

    def read(self) -> str:
        """Return the body as text; what is not UTF-8 cannot be read as JSON either."""
        return self.body.decode(errors="replace")


def open_requester(address: str, token: str, verify: bool | str, seconds: int) -> Requester:
    """Return PyGithub's requester: it knows the token, the address and the connection.

    Args:
        address: Of the API, without a slash at the end.
        token: Goes to that host only.
        verify: Path of the authorities' certificates; True for those of the system.
        seconds: How long to wait for a connection, and for each piece of an answer.
    """
    logging.getLogger("github").setLevel(logging.CRITICAL)  # our errors say it
    # The classes are taken when it is made; left in place they would change every user's.
    with _MAKING:
        Requester.injectConnectionClasses(_Plain, _Secure)
        try:
            return Requester(
                auth=Auth.Token(token),
                base_url=address,
                timeout=seconds,
                user_agent="mergeline",
                per_page=100,
                verify=verify,
                retry=None,
                pool_size=None,
                seconds_between_requests=0,
                seconds_between_writes=0,
                api_version="2022-11-28",
            )
        finally:
            Requester.resetConnectionClasses()


def fetch(address: str, most: int, verify: bool | str, seconds: int) -> tuple[int, bytes]:
    """Return status and bytes of a file that GitHub redirected to, without any credential.

    Raises:
        TooLargeError: It has more than `most` bytes.
        requests.RequestException: It did not come, or not whole.
    """
    with requests.Session() as session:
        session.auth = Requester.noopAuth  # no password of a .netrc file either
        with session.get(
            address, timeout=seconds, verify=verify, allow_redirects=False, stream=True
        ) as response:
            return response.status_code, _take(response, most, seconds * _DOWNLOAD)


def _take(response: requests.Response, most: int, seconds: float) -> bytes:
    """Read a body, piece by piece as they come, so that the clock is looked at."""
    end = time.monotonic() + seconds
    parts, size = [], 0
    while part := response.raw.read1(_CHUNK, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > most:
            raise TooLargeError(f"it has more than {most:,} bytes")
        if time.monotonic() > end:
            raise requests.ReadTimeout(f"it was not whole after {seconds:g} seconds")
    return b"".join(parts)


def _answer(connection: Any) -> RequestsResponse:
    address = f"{connection.protocol}://{connection.host}:{connection.port}{connection.url}"
    with connection.session.request(
        connection.verb,
        address,
        headers=connection.headers,
        data=connection.input,
        timeout=connection.timeout,
        verify=connection.verify,
        allow_redirects=False,
        stream=True,
    ) as response:
        return Taken(response, _take(response, _WHOLE, connection.timeout * _ANSWER))


class _Plain(HTTPRequestsConnectionClass):
    def getresponse(self) -> RequestsResponse:
        return _answer(self)


class _Secure(HTTPSRequestsConnectionClass):
    def getresponse(self) -> RequestsResponse:
        return _answer(self)
