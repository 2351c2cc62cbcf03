"""What people see of an outcome: aliases, deployment and comment, made from the ledger.

All can be made again at any time; whatever fails here changes nothing that is live.
"""

import re

from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Deployment, DeploymentState
from mergeline.adapters.registry import Registry
from mergeline.config.settings import Settings
from mergeline.errors import GitHubError, LedgerInvalid, ToolError
from mergeline.ledger.entries import Declared, Live, Promoted, Reviewed, RolledBack, Settled
from mergeline.ledger.history import History
from mergeline.promote.aliases import follow_ledger
from mergeline.promote.line import Line
from mergeline.promote.settle import Say

_START, _END = "<!-- mergeline:outcome -->", "<!-- /mergeline:outcome -->"
_SAID = re.compile(f"\n*{re.escape(_START)}.*?{re.escape(_END)}\n*", re.DOTALL)


def follow(
    line: Line,
    registry: Registry,
    settings: Settings,
    github: GitHub | None,
    entry: Declared | Settled,
    say: Say,
) -> None:
    """Make aliases, deployment and comment say what the ledger says; it stands without them.

    Args:
        line: The line.
        registry: Its aliases speak of the environment that the settings name, of no other.
        settings: Of the project.
        github: None where it cannot be asked.
        entry: The declaration, or the entry of a merge that declared nothing.
        say: Is told what did not work.

    Raises:
        ToolError: The ledger cannot be read or believed.
    """
    history = line.ledger.read()
    try:
        if line.environment == settings.deploy.environment:
            follow_ledger(registry, line.ledger.read, line.environment)
    except LedgerInvalid:
        raise
    except ToolError as error:
        say(f"the aliases are not set: {error.message}; the next promote or rollback does it")
    if github is None:
        return
    try:
        if not isinstance(entry, Settled):
            set_deployment(github, history, entry, line.url)
        _say_in_comment(github, history, entry)
    except GitHubError as error:
        say(f"GitHub does not show it yet: {error.message}")


def set_deployment(github: GitHub, history: History, declared: Declared, url: str) -> None:
    """Make the deployment of a declared release's commit say what the ledger says.

    Raises:
        GitHubError: GitHub cannot be asked.
    """
    release, outcome = declared.release, history.outcome(declared)
    state: DeploymentState = "in_progress"
    if outcome is not None:
        state = "success" if isinstance(outcome, Live) else "failure"
    text = f"version {release.version}, entry {declared.number} of the ledger"
    deployment = _newest(github, declared) or _created(github, declared, text)
    if deployment.state != state:
        github.set_deployment(deployment.id, state, text, url)


def _newest(github: GitHub, declared: Declared) -> Deployment | None:
    found = github.deployments(declared.release.commit, declared.environment)
    return next(iter(found), None)


def _created(github: GitHub, declared: Declared, text: str) -> Deployment:
    payload = {"entry": declared.number, "version": declared.release.version}
    commit, environment = declared.release.commit, declared.environment
    try:
        return github.create_deployment(commit, environment, text, payload)
    except GitHubError as error:
        made = _newest(github, declared) if error.unclear else None
        if made is None:
            raise
        return made


def with_outcome(body: str, sentence: str) -> str:
    """Return a comment that says what became of its merge, below its hidden first line."""
    first, _, rest = _SAID.sub("\n\n", body.replace("\r\n", "\n")).partition("\n")
    return f"{first}\n\n{_START}\n{sentence}\n{_END}\n\n{rest.lstrip()}"


def _say_in_comment(github: GitHub, history: History, entry: Declared | Settled) -> None:
    """Edit the comment of the pull request that an entry is about; nothing without one."""
    about = replaced_by(history, entry) if isinstance(entry, RolledBack) else entry
    reviewed = _reviewed(history, about) if about is not None else None
    if reviewed is None:
        return
    comments = github.comments(reviewed.pull_request)
    ours = next((one for one in comments if one.id == reviewed.comment), None)
    if ours is not None:
        body = with_outcome(ours.body, _sentence(entry, history))
        if body.strip() != ours.body.replace("\r\n", "\n").strip():
            github.edit_comment(ours.id, body)


def replaced_by(history: History, entry: RolledBack) -> Promoted | None:
    """Return the promotion of the release that a rollback replaces."""
    before = (e for e in reversed(history.declared(entry.environment)) if e.number < entry.number)
    promotions = (e for e in before if isinstance(e, Promoted))
    return next((e for e in promotions if e.release.version == entry.replaces), None)


def _sentence(entry: Declared | Settled, history: History) -> str:
    """Say it in words of ours only: what others wrote stays in the ledger."""
    where = f"`{entry.environment}`"
    if isinstance(entry, Settled):
        return f"> **{entry.answer}**: merged, and what is live in {where} stays as it is."
    version, outcome = f"version {entry.release.version}", history.outcome(entry)
    if isinstance(entry, RolledBack):
        return f"> **Rolled back** in {where}: {version} takes its place. See `mergeline log`."
    if isinstance(outcome, Live):
        return f"> **LIVE** in {where} as {version} since {outcome.since}."
    if outcome is not None:
        return f"> **REJECTED** by the server of {where}: {version} is not live."
    return f"> **UNCONFIRMED**: declared for {where} as {version}; its server said nothing yet."


def _reviewed(history: History, entry: Promoted | Settled) -> Reviewed | None:
    """Return the last review of the pull request that was merged."""
    reviews = (e for e in reversed(history.entries) if isinstance(e, Reviewed))
    return next((e for e in reviews if e.pull_request == entry.pull_request), None)
