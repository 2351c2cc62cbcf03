"""The pull requests of the demo and of the rehearsal."""

from dataclasses import dataclass

from mergeline.files import write_whole
from mergeline.project.example import BETTER, BIASED, FIRST, LOWERED, Change, Example


@dataclass(frozen=True)
class PullRequest:
    """One pull request of the story.

    Attributes:
        changes: Texts of `params.yaml` and what replaces them.
        answer: What its comment says that a merge would get, once it is approved.
        code: The exit code of its build.
    """

    branch: str
    title: str
    changes: tuple[Change, ...]
    answer: str
    code: int = 0

    def write(self, example: Example, author: str, *, first: bool = False) -> str:
        """Write its branch in the authors' clone; return the commit.

        Args:
            example: The clone; its main is fetched.
            author: Who commits.
            first: Whether it brings the whole project.
        """
        example.branch(self.branch)
        if first:
            example.bring()
        if self.changes:
            example.change(self.changes)
        else:
            write_whole(example.folder / "OWNERS.md", b"Grace answers for this model.\n")
        if first:
            example.complete()
        return example.commit(self.title, author=author)


FIRST_MODEL = PullRequest(
    "first-model", "A first model: logistic regression", FIRST, "PROMOTE as version 1"
)
BIASED_MODEL = PullRequest(
    "biased-model", "Use the debt ratio too: a higher AUC", BIASED, "POLICY_FAILED", 10
)
LOWERED_GATE = PullRequest(
    "lowered-gate", "Use the debt ratio, and allow a larger gap", LOWERED, "POLICY_WEAKENED", 10
)
BETTER_MODEL = PullRequest(
    "better-model", "Boosted trees instead of a linear model", BETTER, "PROMOTE as version 2"
)
DOCUMENTATION = PullRequest("words", "Say who answers for the model", (), "BARRED")
