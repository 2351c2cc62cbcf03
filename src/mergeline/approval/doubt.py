"""Where GitHub does not know whose a change is, one approval more is asked for.

The rule, in this one place. Nobody approves what is their own, but that can be seen only while
whoever pushed is one of those whom GitHub names. It need not be so where

- the author or the committer of a commit is linked to no account: a commit can be written
  under any name and address; or
- a bot opened the pull request, so that who pushed its commits did not.

There one approval more is needed than the policy says: one of them may be the pusher's, not
all. A policy that asks for none still asks for none.

Two things are fine. `web-flow` is the committer of what is done in the browser, and GitHub
names the author. And a bot's own pull request, as Dependabot's, asks for no more where
accounts of bots wrote all of its commits; not so a bot that does as any writer tells it, which
is what the token of a workflow and a coding agent do.

What GitHub does not tell here is who pushed: an address in a commit may be another's. That is
what its own rule is for, the approval of the most recent push; `mergeline doctor` wants it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mergeline.adapters.github import ACTIONS_USER
from mergeline.adapters.github_types import Pull, PullCommit
from mergeline.approval.people import WEB_FLOW

# People's logins hold no brackets. One bot of GitHub's own is called otherwise.
_BOT, _AGENT = "[bot]", "copilot"
# They do what anybody tells them who may push.
_TOLD = {ACTIONS_USER, _AGENT, "copilot-swe-agent[bot]"}


@dataclass(frozen=True)
class Doubt:
    """Why it is not known whose a change is.

    Attributes:
        why: A clause, without a full stop.
        way_out: What ends the doubt, a clause; empty where nothing does.
    """

    why: str
    way_out: str = ""


def doubt_of(pull: Pull, commits: Sequence[PullCommit]) -> Doubt | None:
    """Return why one approval more is needed; None where the policy's number is enough."""
    unlinked = _unlinked(commits)
    if unlinked is not None:
        return unlinked
    opener = pull.author or ""
    if not _is_bot(opener):
        return None
    if opener.casefold() in _TOLD:
        return Doubt(f"{opener} opened it, which does what others tell it")
    hands = (login for commit in commits for login in (commit.author, commit.committer))
    people = sorted({login for login in hands if login and not _is_machine(login)})
    if people:
        return Doubt(f"{opener} opened it, and {people[0]} wrote a part of it")
    return None


def _unlinked(commits: Sequence[PullCommit]) -> Doubt | None:
    for role in ("author", "committer"):
        of = [one.sha[:12] for one in commits if getattr(one, role) is None]
        if of:
            more = f" (and of {len(of) - 1} more)" if len(of) > 1 else ""
            return Doubt(
                f"the {role} of {of[0]}{more} is no account that GitHub knows",
                "whoever wrote it adds the address in that commit to their account at GitHub",
            )
    return None


def _is_bot(login: str) -> bool:
    return login.endswith(_BOT) or login.casefold() == _AGENT


def _is_machine(login: str) -> bool:
    return _is_bot(login) or login.casefold() == WEB_FLOW
