"""The demo: the whole line on one machine, a line a step, with what happened and why."""

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mergeline.core import layout
from mergeline.errors import ToolError
from mergeline.files import write_whole
from mergeline.project.example import BETTER, BIASED, FIRST, LOWERED, Change, Example
from mergeline.project.line import AUTHOR, REVIEWER, Line
from mergeline.project.traffic import Traffic, body_of, predict

Say = Callable[[str, str], None]

# Somebody whom the two models of the demo see differently enough to tell them apart.
_APPLICANT = 7


@dataclass(frozen=True)
class PullRequest:
    """One pull request of the demo.

    Attributes:
        changes: Texts of `params.yaml` and what replaces them.
        answer: What its comment says that a merge would get.
        code: The exit code of its build.
    """

    branch: str
    title: str
    changes: tuple[Change, ...]
    answer: str
    code: int = 0


FIRST_MODEL = PullRequest("first-model", "A first model: logistic regression", FIRST, "PROMOTE")
BIASED_MODEL = PullRequest(
    "biased-model", "Use the debt ratio too: a higher AUC", BIASED, "POLICY_FAILED", 10
)
LOWERED_GATE = PullRequest(
    "lowered-gate", "Use the debt ratio, and allow a larger gap", LOWERED, "POLICY_WEAKENED", 10
)
BETTER_MODEL = PullRequest(
    "better-model", "Boosted trees instead of a linear model", BETTER, "PROMOTE"
)
DOCUMENTATION = PullRequest("words", "Say who answers for the model", (), "BARRED")


class Demo:
    """The story, told while it happens.

    Args:
        source: A checkout of Mergeline, which holds the example.
        folder: Made anew but for `cache`, so that a second demo restores what the first
            one trained.
        say: Is told each step and what came of it.
    """

    def __init__(self, source: Path, folder: Path, say: Say) -> None:
        self.folder = folder
        self.example = Example(source, folder / "project", folder / "cache")
        self._say = say

    def tell(self, keep: Path | None = None) -> None:
        """Run the whole line once.

        Args:
            keep: Where to copy the better model's report to.

        Raises:
            ToolError: A step did not end as this demo is meant to show.
        """
        self.example.require_source()
        self._clean()
        with Line(self.example, self.folder) as line:
            self._first(line)
            self._refused(line, BIASED_MODEL)
            self._refused(line, LOWERED_GATE)
            self._better(line, keep)
            self._rollback(line)
            self._words(line)
            self._audit(line)

    def _clean(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.iterdir():
            if path == self.example.cache:
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    # --- the chapters --------------------------------------------------------------------

    def _first(self, line: Line) -> None:
        pull = self._review(line, FIRST_MODEL, first=True)
        self._ship(line, pull, "merge")
        self._ask(line)

    def _refused(self, line: Line, request: PullRequest) -> None:
        pull = self._review(line, request)
        line.approve(pull)
        try:
            line.merge(pull, "merge")
        except ValueError as refusal:
            self._say("merge", f"approved by {REVIEWER}, and refused: {refusal}")
        else:
            raise ToolError(f"#{pull} was merged", hint="look at the rule of main")
        line.github.close_pull(pull)

    def _better(self, line: Line, keep: Path | None) -> None:
        pull = self._review(line, BETTER_MODEL)
        if keep is not None:
            self.example.keep_report(keep)
        with Traffic(line.port, self._body()) as traffic:
            self._ship(line, pull, "squash")
        self._told(traffic, "while the model changed")
        self._ask(line)

    def _rollback(self, line: Line) -> None:
        with Traffic(line.port, self._body()) as traffic:
            ended = line.rollback("too many good applicants are turned away")
        self._require(ended.said["name"], "LIVE", "rollback", ended.said["reason"])
        self._say("rollback", ended.said["reason"])
        self._told(traffic, "meanwhile")
        self._ask(line)

    def _words(self, line: Line) -> None:
        """Main still holds what was rolled back; a merge of words must not bring it back."""
        pull = self._review(line, DOCUMENTATION)
        self._ship(line, pull, "rebase", answer="BARRED")
        self._ask(line)

    def _audit(self, line: Line) -> None:
        ended = line.audit()
        held = [link for link in ended.said["links"] if link["state"] == "holds"]
        total = len(ended.said["links"])
        self._require(len(held), total, "audit")
        version = ended.said["version"]
        self._say("audit", f"version {version}: {total} of {total} links hold, back to the data")

    # --- the steps -------------------------------------------------------------------------

    def _review(self, line: Line, request: PullRequest, *, first: bool = False) -> int:
        """Open a pull request, build it and comment on it; return its number."""
        example = self.example
        example.branch(request.branch)
        if first:
            example.bring()
        if request.changes:
            example.change(request.changes)
        else:
            write_whole(example.folder / "OWNERS.md", b"Grace answers for this model.\n")
        if first:
            example.complete()
        commit = example.commit(request.title, author=AUTHOR)
        pull = line.open_pull(request.branch, request.title)
        self._say(f"#{pull}", request.title)
        started = time.monotonic()
        run = line.build(commit, request.branch, code=request.code)
        self._say("check", f"{_numbers(line)} ({time.monotonic() - started:.0f} s)")
        comment = line.comment(run)
        write_whole(self.folder / "comments" / f"{request.branch}.md", comment.encode())
        if f"**{request.answer}**" not in comment and request.answer != "BARRED":
            raise ToolError(
                f"the comment on {request.branch} does not say {request.answer}",
                hint=f"read {self.folder / 'comments' / request.branch}.md",
            )
        self._say("comment", _headline(comment))
        return pull

    def _ship(self, line: Line, pull: int, method: str, *, answer: str = "LIVE") -> None:
        """Approve, merge and promote a pull request."""
        line.approve(pull)
        commit = line.merge(pull, method)
        self._say("merge", f"approved by {REVIEWER}; {method} as {commit[:12]}")
        started = time.monotonic()
        ended = line.promote()
        self._require(ended.said["name"], answer, "promote", ended.said["reason"])
        took = time.monotonic() - started
        self._say("promote", f"{answer}: {ended.said['reason']} ({took:.0f} s)")

    def _ask(self, line: Line) -> None:
        """Ask the model server for a prediction."""
        version, said = predict(line.port, self._body())
        decision = "would default" if said["positive"] else "would repay"
        score = f"{said['probability']:.3f}"
        self._say("predict", f"an applicant {decision} ({score}), says version {version}")

    def _told(self, traffic: Traffic, when: str) -> None:
        by = ", ".join(f"version {v}: {n}" for v, n in sorted(traffic.answers.items()))
        self._require(traffic.failures, [], "requests")
        self._say("requests", f"{traffic.answers.total():,} {when}, none failed ({by})")

    def _body(self) -> bytes:
        return body_of(_applicant(self.example.folder))

    def _require(self, found: object, wanted: object, step: str, why: str = "") -> None:
        if found != wanted:
            raise ToolError(
                f"the demo's {step} ended with {found!r}, not with {wanted!r}: {why}",
                hint=f"look into {self.folder}; server.log is the model server's",
            )


def _numbers(line: Line) -> str:
    """Say in a few words what a build found."""
    folder = line.example.folder
    evaluate = json.loads((folder / layout.evidence("evaluate")).read_bytes())["content"]
    primary = evaluate["primary"]
    judgement = line.verdict()["judgement"]
    bad = [gate for gate in judgement["verdict"]["gates"] if gate["outcome"] == "FAILED"]
    failed = "; ".join(f"{gate['name']} FAILED: {gate['reason']}" for gate in bad)
    value = evaluate["metrics"][primary]["value"]
    return f"{judgement['answer']}: {primary} {value:.3f}" + (f"; {failed}" if failed else "")


def _headline(comment: str) -> str:
    """Return the comment's first heading."""
    heads = (line for line in comment.splitlines() if line.startswith("## "))
    return next(heads, comment[:80]).removeprefix("## ")


def _applicant(project: Path) -> Mapping[str, Any]:
    """Return one row of the data, as a client would send it."""
    import pandas as pd

    from mergeline.model.directory import read_description

    features = read_description(project / layout.MODEL).features
    table = pd.read_parquet(project / "data/applications.parquet")
    row = table[[feature.name for feature in features]].iloc[[_APPLICANT]]
    found: dict[str, Any] = json.loads(row.to_json(orient="records", double_precision=15))[0]
    return found
