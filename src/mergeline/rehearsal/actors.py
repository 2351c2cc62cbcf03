"""The rehearsal from Python: start and stop it, and act as the people around a repository."""

import base64
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mergeline.rehearsal import merging, opening
from mergeline.rehearsal.api import PREFIX
from mergeline.rehearsal.faults import Fault, Kind
from mergeline.rehearsal.recorder import Request
from mergeline.rehearsal.resources import comments, reviews
from mergeline.rehearsal.server import Server
from mergeline.rehearsal.state import Artifact, Pull, Repo, Run
from mergeline.rehearsal.watching import close, notice_pushes
from mergeline.rehearsal.world import World, now


@dataclass
class Rehearsal:
    """A running stand-in and its one main repository.

    Attributes:
        world: All that it knows; hold `world.lock` to change it.
        repo: The main repository's records.
        ca_file: The certificate that clients must trust for `tls_url`; None without TLS.
    """

    world: World
    repo: Repo
    ca_file: Path | None = None
    _servers: list[Server] = field(default_factory=list)

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        repository: str = "acme/credit",
        private: bool = False,
        tls: bool = False,
        port: int = 0,
        tls_port: int = 0,
        clock: Callable[[], datetime] = now,
    ) -> Self:
        """Start it on loopback ports.

        Args:
            folder: For the bare repositories (`OWNER/NAME.git`; one that is there is used)
                and the certificate.
            repository: `OWNER/NAME` of the main repository.
            private: Whether strangers do not see it.
            tls: Whether to listen with TLS too.
            port: Of HTTP; 0 takes a free one.
            tls_port: Of TLS; 0 takes a free one.
            clock: Gives the time, with its zone.
        """
        world = World(folder, clock)
        repo = world.add_repo(repository)
        repo.private = private
        rehearsal = cls(world, repo)
        rehearsal._servers.append(Server(world, rehearsal.actors(), port))
        if tls:
            from mergeline.rehearsal.certificate import make_certificate

            rehearsal.ca_file, context = make_certificate(folder / "tls")
            rehearsal._servers.append(Server(world, rehearsal.actors(), tls_port, context))
        for server in rehearsal._servers:
            server.start()
        return rehearsal

    def stop(self) -> None:
        """Stop listening and close all connections; the repositories stay on disk."""
        while self._servers:
            self._servers.pop().stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Address of the server: `http://127.0.0.1:PORT` (`GITHUB_SERVER_URL`)."""
        return self._servers[0].url

    @property
    def api_url(self) -> str:
        """Address of the API (`GITHUB_API_URL`)."""
        return self.url + PREFIX

    @property
    def tls_url(self) -> str | None:
        """Address with TLS: `https://localhost:PORT`; None without."""
        return self._servers[1].url if len(self._servers) > 1 else None

    @property
    def name(self) -> str:
        """`OWNER/NAME` of the main repository (`GITHUB_REPOSITORY`)."""
        return self.repo.full_name

    @property
    def remote(self) -> str:
        """The bare repository's folder: a remote for Git."""
        return str(self.repo.git.path)

    @property
    def clone_url(self) -> str:
        """The repository over HTTP: a remote for Git that asks for a token."""
        return f"{self.url}/{self.name}.git"

    def token(
        self,
        login: str,
        permission: str | None = None,
        scopes: Mapping[str, str] | None = None,
    ) -> str:
        """Make a token.

        Args:
            login: Whose; the account is made when there is none.
            permission: `read`, `write` or `admin`; that of the account unless given.
            scopes: As `permissions:` of a workflow, `{"pull_requests": "write"}`: what is
                not named may not be written.
        """
        with self.world.lock:
            if login not in self.world.users:
                self.add_user(login)
            return self.world.add_token(self.repo, login, permission, scopes)

    def add_user(
        self,
        login: str,
        name: str | None = None,
        email: str | None = None,
        permission: str | None = None,
    ) -> None:
        """Make an account.

        Args:
            login: Its name.
            name: The person's name; the login unless given.
            email: Commits with this address are this person's.
            permission: `admin`, `maintain`, `write`, `triage` or `read` in the repository;
                None: not a collaborator, who in a public repository reads.
        """
        with self.world.lock:
            self.world.add_user(login, name, email)
            if permission is None:
                self.repo.collaborators.pop(login, None)
            else:
                self.repo.collaborators[login] = permission

    def remove_user(self, login: str) -> None:
        """Delete an account; what it did is nobody's from then on."""
        with self.world.lock:
            self.world.users.pop(login, None)
            self.repo.collaborators.pop(login, None)

    def add_fork(self, owner: str, name: str | None = None) -> str:
        """Make somebody's fork and return its folder, a remote for Git."""
        with self.world.lock:
            full_name = f"{owner}/{name or self.repo.name}"
            fork = self.world.add_repo(full_name, parent=self.repo)
            for ref, sha in self.repo.git.refs("refs/heads/").items():
                fork.git.bring(self.repo.git.path, sha, ref)
            return str(fork.git.path)

    def open_pull(
        self,
        head: str,
        base: str = "main",
        *,
        login: str,
        title: str | None = None,
        body: str | None = None,
        draft: bool = False,
    ) -> int:
        """Open a pull request and return its number.

        Args:
            head: The branch, `OWNER:BRANCH` for a fork's.
            base: Where it goes.
            login: Who opens it.
            title: Its title; that of its last commit unless given.
            body: Its text.
            draft: Whether it is a draft.
        """
        with self.world.lock:
            owner, _, branch = head.rpartition(":")
            source = self._source(owner)
            tip = source.git.tip(branch)
            if tip is None or self.repo.git.tip(base) is None:
                raise LookupError(f"there is no branch {head!r}, or none named {base!r}")
            pull = opening.open_pull(
                self.world,
                self.repo,
                login=self.world.users[login].login,
                title=title or source.git.commit(tip).title,
                body=body,
                head=(source, branch),
                base=base,
                draft=draft,
            )
            return pull.number

    def _source(self, owner: str) -> Repo:
        repos = self.world.repos.values()
        return next((one for one in repos if one.owner == owner and one.parent), self.repo)

    def pull(self, number: int) -> Pull:
        """Return what is known of a pull request now."""
        with self.world.lock:
            notice_pushes(self.world)
            return self.repo.pulls[number]

    def close_pull(self, number: int) -> None:
        """Close a pull request without merging it."""
        pull = self.pull(number)
        with self.world.lock:
            close(self.world, self.repo, pull)

    def approve(self, number: int, login: str, commit: str | None = None, body: str = "") -> int:
        """Approve a pull request as somebody; return the review's id.

        Args:
            number: The pull request.
            login: Who approves; anybody who can read may.
            commit: What was looked at; the head unless given.
            body: What is said.
        """
        return self._review(number, login, "APPROVE", body, commit)

    def request_changes(self, number: int, login: str, body: str = "please change this") -> int:
        """Ask for changes as somebody; return the review's id."""
        return self._review(number, login, "REQUEST_CHANGES", body, None)

    def _review(self, number: int, login: str, event: str, body: str, commit: str | None) -> int:
        pull = self.pull(number)
        with self.world.lock:
            review = reviews.add_review(
                self.world, pull, login=login, event=event, body=body, commit=commit
            )
            return review.id

    def dismiss(self, number: int, review: int) -> None:
        """Dismiss a review."""
        with self.world.lock:
            found = next(one for one in self.pull(number).reviews if one.id == review)
            reviews.dismiss_review(found)

    def comment(self, number: int, login: str, body: str) -> int:
        """Comment on a pull request as somebody; return the comment's id."""
        with self.world.lock:
            made = comments.add_comment(
                self.world, self.repo, number=number, login=login, body=body
            )
            return made.id

    def merge(self, number: int, method: str = "merge", login: str | None = None) -> str:
        """Merge a pull request and return the commit that main now ends with.

        Args:
            number: The pull request.
            method: `merge`, `squash` or `rebase`.
            login: Who merges; the repository's owner unless given.
        """
        pull = self.pull(number)
        with self.world.lock:
            if pull.state != "open" or not pull.mergeable:
                raise ValueError(f"pull request {number} is {pull.state} and cannot be merged")
            who = login or self.repo.owner
            commit = merging.merge(self.world, self.repo, pull, method=method, login=who)
            if commit is None:
                raise ValueError(f"pull request {number} cannot be merged by {method}")
            notice_pushes(self.world)
            return commit

    def add_run(
        self,
        head_sha: str,
        *,
        event: str = "pull_request",
        head_branch: str | None = None,
        head_repository: str | None = None,
        status: str = "completed",
        conclusion: str | None = "success",
        login: str | None = None,
        name: str = "mergeline",
        path: str = ".github/workflows/mergeline.yml",
        artifacts: Mapping[str, bytes | Mapping[str, bytes]] | None = None,
    ) -> int:
        """Make a workflow run and return its id.

        Args:
            head_sha: What it ran on.
            event: `pull_request`, `push`, ...
            head_branch: Its branch.
            head_repository: `OWNER/NAME`; the main one unless given.
            status: `queued`, `in_progress` or `completed`.
            conclusion: `success`, `failure`, ...
            login: Who started it; the owner unless given.
            name: The workflow's name.
            path: The workflow's file.
            artifacts: Zip files by name; a mapping is zipped.
        """
        with self.world.lock:
            at = self.world.clock()
            kept = [
                Artifact(self.world.next_id(), key, _zip(value), at)
                for key, value in (artifacts or {}).items()
            ]
            run = Run(
                id=self.world.next_id(),
                number=len(self.repo.runs) + 1,
                head_sha=head_sha,
                head_branch=head_branch,
                head_repo=head_repository or self.name,
                event=event,
                status=status,
                conclusion=conclusion if status == "completed" else None,
                login=login or self.repo.owner,
                name=name,
                path=path,
                created=at,
                updated=at,
                artifacts=kept,
            )
            self.repo.runs[run.id] = run
            return run.id

    def expire(self, run: int, name: str | None = None) -> None:
        """Let a run's artifacts expire: all, or the one of that name."""
        with self.world.lock:
            for artifact in self.repo.runs[run].artifacts:
                artifact.expired |= name in (None, artifact.name)

    def add_ruleset(self, ruleset: Mapping[str, Any]) -> int:
        """Add a ruleset as GitHub shows it, without its id, and return the id."""
        with self.world.lock:
            number = self.world.next_id()
            self.repo.rulesets.append({"id": number, **ruleset})
            return number

    def add_environment(self, name: str, **about: Any) -> None:
        """Add an environment; `about` are further fields as GitHub shows them."""
        with self.world.lock:
            self.repo.environments[name] = {"id": self.world.next_id(), **about}

    def fault(self, method: str, path: str, kind: Kind = "status", **how: Any) -> None:
        """Set a fault; see `mergeline.rehearsal.faults.Fault` for `how`."""
        self.world.faults.add(Fault(method, path, kind, **how))

    @property
    def requests(self) -> list[Request]:
        """All calls so far."""
        return list(self.world.recorder.requests)

    @property
    def writes(self) -> list[Request]:
        """The calls so far that write."""
        return self.world.recorder.writes()

    def actors(self) -> dict[str, Callable[..., Any]]:
        """Return what `POST /_rehearsal/do/NAME` can do."""
        acts = (
            self.token,
            self.add_user,
            self.remove_user,
            self.add_fork,
            self.open_pull,
            self.close_pull,
            self.approve,
            self.request_changes,
            self.dismiss,
            self.comment,
            self.merge,
            self.expire,
            self.add_ruleset,
            self.add_environment,
        )
        return {act.__name__: act for act in acts} | {"add_run": self._add_run_of_json}

    def _add_run_of_json(self, artifacts: Mapping[str, str] | None = None, **about: Any) -> int:
        zips = {name: base64.b64decode(text) for name, text in (artifacts or {}).items()}
        return self.add_run(artifacts=zips, **about)


def _zip(files: bytes | Mapping[str, bytes]) -> bytes:
    if isinstance(files, bytes):
        return files
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()
