"""Who wrote a pull request: nobody approves what is their own."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mergeline.adapters.github_types import Pull, PullCommit

_TRAILER = re.compile(r"^\s*co-authored-by:\s*(?P<name>.*?)\s*<(?P<email>[^<>]*)>", re.I | re.M)
# GitHub's own addresses, and those of a GitHub of one's own: `12345+login@users.noreply.HOST`.
_NOREPLY = re.compile(r"(?:\d+\+)?(?P<login>[^@+]+)@users\.noreply\..+", re.I)
# The committer of everything that is done in the browser; it is nobody.
WEB_FLOW = "web-flow"


@dataclass(frozen=True)
class Person:
    """An account as GitHub shows it to everybody; name and address may be hidden."""

    login: str
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True)
class Writers:
    """Who authored or co-authored a pull request, all in small letters.

    Attributes:
        logins: Accounts.
        names: Of those whose account is not known.
        emails: Of the same.
    """

    logins: frozenset[str]
    names: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()

    def include(self, person: Person) -> bool:
        """Return whether somebody is one of them, or could well be."""
        return (
            _small(person.login) in self.logins
            or (_small(person.name) or None) in self.names
            or (_small(person.email) or None) in self.emails
        )


def writers_of(pull: Pull, commits: Iterable[PullCommit]) -> Writers:
    """Return everybody who opened the pull request or had a hand in one of its commits.

    Accounts are compared by login. Where only a name and an address are known, an approver
    whose public name or address is the same counts as that person.
    """
    logins = {_small(pull.author)}
    strangers: list[tuple[str, str]] = []
    for commit in commits:
        logins |= {_small(commit.author), _small(commit.committer)}
        if commit.author is None:
            strangers.append((commit.author_name, commit.author_email))
        strangers += [(one["name"], one["email"]) for one in _TRAILER.finditer(commit.message)]
    names, emails = set(), set()
    for name, email in strangers:
        noreply = _NOREPLY.fullmatch(email.strip())
        if noreply:
            logins.add(_small(noreply["login"]))
        else:
            names.add(_small(name))
            emails.add(_small(email))
    nobody = {"", WEB_FLOW}
    return Writers(
        frozenset(logins - nobody), frozenset(names - nobody), frozenset(emails - nobody)
    )


def _small(text: str | None) -> str:
    return " ".join((text or "").casefold().split())
