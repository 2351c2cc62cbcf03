"""One call of the API: what was asked, and the routes that answer."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote

from mergeline.rehearsal.answers import Answer, Refusal, not_found
from mergeline.rehearsal.state import Repo, Token, User
from mergeline.rehearsal.world import World

_SLASHES = ("ref", "branch")  # parameters in whose place slashes may stand


@dataclass(frozen=True)
class Call:
    """What a client asks.

    Attributes:
        world: All that there is.
        method: `GET`, `POST`, ...
        path: Without the prefix `/api/v3`.
        query: The last value of each name.
        body: The parsed body; an empty mapping when there is none.
        token: Whose token it came with.
        api: Start of the API's addresses as this client sees them.
        html: Start of the pages' addresses.
        parameters: What stands in the place of the route's `{names}`.
    """

    world: World
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    token: Token
    api: str
    html: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def user(self) -> User:
        """Who asks."""
        return self.world.users[self.token.login]

    @property
    def repo(self) -> Repo:
        """The repository of the path."""
        found = self.world.find_repo(f"{self.parameters['owner']}/{self.parameters['repo']}")
        if found is None:
            raise not_found()
        return found

    def number(self, name: str) -> int:
        """Return a number of the path."""
        text = self.parameters[name]
        if not re.fullmatch("[0-9]{1,18}", text):
            raise not_found()
        return int(text)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text of the body; refused when it is not there or no text."""
        value = self.body.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            what = "wasn't supplied" if value is None else "is not a string"
            raise Refusal(422, f'Invalid request.\n\n"{name}" {what}.')
        return value

    def optional(self, name: str) -> str | None:
        """Return a text of the body; None when it is not there or null."""
        return None if self.body.get(name) is None else self.text(name)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a truth value of the body."""
        value = self.body.get(name, default)
        if not isinstance(value, bool):
            raise Refusal(422, f'Invalid request.\n\n"{name}" is not a boolean.')
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """Return a text of the body that is one of a few."""
        value = self.text(name, default)
        if value not in allowed:
            raise Refusal(422, f"Invalid request.\n\n{value} is not a member of {list(allowed)}.")
        return value


def commit_of(call: Call, ref: str) -> str:
    """Return the commit that a branch, tag or id names; refused as GitHub does."""
    commit = call.repo.git.resolve(ref)
    if commit is None:
        raise Refusal(422, f"No commit found for SHA: {ref}")
    return commit


@dataclass(frozen=True)
class Route:
    """An address of the API.

    Attributes:
        method: `GET`, `POST`, ...
        template: As GitHub's own description writes it: `/repos/{owner}/{repo}`.
        handler: What answers.
        scopes: The permissions of a workflow's token one of which a write needs.
    """

    method: str
    template: str
    handler: Callable[[Call], Answer]
    scopes: tuple[str, ...] = ()

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Return the parameters when this route answers that path, else None."""
        if method != self.method:
            return None
        found = _pattern(self.template).fullmatch(path)
        return None if found is None else {k: unquote(v) for k, v in found.groupdict().items()}


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    parts[::2] = map(re.escape, parts[::2])
    parts[1::2] = (f"(?P<{name}>{'.+' if name in _SLASHES else '[^/]+'})" for name in parts[1::2])
    return re.compile("".join(parts))
