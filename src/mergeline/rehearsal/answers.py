"""What is answered, and what is refused, as GitHub writes it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
_DOCUMENTATION = "https://docs.github.com/rest"


class Refusal(Exception):
    """GitHub's answer to a call that it does not carry out.

    Attributes:
        status: The HTTP status.
        message: What GitHub says.
        errors: The fields that are wrong, for a 422.
    """

    def __init__(self, status: int, message: str, errors: list[Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors

    def answer(self) -> "Answer":
        """Return it as GitHub writes it."""
        body: Json = {"message": self.message, "documentation_url": _DOCUMENTATION}
        if self.errors is not None:
            body["errors"] = self.errors
        return Answer(self.status, body | {"status": str(self.status)})


@dataclass(frozen=True)
class Answer:
    """Status, body (JSON, bytes, or None for no body) and further headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """Return the body as it is sent."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


def not_found() -> Refusal:
    """Return GitHub's answer for what is not there, or not to be seen."""
    return Refusal(404, "Not Found")


def invalid(resource: str, name: str, code: str, message: str | None = None) -> Refusal:
    """Return GitHub's answer to a field that is wrong."""
    error = {"resource": resource, "code": code, "field": name}
    return Refusal(422, "Validation Failed", [error | ({"message": message} if message else {})])
