"""Workflows and actions as their policy sees them: each file's text, jobs and steps.

Comments and the style of a scalar matter to the policy, so files are read as they are
written, not only as what they mean.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"

# A data credential may only read, and only data; a build has it.
DATA_CREDENTIAL = "MERGELINE_DVC_CONFIG"
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)

Kind = Literal["workflow", "action", "caller"]


@cache
def _parsed(text: str) -> Mapping[str, Any]:
    document: Mapping[str, Any] = YAML(typ="rt").load(text)
    return document


@dataclass(frozen=True)
class File:
    """One file.

    Attributes:
        path: Where it lies in its repository; of an example, what it would be.
        text: As it is written.
        kind: A caller is the workflow of a project that uses this repository's.
    """

    path: str
    text: str
    kind: Kind

    @cached_property
    def body(self) -> Mapping[str, Any]:
        """What it says; mappings know the lines of their keys."""
        return _parsed(self.text)

    @property
    def name(self) -> str:
        """Which one it is: `promote` of `promote.yml`, `setup` of `setup/action.yml`."""
        path = PurePosixPath(self.path)
        return path.parent.name if self.kind == "action" else path.stem

    @property
    def events(self) -> Mapping[str, Any]:
        """What starts it."""
        said = self.body["on"]
        if isinstance(said, Mapping):
            return said
        return dict.fromkeys([said] if isinstance(said, str) else said)

    @property
    def call(self) -> Mapping[str, Any]:
        """Its declaration of what a caller gives."""
        return self.events.get("workflow_call") or {}

    @cached_property
    def jobs(self) -> Sequence["Job"]:
        """Its jobs; of an action its steps, as those of one job."""
        if self.kind == "action":
            return (Job(self, "runs", self.body["runs"]),)
        return tuple(Job(self, name, body) for name, body in self.body["jobs"].items())

    def line(self, mapping: Any, key: str) -> str:
        """Return the line on which a key stands."""
        return self.text.splitlines()[mapping.lc.key(key)[0]]

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True)
class Job:
    """One job, or all of a composite action."""

    file: File
    name: str
    body: Mapping[str, Any]

    @cached_property
    def steps(self) -> Sequence["Step"]:
        """Empty for one that calls a workflow."""
        return tuple(Step(self, n, each) for n, each in enumerate(self.body.get("steps", ()), 1))

    @property
    def called(self) -> str | None:
        """The workflow that it calls."""
        return self.body.get("uses")

    @property
    def grants(self) -> Mapping[str, str]:
        """What its token may do."""
        given = self.body.get("permissions")
        return given if isinstance(given, Mapping) else {}

    @property
    def concurrency(self) -> Mapping[str, Any]:
        """Its own; see `File.body` for that of the whole workflow."""
        given = self.body.get("concurrency") or {}
        return given if isinstance(given, Mapping) else {"group": given}

    @property
    def environment(self) -> str | None:
        """The environment whose secrets it has."""
        given = self.body.get("environment")
        return given.get("name") if isinstance(given, Mapping) else given

    @property
    def runs_project_code(self) -> bool:
        """Whether a step runs what the repository at hand holds."""
        return any(step.runs_project_code for step in self.steps)

    @property
    def is_trusted(self) -> bool:
        """Whether it holds what a pull request must not get: rights, secrets, a token.

        One that runs project code never is: it may hold none of those.
        """
        return not self.runs_project_code and bool(
            "write" in self.grants.values()
            or self.environment
            or secrets_of(self.body) - {DATA_CREDENTIAL}
            or has_token(self.body)
        )

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


@dataclass(frozen=True)
class Step:
    """One step."""

    job: Job
    number: int
    body: Mapping[str, Any]

    @property
    def uses(self) -> str:
        """The action; empty for a command."""
        return self.body.get("uses", "")

    @property
    def action(self) -> str:
        """The action without its version."""
        return self.uses.partition("@")[0]

    @property
    def run(self) -> str:
        """The command; empty for an action."""
        return self.body.get("run", "")

    @property
    def given(self) -> Mapping[str, Any]:
        """What an action is given."""
        return self.body.get("with") or {}

    @property
    def runs_project_code(self) -> bool:
        """Whether it trains, tests, or installs what the repository at hand names."""
        words = self.run.split()
        installs = self.action == "$/.github/actions/setup" and "requirements" in self.given
        return words[:2] == ["mergeline", "check"] or words[:1] == ["make"] or installs

    def __str__(self) -> str:
        return f"{self.job}: step {self.number} ({self.uses or self.run.strip()})"


@dataclass(frozen=True)
class Line:
    """All files that the policy is about."""

    files: tuple[File, ...]

    def of(self, *kinds: Kind) -> Iterator[File]:
        """Return the files of some kinds."""
        return (file for file in self.files if file.kind in kinds)

    def jobs(self) -> Iterator[Job]:
        """Return the jobs of all workflows."""
        return (job for file in self.of("workflow", "caller") for job in file.jobs)

    def steps(self) -> Iterator[Step]:
        """Return the steps of all workflows and actions."""
        return (step for file in self.files for job in file.jobs for step in job.steps)

    def workflow(self, name: str) -> File:
        """Return this repository's workflow of a name."""
        return next(file for file in self.of("workflow") if file.name == name)

    def changed(self, path: str, old: str, new: str) -> "Line":
        """Return it with a text in one of this repository's files replaced, which is there once."""
        (file,) = (each for each in self.files if each.path == path)
        if file.text.count(old) != 1:
            raise ValueError(f"{path} has {old!r} {file.text.count(old)} times")
        other = replace(file, text=file.text.replace(old, new))
        return Line(tuple(other if each is file else each for each in self.files))


def strings(node: Any) -> Iterator[str]:
    """Return every text in a part of a file."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from strings(key)
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)
    elif isinstance(node, str):
        yield node


def expressions(node: Any) -> Iterator[str]:
    """Return what every `${{ }}` of a part of a file holds."""
    return (found.strip() for text in strings(node) for found in EXPRESSION.findall(text))


def secrets_of(node: Any) -> set[str]:
    """Return the names of secrets in a part of a file; `*` stands for more than it names."""
    held = " ".join(expressions(node))
    named = set(re.findall(r"\bsecrets\s*\.\s*([A-Za-z_][A-Za-z0-9_]*)", held, re.IGNORECASE))
    others = re.sub(r"\bsecrets\s*\.\s*[A-Za-z_]", "", held, flags=re.IGNORECASE)
    return named | ({"*"} if re.search(r"\bsecrets\b", others, re.IGNORECASE) else set())


def has_token(node: Any) -> bool:
    """Whether a part of a file gives the job's own token to something."""
    held = " ".join(expressions(node))
    named = re.search(r"\bgithub\s*(\.\s*token\b|\[)|\btojson\(\s*github\s*\)", held, re.IGNORECASE)
    return bool(named) or "GITHUB_TOKEN" in secrets_of(node)


# --- the real files --------------------------------------------------------------------------


def own() -> Line:
    """Return this repository's workflows and actions."""
    folder = ROOT / ".github"
    kinds: tuple[tuple[Kind, str], ...] = (
        ("workflow", "workflows/*.y*ml"),
        ("action", "actions/*/action.y*ml"),
    )
    found = ((kind, path) for kind, how in kinds for path in sorted(folder.glob(how)))
    return Line(
        tuple(File(p.relative_to(ROOT).as_posix(), p.read_text(), kind) for kind, p in found)
    )


FRAMEWORK, COMMIT = "acme/mergeline", "1" * 40


def callers() -> Iterator[File]:
    """Return the workflows that `mergeline init` writes for a project."""
    from mergeline.project.callers import Framework, workflows

    for path, text in workflows(Framework(FRAMEWORK, COMMIT), "main").items():
        yield File(f"init:{path}", text, "caller")


def examples(readme: str | None = None) -> Iterator[File]:
    """Return the workflows that the README shows: YAML with `jobs`, named as its `name` says."""
    shown = README.read_text() if readme is None else readme
    for text in re.findall(r"^```ya?ml\n(.*?)^```", shown, re.DOTALL | re.MULTILINE):
        if re.search(r"^jobs:", text, re.MULTILINE):
            name = re.search(r"^name: (\S+)", text, re.MULTILINE)
            path = f".github/workflows/{name[1] if name else 'unnamed'}.yml"
            yield File(f"README.md:{path}", text, "caller")


@cache
def everything() -> Line:
    """Return all of them."""
    return Line((*own().files, *callers(), *examples()))
