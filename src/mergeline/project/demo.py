"""The demo: the whole line on one machine, a line a step, with what happened and why."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mergeline.core import layout
from mergeline.errors import ToolError
from mergeline.files import write_whole
from mergeline.project.example import Example
from mergeline.project.line import AUTHOR, REVIEWER, Line
from mergeline.project.own_folder import CACHE, emptied
from mergeline.project.story import (
    BETTER_MODEL,
    BIASED_MODEL,
    DOCUMENTATION,
    FIRST_MODEL,
    LOWERED_GATE,
    PullRequest,
)
from mergeline.project.traffic import Traffic, body_of, predict

Say = Callable[[str, str], None]

# Somebody whom the two models of the demo see differently enough to tell them apart.
_APPLICANT = 7


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
        self.example = Example(source, folder / "project", folder / CACHE)
        self._say = say

    def tell(self, keep: Path | None = None, then: Callable[[Line], None] | None = None) -> None:
        """Run the whole line once.

        Args:
            keep: Where to copy the better model's report to.
            then: What to do at the end, while all of it still runs.

        Raises:
            ToolError: A step did not end as this demo is meant to show.
        """
        self.example.require_source()
        with emptied(self.folder), Line(self.example, self.folder) as line:
            self._say("", f"{AUTHOR} writes models, {REVIEWER} reviews them")
            self._say("server", f"follows the ledger at http://127.0.0.1:{line.port}")
            self._first(line)
            self._refused(line, BIASED_MODEL, "A model that is unfair is not merged")
            self._refused(line, LOWERED_GATE, "Nor when its pull request lowers the gate")
            self._better(line, keep)
            self._rollback(line)
            self._words(line)
            self._audit(line)
            if then is not None:
                then(line)

    # --- the chapters --------------------------------------------------------------------

    def _first(self, line: Line) -> None:
        self._say("", "A first model, from pull request to prediction")
        pull, run = self._review(line, FIRST_MODEL, "NOT_APPROVED", first=True)
        self._approve(line, FIRST_MODEL, pull, run)
        self._ship(line, pull, "merge")
        self._ask(line, "1")

    def _refused(self, line: Line, request: PullRequest, title: str) -> None:
        self._say("", title)
        pull, _ = self._review(line, request, request.answer)
        line.approve(pull)
        try:
            line.merge(pull, "merge")
        except ValueError as refusal:
            self._say("merge", f"approved by {REVIEWER}, but GitHub refuses: {refusal}")
        else:
            raise ToolError(f"#{pull} was merged", hint="look at the rule of main")
        line.github.close_pull(pull)

    def _better(self, line: Line, keep: Path | None) -> None:
        self._say("", "A better model goes live while requests run")
        pull, run = self._review(line, BETTER_MODEL, "NOT_APPROVED")
        if keep is not None:
            self.example.keep_report(keep)
        self._approve(line, BETTER_MODEL, pull, run)
        with Traffic(line.port, self._body()) as traffic:
            self._ship(line, pull, "squash")
        self._told(traffic, "while the model changed")
        self._ask(line, "2")

    def _rollback(self, line: Line) -> None:
        self._say("", "A rollback, while requests run")
        with Traffic(line.port, self._body()) as traffic:
            ended = line.rollback("too many good applicants are turned away")
        self._require(ended.said["name"], "LIVE", "rollback", ended.said["reason"])
        self._say("rollback", f"LIVE: {ended.said['reason']}")
        self._told(traffic, "meanwhile")
        self._ask(line, "1")
        revert = ended.said["revert"]
        self._require(revert is None, False, "rollback", ended.said["left"])
        self._say("pull", f"#{revert} by the line: takes the merge back; it stays open here")

    def _words(self, line: Line) -> None:
        """Main still holds what was rolled back; a merge of words must not bring it back."""
        self._say("", "A merge of words does not bring back what was rolled back")
        pull, run = self._review(line, DOCUMENTATION, "NOT_APPROVED")
        self._approve(line, DOCUMENTATION, pull, run)
        self._ship(line, pull, "rebase", answer="BARRED")
        self._ask(line, "1")

    def _audit(self, line: Line) -> None:
        self._say("", "Where what is served comes from")
        ended = line.audit()
        held = [link for link in ended.said["links"] if link["state"] == "holds"]
        total = len(ended.said["links"])
        self._require(len(held), total, "audit", "see `mergeline audit`")
        names = ", ".join(link["name"] for link in held)
        self._say("audit", f"version {ended.said['version']}: every link holds ({names})")

    # --- the steps -------------------------------------------------------------------------

    def _review(
        self, line: Line, request: PullRequest, answer: str, *, first: bool = False
    ) -> tuple[int, int]:
        """Open a pull request, build it and comment on it; return its number and the run."""
        commit = request.write(self.example, AUTHOR, first=first)
        pull = line.open_pull(request.branch, request.title)
        self._say("pull", f"#{pull} by {AUTHOR}: {request.title}")
        started = time.monotonic()
        run = line.build(commit, request.branch, code=request.code)
        took = time.monotonic() - started
        self._say("check", f"{_numbers(line)} ({_stages(line)} in {took:.0f} s)")
        comment = self._comment(line, request, run, answer)
        self._say("comment", f"{_headline(comment)} If merged now: {answer}.")
        return pull, run

    def _comment(self, line: Line, request: PullRequest, run: int, answer: str) -> str:
        comment = line.comment(run)
        write_whole(self.folder / "comments" / f"{request.branch}.md", comment.encode())
        if f"**{answer}**" not in comment:
            raise ToolError(
                f"the comment on {request.branch} does not say {answer}",
                hint=f"read {self.folder / 'comments' / request.branch}.md",
            )
        return comment

    def _approve(self, line: Line, request: PullRequest, pull: int, run: int) -> None:
        """Approve a pull request; its comment is brought up to date."""
        line.approve(pull)
        self._comment(line, request, run, request.answer)
        self._say("comment", f"approved by {REVIEWER}. If merged now: {request.answer}.")

    def _ship(self, line: Line, pull: int, method: str, *, answer: str = "LIVE") -> None:
        """Merge and promote a pull request."""
        commit = line.merge(pull, method)
        self._say("merge", f"on main as {commit[:12]} ({method})")
        started = time.monotonic()
        ended = line.promote()
        self._require(ended.said["name"], answer, "promote", ended.said["reason"])
        took = time.monotonic() - started
        self._say("promote", f"{answer}: {ended.said['reason']} ({took:.0f} s)")

    def _ask(self, line: Line, wanted: str) -> None:
        """Ask the model server for a prediction; a certain version is to give it."""
        version, said = predict(line.port, self._body())
        self._require(version, wanted, "prediction", "another version answered")
        decision = "would default" if said["positive"] else "would repay"
        score = f"{said['probability']:.3f}"
        self._say("predict", f"version {version} says that an applicant {decision} ({score})")

    def _told(self, traffic: Traffic, when: str) -> None:
        by = ", ".join(f"version {v}: {n:,}" for v, n in sorted(traffic.answers.items()))
        self._require(traffic.failures, [], "requests")
        self._require(sorted(traffic.answers), ["1", "2"], "requests", "of two versions")
        self._say("requests", f"{traffic.answers.total():,} {when}, none failed ({by})")

    def _body(self) -> bytes:
        return body_of(_applicant(self.example.folder))

    def _require(self, found: object, wanted: object, step: str, why: str = "") -> None:
        if found != wanted:
            raise ToolError(
                f"the demo's {step} ended with {found!r}, not with {wanted!r}: {why}",
                hint=f"look into {self.folder}: server.log is the model server's, comments/ "
                "what the pull requests were told",
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
    return f"{primary} {value:.3f}" + (f"; {failed}" if failed else "")


def _stages(line: Line) -> str:
    """Say what became of the stages of a build, e.g. `5 stages ran, 2 restored`."""
    counts = Counter(stage["action"] for stage in line.verdict()["stages"])
    first, *others = (f"{number} {action}" for action, number in counts.most_common())
    return ", ".join((first.replace(" ", " stages ", 1), *others))


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
