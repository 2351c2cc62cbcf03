"""Who asks, what they may see, and what kind of repository it is."""

from collections.abc import Iterator
from pathlib import Path

from mergeline.config.settings import Settings
from mergeline.project.doctor.asking import Seen, Unknown
from mergeline.project.doctor.data import pointer_of
from mergeline.project.doctor.finding import Finding, missing, ok, warn
from mergeline.project.doctor.place import Where
from mergeline.project.doctor.workflows import FOLDER, read_workflows

_KINDS = {
    "ghp_": "a classic token",
    "github_pat_": "a fine-grained token",
    "ghs_": "the token of a workflow or an app",
    "gho_": "the token of gh",
    "ghu_": "the token of an app's user",
}
_ROLES = ("admin", "maintain", "push", "triage", "pull")
_PROMOTE = "promote.yml"


def access_findings(
    where: Where, seen: Seen, root: Path | None, settings: Settings | None
) -> Iterator[Finding]:
    """Say who asks, and what the repository is."""
    yield _token(where, seen)
    yield _repository(seen, root, settings)
    yield from _default_branch(seen, root)


def _token(where: Where, seen: Seen) -> Finding:
    token = where.place.token
    kind = next((said for start, said in _KINDS.items() if token.startswith(start)), "a token")
    whose = "" if isinstance(seen.login, Unknown) else f" of {seen.login}"
    said = [f"{kind}{whose} (from {where.source})"]
    if seen.visit.scopes is not None:
        said.append(f"scopes {', '.join(seen.visit.scopes) or 'none'}")
    role = next((name for name in _ROLES if seen.facts.permissions.get(name)), "")
    if role:
        said.append(f"its role: {role}")
    if role and role != "admin":
        said.append("what only administrators see stays unknown")
    if seen.visit.expires:
        said.append(f"ends {seen.visit.expires}")
    return ok("token", "; ".join(said))


def _repository(seen: Seen, root: Path | None, settings: Settings | None) -> Finding:
    facts = seen.facts
    if facts.archived:
        next_step = f"gh repo unarchive {facts.name}, or work in another one"
        return missing("repository", f"{facts.name} is archived: nothing can be merged", next_step)
    if facts.private:
        detail = "private: whoever may read it also reads artifacts and ledger"
        return ok("repository", f"{facts.name}, {detail}")
    detail = (
        f"{facts.name}, public: anybody signed in can download a run's artifacts: model, evidence, "
        "and predictions.parquet with hashed ids and scores"
    )
    hidden = root is not None and settings is not None and pointer_of(root, settings.data.source)
    if hidden:
        return warn(
            "repository",
            f"{detail}; who knows an id of your data finds its score",
            f"if the data is not public: gh repo edit {facts.name} --visibility private "
            "--accept-visibility-change-consequences",
        )
    return ok("repository", detail)


def _default_branch(seen: Seen, root: Path | None) -> Iterator[Finding]:
    """Say which branch is main, and whether a push to it starts a promotion."""
    main = seen.facts.default_branch
    promote = read_workflows(root)[0].get(_PROMOTE) if root is not None else None
    push = promote.events.get("push") if promote is not None else None
    branches = push.get("branches") if isinstance(push, dict) else None
    if isinstance(branches, list) and main not in map(str, branches):
        yield missing(
            "main",
            f"the default branch is {main}; {_PROMOTE} promotes pushes to "
            f"{', '.join(map(str, branches))}",
            f"in {FOLDER}/{_PROMOTE}: `push: {{branches: [{main}]}}`",
        )
    else:
        yield ok("main", f"the default branch is {main}")
