"""Exactly one comment of ours on a pull request, whatever goes wrong on the way."""

from http import HTTPStatus

from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Comment
from mergeline.errors import GitHubError

_ATTEMPTS = 3


def post(github: GitHub, pull: int, body: str, marker: str) -> Comment:
    """Make the comment, or let the one that is there say this.

    Ours are those of the token's own user that begin with the marker; anybody else's are
    left alone. A comment that says this already is not touched, so that `updated` is the
    time at which it came to say it. After a write that may have been done or not it is
    looked at again, never repeated blindly.

    Raises:
        GitHubError: GitHub refused, or could not be asked several times.
    """
    me = github.viewer()
    for _ in range(_ATTEMPTS - 1):
        try:
            return _settle(github, pull, body, marker, me)
        except GitHubError as error:
            # Not found: somebody removed it between our look and our edit.
            if not error.unclear and error.status != HTTPStatus.NOT_FOUND:
                raise
    return _settle(github, pull, body, marker, me)


def _settle(github: GitHub, pull: int, body: str, marker: str, me: str) -> Comment:
    ours = _ours(github, pull, marker, me)
    if not ours:
        made = github.create_comment(pull, body)
        # Somebody else may have commented at the same time; and a token of an app does not
        # know its name before it has written something.
        ours = _ours(github, pull, marker, made.user or me)
        ours = sorted({comment.id: comment for comment in (*ours, made)}.values(), key=_age)
    kept, *others = ours
    if not _says(kept, body):
        kept = github.edit_comment(kept.id, body)
    for other in others:
        _delete(github, other)
    return kept


def _ours(github: GitHub, pull: int, marker: str, me: str) -> list[Comment]:
    """Return our comments, the oldest first: everybody who looks keeps the same one."""
    found = (each for each in github.comments(pull) if each.user == me)
    return sorted((each for each in found if each.body.startswith(marker)), key=_age)


def _age(comment: Comment) -> int:
    return comment.id


def _says(comment: Comment, body: str) -> bool:
    return comment.body.replace("\r\n", "\n").strip() == body.strip()


def _delete(github: GitHub, comment: Comment) -> None:
    try:
        github.delete_comment(comment.id)
    except GitHubError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
