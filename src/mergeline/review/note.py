"""What our one comment on a pull request is to say, and which comments are ours."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from time import sleep
from typing import TypeVar

from mergeline.adapters.cml import watermark, watermark_title, without_watermark
from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Comment
from mergeline.errors import GitHubError

T = TypeVar("T")

_ATTEMPTS = 3


@dataclass(frozen=True)
class Note:
    """One comment that is to be on a pull request.

    Attributes:
        pull: Number of the pull request.
        body: What it is to say.
        marker: Its first line, by which it is found again.
        commit: For CML's watermark, with which we write it too, so that CML finds it next
            time; empty where CML has no part in it.
    """

    pull: int
    body: str
    marker: str
    commit: str = ""

    @property
    def title(self) -> str:
        """Of CML's watermark."""
        return watermark_title(self.marker)

    def written(self) -> str:
        """Return the text to write: as CML writes it, where it has a part in it."""
        return self.body + watermark(self.title, self.commit) if self.commit else self.body

    def ours(self, comments: Iterable[Comment], me: str) -> list[Comment]:
        """Return our comments, the oldest first: everybody who looks keeps the same one."""
        found = (each for each in comments if each.user == me)
        return sorted((each for each in found if each.body.startswith(self.marker)), key=age)

    def is_said_by(self, comment: Comment) -> bool:
        """Whether a comment says this; a watermark at its end is no difference."""
        text = comment.body.replace("\r\n", "\n")
        return without_watermark(text, self.title).strip() == self.body.strip()


def age(comment: Comment) -> int:
    """Return what comments are sorted by, the oldest first."""
    return comment.id


def patiently(github: GitHub, attempt: Callable[[], T]) -> T:
    """Return what an attempt comes to that begins by looking, and can be made again.

    Raises:
        GitHubError: GitHub refused, or could not be asked several times.
    """
    for number in range(1, _ATTEMPTS):
        try:
            return attempt()
        except GitHubError as error:
            pause = github.client.pause(error, number)
            # Not found: somebody removed it between our look and our edit.
            if pause is None and not error.unclear and error.status != HTTPStatus.NOT_FOUND:
                raise
        sleep(pause or 0)
    return attempt()
