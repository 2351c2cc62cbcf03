"""The check run `mergeline report`: remarks at the lines of the head's own files.

It only shows; what a rule can require is the status `mergeline`.
"""

import posixpath
from collections.abc import Iterable, Iterator

from mergeline.adapters.git import Git
from mergeline.adapters.github import GitHub
from mergeline.adapters.github_checks import MOST_ANNOTATIONS, CheckRun
from mergeline.bundle.judged import committed
from mergeline.config.document import read_document
from mergeline.core import layout
from mergeline.core.plan import Plan
from mergeline.core.remarks import CheckText, Places, Remark
from mergeline.inputs.settings import readable_settings_at
from mergeline.review.note import patiently

NAME = "mergeline report"
_MOST = 200  # remarks of a check run; nobody reads more


def places_in(git: Git, plan: Plan) -> Places:
    """Return the lines of the head's settings and contract that remarks are about.

    Args:
        git: Holds head and base.
        plan: Of the head, whose settings are known to be right.
    """
    head, base = plan.candidate.commit, plan.candidate.base
    settings = (git.read(head, layout.SETTINGS) or b"").decode("utf-8-sig", errors="replace")
    document = read_document(settings, origin=layout.SETTINGS)
    verdicts = (plan.judgement.verdict, plan.judgement.proposed)
    names = {gate.name for verdict in verdicts if verdict for gate in verdict.gates}
    found = readable_settings_at(git, head)
    named = found.data.contract if found else None
    path = posixpath.normpath(named) if named else None
    line = _first_change(git, base, head, path) if base and path else None
    return Places(
        settings=layout.SETTINGS,
        gates={name: document.line(("gates", name)) or 1 for name in names},
        contract=path if line else None,
        contract_line=line or 1,
    )


def _first_change(git: Git, base: str, head: str, path: str) -> int | None:
    """Return the first line of a file that is another one at the head; None where none is."""
    old, new = committed(git, base, path), committed(git, head, path)
    if old is None or new is None or old == new:
        return None
    before, after = old.splitlines(), new.splitlines()
    same = (one == other for one, other in zip(before, after, strict=False))
    first = next((number for number, equal in enumerate(same) if not equal), None)
    if first is None:
        first = min(len(before), len(after) - 1)
    return max(first, 0) + 1


def post_check_run(github: GitHub, commit: str, run: int, text: CheckText) -> None:
    """Let the check run of a commit say this: make it, or update the one of the same run.

    What GitHub has once been sent stays in a check run. Where that says something that is not
    true any more, another one is made, and GitHub shows the last of a name.

    Raises:
        GitHubError: GitHub refused, or could not be asked several times.
    """
    text = text.model_copy(update={"remarks": text.remarks[:_MOST]})
    patiently(github, lambda: _settle(github, commit, str(run), text))


def _settle(github: GitHub, commit: str, run: str, text: CheckText) -> None:
    first, *more = _portions(text)
    there = _fitting(github, github.check_runs(commit, NAME), run, text)
    if there is None:
        made, rest = github.create_check_run(commit, NAME, run, first), more
    else:
        made, known = there
        missing = [each for each in text.remarks if each not in known]
        rest = list(_portions(text.model_copy(update={"remarks": tuple(missing)})))
    for portion in rest:
        github.update_check_run(made.id, portion)


def _fitting(
    github: GitHub, found: Iterable[CheckRun], run: str, text: CheckText
) -> tuple[CheckRun, tuple[Remark, ...]] | None:
    """Return the last check run of the same run, if all that it remarks still holds."""
    ours = sorted((each for each in found if each.external_id == run), key=lambda each: each.id)
    if not ours:
        return None
    known = github.remarks(ours[-1].id)
    return (ours[-1], known) if set(known) <= set(text.remarks) else None


def _portions(text: CheckText) -> Iterator[CheckText]:
    """Return what each request says: all of it the same, but the remarks."""
    for start in range(0, max(len(text.remarks), 1), MOST_ANNOTATIONS):
        portion = text.remarks[start : start + MOST_ANNOTATIONS]
        yield text.model_copy(update={"remarks": portion})
