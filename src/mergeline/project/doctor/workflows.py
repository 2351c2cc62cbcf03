"""The workflow files of a project: there, pinned, with the names and permissions they need."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mergeline.config.document import read_document
from mergeline.config.problem import shown
from mergeline.config.settings import Settings
from mergeline.errors import MergelineError
from mergeline.project.doctor.finding import Finding, Group, missing, ok, unknown, warn
from mergeline.project.doctor.pipeline import framework_commit, init_command

FOLDER = ".github/workflows"
# By file: what its jobs must be granted. The build runs a pull request's code: nothing more.
NEEDED: Mapping[str, Mapping[str, str]] = {
    "pull-request.yml": {"contents": "read"},
    "review.yml": {},
    "comment.yml": {
        "actions": "read",
        "checks": "write",
        "contents": "write",
        "pull-requests": "write",
        "statuses": "write",
    },
    "promote.yml": {
        "actions": "read",
        "contents": "write",
        "deployments": "write",
        "pull-requests": "write",
    },
    "rollback.yml": {"contents": "write", "deployments": "write", "pull-requests": "write"},
}
_BUILD, _COMMENT, _PROMOTE = "pull-request.yml", "comment.yml", "promote.yml"
# The line's own key, and a credential that reads data.
TOKEN, READS = "MERGELINE_TOKEN", "MERGELINE_DVC_CONFIG"
_FOLLOWED = (_BUILD, "review.yml")
_UNTRUSTED = (_BUILD, "review.yml")
_RANK = {"none": 0, "read": 1, "write": 2}
_OWN = ("./", "$/")  # of the same repository, so of the same commit
_PINNED = re.compile(r".+@[0-9a-f]{40}|docker://.+@sha256:[0-9a-f]{64}")
_CALLED = re.compile(r"([^/@]+/[^/@]+)/\.github/workflows/(?:[a-z-]+)\.yml@([0-9a-f]{40})")
_SHOWN = 3


@dataclass(frozen=True)
class Workflow:
    """One file.

    Attributes:
        file: Its name in `.github/workflows`.
        document: What it says.
    """

    file: str
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What GitHub calls it."""
        return str(self.document.get("name", f"{FOLDER}/{self.file}"))

    @property
    def events(self) -> Mapping[str, Any]:
        """What starts it, with its filters."""
        said = self.document.get("on")
        if isinstance(said, str):
            return {said: None}
        return dict.fromkeys(map(str, said)) if isinstance(said, list) else _mapping(said)

    @property
    def jobs(self) -> Mapping[str, Mapping[str, Any]]:
        """Its jobs, by name."""
        return {name: _mapping(job) for name, job in _mapping(self.document.get("jobs")).items()}

    def uses(self) -> Iterator[str]:
        """Return what it runs of others: actions and workflows."""
        for job in self.jobs.values():
            steps = job.get("steps")
            parts = [job, *(steps if isinstance(steps, list) else [])]
            yield from (str(part["uses"]) for part in map(_mapping, parts) if "uses" in part)

    def granted(self) -> Mapping[str, str] | None:
        """Return the most that any job may do; None where the repository's default counts."""
        most: dict[str, str] = {}
        for job in self.jobs.values():
            given = job.get("permissions", self.document.get("permissions"))
            if given is None:
                return None
            if isinstance(given, str):
                given = dict.fromkeys(_ALL, given.removesuffix("-all"))
            for scope, level in _mapping(given).items():
                if _RANK.get(str(level), 0) > _RANK[most.get(scope, "none")]:
                    most[scope] = str(level)
        return most


_ALL = sorted({scope for scopes in NEEDED.values() for scope in scopes})


def read_workflows(root: Path) -> tuple[dict[str, Workflow], list[Finding]]:
    """Return the workflows by file name, and what is wrong with files that cannot be read."""
    found, wrong = {}, []
    for path in sorted((root / FOLDER).glob("*.y*ml")):
        try:
            text = path.read_bytes().decode("utf-8-sig", errors="replace")
            document = read_document(text, origin=path.name).data
        except MergelineError as error:
            wrong.append(missing(path.name, " ".join(error.message.split()), f"mend {path.name}"))
            continue
        found[path.name] = Workflow(path.name, document)
    return found, wrong


def workflows(root: Path, settings: Settings | None) -> Group:
    """Look at the workflow files."""
    files, found = read_workflows(root)
    absent = [name for name in NEEDED if name not in files]
    ours = {name: files[name] for name in NEEDED if name in files}
    if absent:
        found.append(
            missing("files", f"{FOLDER} lacks {', '.join(absent)}", init_command(settings))
        )
    else:
        found.append(ok("files", f"{len(ours)} in {FOLDER}"))
    if ours:
        found.append(_pins(root, files))
        found += _names(ours)
        found += [_permissions(file) for file in ours.values() if NEEDED[file.file]]
        found += _secrets(ours)
        found += _framework(root, ours)
    return Group(title="The workflows", findings=tuple(found))


def _pins(root: Path, files: Mapping[str, Workflow]) -> Finding:
    used = [(file.file, name) for file in files.values() for name in file.uses()]
    for path in sorted((root / ".github" / "actions").glob("*/action.y*ml")):
        used += [(f"{path.parent.name}/{path.name}", name) for name in _of_action(path)]
    others = [(file, name) for file, name in used if not name.startswith(_OWN)]
    loose = [(file, name) for file, name in others if not _PINNED.fullmatch(name)]
    if not loose:
        return ok("pinned", f"{len(others)} uses of others' code, each by its commit")
    said = ", ".join(f"{shown(name)} in {file}" for file, name in loose[:_SHOWN])
    more = f", and {len(loose) - _SHOWN} more" if len(loose) > _SHOWN else ""
    name, _, tag = loose[0][1].partition("@")
    repository = "/".join(name.split("/")[:2])
    return missing(
        "pinned",
        f"{said}{more}: whoever moves that tag or branch runs code with your permissions",
        f"git ls-remote https://github.com/{repository} '{tag or 'HEAD'}*' tells the commit; write "
        f"{name}@COMMIT # {tag or 'VERSION'}",
    )


def _of_action(path: Path) -> Iterator[str]:
    try:
        document = read_document(path.read_text(encoding="utf-8"), origin=path.name).data
    except (MergelineError, UnicodeDecodeError):
        return
    steps = _mapping(document.get("runs")).get("steps")
    for step in map(_mapping, steps if isinstance(steps, list) else []):
        if "uses" in step:
            yield str(step["uses"])


def _names(ours: Mapping[str, Workflow]) -> Iterator[Finding]:
    comment = ours.get(_COMMENT)
    if comment is None:
        return
    said = _mapping(comment.events.get("workflow_run")).get("workflows")
    followed = list(map(str, said)) if isinstance(said, list) else []
    names = [ours[file].name for file in _FOLLOWED if file in ours]
    lost = [name for name in names if name not in followed]
    if lost:
        yield missing(
            "follows",
            f"{_COMMENT} follows {', '.join(map(shown, followed)) or 'nothing'}; "
            f"{', '.join(map(shown, lost))} is not among them, so nobody would comment",
            f"in {_COMMENT}: `workflow_run: {{workflows: [{', '.join(names)}]}}`",
        )
    else:
        yield ok("follows", f"{_COMMENT} follows {', '.join(map(shown, followed))}")


def _permissions(file: Workflow) -> Finding:
    name, needed, granted = file.file, NEEDED[file.file], file.granted()
    if granted is None:
        return warn(
            name,
            "a job without `permissions:` has what the repository's default gives",
            f"write `permissions: {{}}` at the top of {name}, and what it needs at each job",
        )
    lacks = [
        f"{scope}: {level}"
        for scope, level in needed.items()
        if _RANK[granted.get(scope, "none")] < _RANK[level]
    ]
    if lacks:
        detail = f"its jobs lack the permissions {', '.join(lacks)}"
        return missing(name, detail, f"add them to `permissions:` of the job in {name}")
    writes = [scope for scope, level in granted.items() if level == "write"]
    if name in _UNTRUSTED and writes:
        detail = f"it runs a pull request's code and may write {', '.join(writes)}"
        return missing(name, detail, f"take those out of `permissions:` in {name}")
    return ok(name, ", ".join(f"{scope}: {level}" for scope, level in sorted(granted.items())))


def _secrets(ours: Mapping[str, Workflow]) -> Iterator[Finding]:
    """A called workflow sees the secrets that its caller passes, by their names."""
    passed = {
        name: job.get("secrets")
        for name, file in ours.items()
        for job in file.jobs.values()
        if "uses" in job and name != "review.yml"
    }
    silent = [
        name
        for name, said in passed.items()
        if name != _BUILD and said != "inherit" and TOKEN not in _mapping(said)
    ]
    given = passed.get(_BUILD)
    much = ["all"] if given == "inherit" else sorted(_mapping(given).keys() - {READS})
    if much:
        yield warn(
            "secrets",
            f"{_BUILD} runs a pull request's code and is passed {', '.join(much)}",
            f"in {_BUILD}: pass {READS} alone, which may only read",
        )
    if silent:
        yield warn(
            "secrets",
            f"{', '.join(silent)} passes no {TOKEN}: where the ledger is protected, it cannot be "
            "pushed",
            f"below `secrets:` of the job: `{TOKEN}: ${{{{ secrets.{TOKEN} }}}}`",
        )
    if passed and not much and not silent:
        yield ok("secrets", "passed by name, and to the build the one that reads")


def _framework(root: Path, ours: Mapping[str, Workflow]) -> Iterator[Finding]:
    """Hold the commit of the called workflows against the one that the pins name."""
    calls = [found for file in ours.values() for name in file.uses() if (found := _called(name))]
    if not calls:
        return
    commits = {commit for _, commit in calls}
    repositories = ", ".join(sorted({repository for repository, _ in calls}))
    if len(commits) > 1:
        short = ", ".join(sorted(commit[:12] for commit in commits))
        detail = f"the workflows call {repositories} at different commits: {short}"
        yield missing("framework", detail, "name one commit in all of them")
        return
    commit, pinned = commits.pop(), framework_commit(root)
    if not pinned:
        yield unknown(
            "framework",
            f"the workflows call {repositories} at {commit[:12]}; the pins name no commit of it",
            f"pin it: mergeline @ git+https://github.com/{repositories}@{commit}",
        )
    elif pinned != commit:
        detail = f"the workflows call {commit[:12]}, the pins name {pinned[:12]}"
        yield missing("framework", detail, f"write {commit} into the pins, or {pinned} into uses")
    else:
        yield ok("framework", f"{repositories} at {commit[:12]}, as the pins say")


def _called(name: str) -> tuple[str, str] | None:
    found = _CALLED.fullmatch(name)
    return None if found is None else (found[1], found[2])


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
