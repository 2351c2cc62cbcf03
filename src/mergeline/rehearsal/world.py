"""Everything that the stand-in knows, and the one lock around it."""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from mergeline.rehearsal.faults import Faults
from mergeline.rehearsal.recorder import Recorder
from mergeline.rehearsal.repository import Person, Repository
from mergeline.rehearsal.state import Repo, Token, User

BOT = "github-actions[bot]"
WEB_FLOW = "web-flow"
# Who did what a deleted account did.
GHOST = User("ghost", 10137, "ghost", "ghost@users.noreply.github.com")


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


@dataclass
class World:
    """All repositories, people and tokens.

    Whoever reads or changes any of it holds `lock`.

    Attributes:
        folder: Where the bare repositories are, as `OWNER/NAME.git`.
        clock: Gives the time of everything that is made.
        downloads: Zip files by the secret part of the address that GitHub redirects to.
        secret: Opens the rehearsal's own addresses.
    """

    folder: Path
    clock: Callable[[], datetime] = now
    lock: threading.RLock = field(default_factory=threading.RLock)
    ids: "count[int]" = field(default_factory=lambda: count(1001))
    users: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    repos: dict[str, Repo] = field(default_factory=dict)
    downloads: dict[str, bytes] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    recorder: Recorder = field(default_factory=Recorder)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def __post_init__(self) -> None:
        self.add_user(WEB_FLOW, "GitHub", "noreply@github.com")
        bot = "41898282+github-actions[bot]@users.noreply.github.com"
        self.add_user(BOT, BOT, bot, "Bot")

    def next_id(self) -> int:
        """Return an id that is greater than every one before."""
        return next(self.ids)

    def add_user(
        self, login: str, name: str | None = None, email: str | None = None, kind: str = "User"
    ) -> User:
        """Make an account, or change the one that is there."""
        known = self.users.get(login)
        number = known.id if known else self.next_id()
        address = email or f"{number}+{login}@users.noreply.github.com"
        self.users[login] = User(login, number, name or login, address, kind)
        return self.users[login]

    def add_token(
        self,
        repo: Repo,
        login: str,
        permission: str | None = None,
        scopes: Mapping[str, str] | None = None,
        classic: tuple[str, ...] | None = None,
    ) -> str:
        """Make a token; its permission is that of the account in `repo` unless given."""
        role = {"maintain": "write", "triage": "read"}.get(self.role(repo, login))
        allowed = permission or role or self.role(repo, login)
        kind = "ghs" if classic is None else "ghp"
        text = f"{kind}_{secrets.token_hex(18)}"
        given = None if scopes is None else dict(scopes)
        self.tokens[text] = Token(login, allowed, given, classic)
        return text

    def add_repo(self, full_name: str, parent: Repo | None = None) -> Repo:
        """Make a repository, or take the bare one that is in the folder."""
        owner, name = full_name.split("/")
        if owner not in self.users:
            self.add_user(owner)
        git = Repository.make(self.folder / owner / f"{name}.git")
        repo = Repo(owner, name, self.next_id(), git, self.clock(), parent=parent)
        repo.collaborators[owner] = "admin"
        self.repos[full_name.lower()] = repo
        return repo

    def find_repo(self, full_name: str) -> Repo | None:
        """Return a repository; GitHub does not look at capitals."""
        return self.repos.get(full_name.lower())

    def find_user(self, login: str) -> User | None:
        """Return an account; GitHub does not look at capitals."""
        found = self.users.get(login)
        if found is None:
            lower = login.lower()
            found = next((one for one in self.users.values() if one.login.lower() == lower), None)
        return found

    def user_of(self, email: str) -> User | None:
        """Return the account that an address of a commit belongs to."""
        lower = email.lower()
        return next((one for one in self.users.values() if one.email.lower() == lower), None)

    def person(self, login: str) -> Person:
        """Return somebody as author or committer of a commit that is made now."""
        user = self.users.get(login, GHOST)
        return Person(user.name, user.email, self.clock())

    def reads(self, repo: Repo, token: Token) -> bool:
        """Return whether a repository exists for who has this token."""
        return self._is_robot(token) or self.role(repo, token.login) != "none"

    def writes(self, repo: Repo, token: Token) -> bool:
        """Return whether this token's account may change what is not its own."""
        role = self.role(repo, token.login)
        may = self._is_robot(token) or role in ("admin", "maintain", "write")
        return may and token.permission != "read"

    def _is_robot(self, token: Token) -> bool:
        # A workflow's token is of this repository; its account is nobody's collaborator.
        return self.users[token.login].kind == "Bot"

    def role(self, repo: Repo, login: str) -> str:
        """Return `admin`, `maintain`, `write`, `triage`, `read` or `none`."""
        # Anybody reads a public repository; that is why an approval alone says nothing.
        return repo.collaborators.get(login, "none" if repo.private else "read")
