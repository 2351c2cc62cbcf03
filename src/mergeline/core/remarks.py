"""Remarks at lines of files, and the check run that carries them: plain text, bounded."""

from typing import Annotated, Literal

from pydantic import Field

from mergeline.core.base import Frozen

Level = Literal["notice", "warning", "failure"]
Conclusion = Literal["success", "neutral", "failure"]


class Remark(Frozen):
    """What is to be seen at one line of a file.

    Attributes:
        path: Of the file, from the root.
        line: From 1.
        title: One line of text.
        message: Text; its lines are kept.
    """

    path: str
    line: Annotated[int, Field(ge=1)]
    level: Level
    title: str
    message: str


class CheckText(Frozen):
    """All that a check run says.

    Attributes:
        title: One line of text.
        summary: Markdown.
        remarks: The most important first.
    """

    conclusion: Conclusion
    title: str
    summary: str
    remarks: tuple[Remark, ...] = ()


class Places(Frozen):
    """Where in the head's files something stands; lines from 1.

    Attributes:
        settings: The path of the settings.
        gates: The line of each gate, by name; of the section where a gate is gone.
        contract: The path of the contract; None where it is as it was, or where there is none.
        contract_line: The first line of the contract that differs.
    """

    settings: str
    gates: dict[str, int]
    contract: str | None = None
    contract_line: Annotated[int, Field(ge=1)] = 1
