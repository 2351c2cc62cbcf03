"""A comment through CML: only where it would do the right thing, and looked at afterwards."""

from collections.abc import Sequence
from dataclasses import replace

from mergeline.adapters.cml import SEEN, Cml, carries
from mergeline.adapters.git import Git
from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Comment
from mergeline.bundle.judged import base_settings
from mergeline.config.services import ReportSettings
from mergeline.core.plan import Plan
from mergeline.errors import CmlFailed
from mergeline.review.note import Note, patiently

_BY_API = "warning: the comment goes by GitHub's API, not through CML:"
_APP = "[bot]"  # how names of apps end, and of nobody else
_OVERWRITTEN = (
    "*CML took this comment for Mergeline's, because it carries CML's watermark, and wrote "
    "over it. What it said before is in its history.*"
)


def chosen(cml: Cml | None, git: Git, plan: Plan) -> Cml | None:
    """Return CML where the base's settings, or the default of `report.transport`, say so."""
    if cml is None:
        return None
    _, settings = base_settings(git, plan.baseline)
    report = settings.report if settings else ReportSettings()
    return replace(cml, commit=plan.candidate.commit) if report.transport == "cml" else None


def write_through(cml: Cml, github: GitHub, note: Note, me: str) -> None:
    """Let CML write a comment that does not say this yet; what it gets wrong is told.

    Comments of other people that it wrote over say afterwards what they said before. That
    there is one of ours, and that it says this, is for the caller to see to.

    Raises:
        GitHubError: GitHub refused, or could not be asked several times.
    """
    before = github.comments(note.pull)
    ours = note.ours(before, me)
    if ours and note.is_said_by(ours[0]):
        return
    if reason := _reason_against(before, ours, note.title):
        cml.say(f"{_BY_API} {reason}")
        return
    written, failed = None, False
    try:
        written = cml.update(note.pull, note.title, note.body)
    except CmlFailed as error:
        failed = True
        cml.say(f"{_BY_API} {error.message}; {error.hint}")
    after = patiently(github, lambda: _put_back(cml, github, note, me, before, written))
    ours = note.ours(after, me)
    if not failed and [note.is_said_by(each) for each in ours] != [True]:
        cml.say(
            f"warning: CML ended well and left {len(ours)} comments of ours, not one that says "
            "what it should; GitHub's API mends it"
        )


def _reason_against(before: Sequence[Comment], ours: Sequence[Comment], title: str) -> str:
    """Return why CML would not do the right thing; empty where it would."""
    marked = [comment for comment in before if carries(comment.body, title)]
    known = {comment.id for comment in ours}
    foreign = [comment.id for comment in marked if comment.id not in known]
    if foreign:
        return f"comment {foreign[0]} is not ours and has our watermark; CML could edit that one"
    if len(ours) > 1:
        return f"there are {len(ours)} comments of ours, and CML would edit the newest"
    if ours and not marked:
        return "our comment was made without its watermark, and CML would make a second one"
    if ours and ours[0] not in before[:SEEN]:
        return f"our comment is not among the first {SEEN}; CML would make a second one"
    return ""


def _put_back(
    cml: Cml,
    github: GitHub,
    note: Note,
    me: str,
    before: Sequence[Comment],
    written: int | None,
) -> Sequence[Comment]:
    """Let comments of others that CML wrote over say what they said; return all of them."""
    known = {comment.id: comment.body for comment in before}
    after = github.comments(note.pull)
    ours = {comment.id for comment in note.ours(after, me)}
    for comment in after:
        old = known.get(comment.id)
        if comment.id in ours or not note.is_said_by(comment) or old == comment.body:
            continue
        # One that came in between is CML's doing only if it says so, and one of an app may
        # be our own: an app's token does not know its name.
        theirs = written is not None and not (comment.user or "").endswith(_APP)
        if written not in (None, comment.id) or (old is None and not theirs):
            continue
        cml.say(f"warning: CML wrote over comment {comment.id}, which is not ours; put back")
        github.edit_comment(comment.id, _OVERWRITTEN if old is None else old)
    return after
