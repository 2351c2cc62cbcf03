"""Check runs as GitHub shows and takes them."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from mergeline.adapters.github_types import Id, Received
from mergeline.core.remarks import CheckText, Level, Remark

# Of one request; what is sent with a later one is added.
MOST_ANNOTATIONS = 50

Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]


class CheckRun(Received):
    """A check run of a commit.

    Attributes:
        external_id: What whoever made it calls it; empty for nothing.
        url: For people.
    """

    id: Id
    external_id: Text = ""
    url: Text = Field(default="", validation_alias="html_url")


class Annotation(Received):
    """A remark of a check run, as GitHub keeps it."""

    path: str
    line: int = Field(validation_alias="start_line")
    level: Level = Field(validation_alias="annotation_level")
    title: Text = ""
    message: Text = ""

    def remark(self) -> Remark:
        """Return it as we write it."""
        return Remark(
            path=self.path,
            line=self.line,
            level=self.level,
            title=self.title,
            message=self.message,
        )


def body_of(text: CheckText) -> dict[str, Any]:
    """Return what is sent for a check run that has ended."""
    annotations = [
        {
            "path": each.path,
            "start_line": each.line,
            "end_line": each.line,
            "annotation_level": each.level,
            "title": each.title,
            "message": each.message,
        }
        for each in text.remarks[:MOST_ANNOTATIONS]
    ]
    output = {"title": text.title, "summary": text.summary, "annotations": annotations}
    return {"status": "completed", "conclusion": text.conclusion, "output": output}
