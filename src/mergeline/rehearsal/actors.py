"""What the people around a repository do: push a branch elsewhere, then act here, in Python."""

from collections.abc import Mapping
from dataclasses import dataclass

from mergeline.rehearsal import merging, opening, queueing
from mergeline.rehearsal.required import missing_approvals, missing_statuses
from mergeline.rehearsal.resources import comments, reviews
from mergeline.rehearsal.state import Pull, Repo
from mergeline.rehearsal.watching import close, notice_pushes
from mergeline.rehearsal.world import World


@dataclass
class People:
    """The people around one repository.

    Attributes:
        world: All that the stand-in knows; hold `world.lock` to change it.
        repo: The main repository's records.
    """

    world: World
    repo: Repo

    @property
    def name(self) -> str:
        """`OWNER/NAME` of the main repository (`GITHUB_REPOSITORY`)."""
        return self.repo.full_name

    def token(
        self,
        login: str,
        permission: str | None = None,
        scopes: Mapping[str, str] | None = None,
        classic: tuple[str, ...] | None = None,
    ) -> str:
        """Make a token.

        Args:
            login: Whose; the account is made when there is none.
            permission: `read`, `write` or `admin`; that of the account unless given.
            scopes: As `permissions:` of a workflow, `{"pull_requests": "write"}`: what is
                not named may not be written, and settings not be read.
            classic: The scopes that GitHub states of a classic token: `("repo",)`.
        """
        with self.world.lock:
            if login not in self.world.users:
                self.add_user(login)
            return self.world.add_token(self.repo, login, permission, scopes, classic)

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
        """Delete an account and its tokens; what it did is nobody's from then on."""
        with self.world.lock:
            if any(repo.owner == login for repo in self.world.repos.values()):
                raise ValueError(f"{login} owns a repository")
            self.world.users.pop(login, None)
            self.repo.collaborators.pop(login, None)
            for text in [key for key, one in self.world.tokens.items() if one.login == login]:
                del self.world.tokens[text]

    def add_fork(self, owner: str, name: str | None = None) -> str:
        """Make somebody's fork and return its folder, a remote for Git."""
        with self.world.lock:
            full_name = f"{owner}/{name or self.repo.name}"
            fork = self.world.add_repo(full_name, parent=self.repo)
            for ref, sha in self.repo.git.refs("refs/heads/").items():
                fork.git.bring(self.repo.git.path, sha, ref)
            return str(fork.git.path)

    def remove_fork(self, owner: str, name: str | None = None) -> None:
        """Delete somebody's fork; its pull requests stay, with all that they brought."""
        with self.world.lock:
            notice_pushes(self.world)
            fork = self.world.repos.pop(f"{owner}/{name or self.repo.name}".lower())
            for pull in self.repo.pulls.values():
                if pull.head_repo is fork:
                    pull.head_repo = None

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
            missing = missing_statuses(self.repo, pull)
            if missing:
                raise ValueError(f"the required status {', '.join(missing)} is not green")
            lacking = missing_approvals(self.repo, pull)
            if lacking:
                raise ValueError(f"approvals by people who may write: {lacking} more needed")
            who = login or self.repo.owner
            commit = merging.merge(self.world, self.repo, pull, method=method, login=who)
            if commit is None:
                raise ValueError(f"pull request {number} cannot be merged by {method}")
            notice_pushes(self.world)
            return commit

    def queue(self, number: int, method: str = "merge", login: str | None = None) -> str:
        """Put a pull request at the end of its base's merge queue; return its group's commit.

        What is not on top of the base any more is taken out of the queue. Once more for the
        same one, its group is made anew; those behind it have to be queued again.

        Args:
            number: The pull request.
            method: `merge`, `squash` or `rebase`.
            login: Who does it; the repository's owner unless given.
        """
        pull = self.pull(number)
        with self.world.lock:
            if pull.state != "open" or missing_statuses(self.repo, pull):
                raise ValueError(f"pull request {number} is {pull.state} or lacks a status")
            who = login or self.repo.owner
            commit = queueing.enqueue(self.world, self.repo, pull, method=method, login=who)
            if commit is None:
                raise ValueError(f"pull request {number} conflicts with what is before it")
            return commit

    def merge_queued(self, number: int) -> str:
        """Let the queue merge a pull request and all ahead of it; return main's new tip."""
        pull = self.pull(number)
        with self.world.lock:
            groups = queueing.ahead(self.repo, pull)
            for group in groups:
                one = self.repo.pulls[group.branch.number]
                missing = missing_statuses(self.repo, one, group.commit)
                if missing:
                    raise ValueError(f"#{one.number} lacks {', '.join(missing)} on its group")
            commit = queueing.merge(self.world, self.repo, groups, self.repo.owner)
            notice_pushes(self.world)
            return commit
