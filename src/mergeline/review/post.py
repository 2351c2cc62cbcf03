"""Exactly one comment of ours on a pull request, whatever goes wrong on the way."""

from http import HTTPStatus

from mergeline.adapters.cml import Cml
from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Comment
from mergeline.errors import GitHubError
from mergeline.review.note import Note, age, patiently
from mergeline.review.through_cml import write_through


def post(github: GitHub, pull: int, body: str, marker: str, cml: Cml | None = None) -> Comment:
    """Make the comment, or let the one that is there say this.

    Ours are those of the token's own user that begin with the marker; anybody else's are
    left alone. A comment that says this already is not touched, so that `updated` is the
    time at which it came to say it. After a write that may have been done or not it is
    looked at again, never repeated blindly.

    Args:
        github: The repository.
        pull: Number of the pull request.
        body: What the comment is to say; begins with the marker.
        marker: By which it is found again.
        cml: Writes it where it does that right; what it does not is done through the API.

    Raises:
        GitHubError: GitHub refused, or could not be asked several times.
    """
    me = github.viewer()
    note = Note(pull, body, marker, commit=cml.commit if cml else "")
    if cml is not None:
        write_through(cml, github, note, me)
    return patiently(github, lambda: _settle(github, note, me))


def _settle(github: GitHub, note: Note, me: str) -> Comment:
    ours = note.ours(github.comments(note.pull), me)
    if not ours:
        made = github.create_comment(note.pull, note.written())
        # Somebody else may have commented at the same time; and a token of an app does not
        # know its name before it has written something.
        ours = note.ours(github.comments(note.pull), made.user or me)
        ours = sorted({comment.id: comment for comment in (*ours, made)}.values(), key=age)
    kept, *others = ours
    if not note.is_said_by(kept):
        kept = github.edit_comment(kept.id, note.written())
    for other in others:
        _delete(github, other)
    return kept


def _delete(github: GitHub, comment: Comment) -> None:
    try:
        github.delete_comment(comment.id)
    except GitHubError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
