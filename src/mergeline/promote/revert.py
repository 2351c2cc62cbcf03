"""After a rollback: the pull request that takes the merge back, so that main agrees again."""

from dataclasses import dataclass

from mergeline.adapters.git_revert import revert
from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Pull
from mergeline.errors import GitHubError, ToolError
from mergeline.ledger.entries import Promoted, RolledBack
from mergeline.promote.attribute import Merge, merge_at
from mergeline.promote.line import Line


@dataclass(frozen=True)
class Reverting:
    """What became of the pull request that reverts.

    Attributes:
        pull_request: Its number; None where it is left to people.
        why: Why it is, a sentence; empty where it is open.
        commands: What they type.
    """

    pull_request: int | None = None
    why: str = ""
    commands: tuple[str, ...] = ()


def open_revert(line: Line, github: GitHub, rolled_back: RolledBack, of: Promoted) -> Reverting:
    """Push a branch that takes back what a promoted pull request brought, and open its own.

    Done twice it finds what was done.

    Args:
        line: The line.
        github: With a token of the line's own: what GitHub's token for a job opens is
            never checked.
        rolled_back: Why.
        of: The promotion that was replaced.
    """
    try:
        merge = merge_at(line, github, of.position)
        commands = revert_commands(line, of, merge)
        if merge is None or merge.base is None:
            return Reverting(None, "What it brought is not known to the commit.", commands)
        tip = line.remote.fetched(line.main) or of.position
        title = f"Take back #{of.pull_request}: version {of.release.version} was rolled back"
        commit = revert(line.git, tip, merge.base, merge.commit, f"{title}\n\n{_trail(of)}\n")
        if commit is None:
            return Reverting(None, "Something that came since stands in its way.", commands)
        if commit == tip:
            return Reverting(None, f"{line.main} does not hold it any more.")
        branch = branch_of(of)
        if line.remote.tip(branch) is None:
            line.remote.push(branch, commit, None)
        pull = _opened(line, github, title, _body(rolled_back, of), branch)
    except (GitHubError, ToolError) as error:
        commands = revert_commands(line, of, None)
        return Reverting(None, f"{error.message}.", commands)
    return Reverting(pull.number)


def branch_of(of: Promoted) -> str:
    """Return the branch that takes a promoted merge back."""
    return f"mergeline/revert-{of.pull_request}-{of.position[:8]}"


def revert_commands(line: Line, of: Promoted, merge: Merge | None) -> tuple[str, ...]:
    """Return what somebody types to take a merge back.

    Args:
        line: The line.
        of: The promotion.
        merge: What is known of its commits; None takes the last one for all.
    """
    commits = tuple(reversed(merge.commits)) if merge else (of.position,)
    mainline = " -m 1" if len(line.git.parents(of.position)) > 1 else ""
    branch, remote = branch_of(of), line.remote.name
    return (
        f"git fetch {remote} {line.main}",
        f"git switch --create {branch} FETCH_HEAD",
        f"git revert --no-edit{mainline} {' '.join(commits)}",
        f"git push {remote} {branch}",
        f"gh pr create --base {line.main} --head {branch} --fill",
    )


def _opened(line: Line, github: GitHub, title: str, body: str, branch: str) -> Pull:
    """Return the open pull request of a branch, made where there is none."""
    owner = github.repository.partition("/")[0]
    known = github.open_pulls(owner, branch)
    if known:
        return known[0]
    try:
        return github.create_pull(title, branch, line.main, body)
    except GitHubError as error:
        made = github.open_pulls(owner, branch) if error.unclear else ()
        if not made:
            raise
        return made[0]


def _trail(of: Promoted) -> str:
    return f"This takes back {of.position}, which #{of.pull_request} became on main."


def _body(rolled_back: RolledBack, of: Promoted) -> str:
    """Return the text of the pull request; the reason is quoted as it is, and does nothing."""
    quoted = "\n".join(f"    {line}" for line in rolled_back.reason.splitlines())
    return (
        f"Version {of.release.version} was rolled back in `{rolled_back.environment}` (entry "
        f"{rolled_back.number} of the ledger); version {rolled_back.release.version} answers "
        f"again. The reason given:\n\n{quoted}\n\n{_trail(of)} Until it is merged, every merge "
        "that leaves the model as it is ends in BARRED.\n"
    )
