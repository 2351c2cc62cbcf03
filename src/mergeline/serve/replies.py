"""Answers to a request, and what an error looks like to a client."""

import json
from dataclasses import dataclass, field

JSON = "application/json"
_MOST_MESSAGE = 1000

# The names that MLflow's clients know, by status.
_CODES = {
    400: "BAD_REQUEST",
    404: "RESOURCE_DOES_NOT_EXIST",
    405: "BAD_REQUEST",
    408: "REQUEST_TIMEOUT",
    413: "REQUEST_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a request.

    Attributes:
        status: As in HTTP.
        content_type: Of the body.
        headers: More of them, lower case.
    """

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = field(default=())

    @property
    def failed(self) -> bool:
        """Whether the server, and not the client, is at fault."""
        return self.status >= 500  # noqa: PLR2004 -- HTTP's


def problem(status: int, message: str, hint: str, **headers: str) -> Reply:
    """Return an error as JSON: `error_code` and `message` as MLflow's, and a `hint`.

    Args:
        status: As in HTTP.
        message: What was seen and what was expected; cut to a bounded length.
        hint: What to do next.
        headers: More headers, `_` standing for `-`.
    """
    said = {
        "error_code": _CODES.get(status, "INTERNAL_ERROR"),
        "message": message[:_MOST_MESSAGE],
        "hint": hint[:_MOST_MESSAGE],
    }
    body = json.dumps(said, ensure_ascii=False).encode(errors="replace")
    more = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(status, JSON, body, more)
