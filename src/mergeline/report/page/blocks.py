"""What the page's sections are made of. All texts are as they are: the templates escape them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from mergeline.core.base import Estimate
from mergeline.core.verdict import Outcome
from mergeline.report.charts import Chart
from mergeline.report.numbers import estimate
from mergeline.report.words import WORD

Tone = Literal["", "good", "warn", "bad", "unknown", "quiet"]
TONE: dict[Outcome, Tone] = {
    Outcome.PASSED: "good",
    Outcome.SKIPPED: "quiet",
    Outcome.WAIVED: "warn",
    Outcome.WARNED: "warn",
    Outcome.FAILED: "bad",
    Outcome.ERRORED: "unknown",
}


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        tone: Of a badge with a sign of its own; empty for plain text.
        code: Whether it is a name or a digest, to be copied.
    """

    text: str
    tone: Tone = ""
    code: bool = False


def name(text: str) -> Cell:
    """Return a cell for a name."""
    return Cell(text or "(empty)", code=True)


def badge(outcome: Outcome) -> Cell:
    """Return a cell for what became of a gate."""
    return Cell(WORD[outcome], tone=TONE[outcome])


def told(metrics: Mapping[str, Estimate], metric: str) -> str:
    """Return a metric with its interval, or why it has no value; empty where it is not asked."""
    found = metrics.get(metric)
    if found is None:
        return ""
    why = found.value is None and found.reason
    return f"{estimate(found)}: {why}" if why else estimate(found)


Row = Sequence[str | Cell]


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    kind: ClassVar = "words"
    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Note:
    """A paragraph that must be seen."""

    kind: ClassVar = "note"
    text: str
    tone: Tone = "warn"


@dataclass(frozen=True)
class Listing:
    """A list of sentences."""

    kind: ClassVar = "listing"
    items: Sequence[str]


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    kind: ClassVar = "heading"
    text: str


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        caption: What it holds; read aloud, and seen.
        numeric: Indices of the columns set to the right.
        search: What is searched in, e.g. `gates`; empty without a search.
        more: What is left out, and where it is.
        cards: Whether rows are read one below the other on a narrow screen.
    """

    kind: ClassVar = "table"
    caption: str
    header: Sequence[str]
    rows: Sequence[Row]
    numeric: frozenset[int] = frozenset()
    search: str = ""
    more: str = ""
    cards: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and what they stand for."""

    kind: ClassVar = "facts"
    pairs: Sequence[tuple[str, str | Cell]]


@dataclass(frozen=True)
class Figures:
    """Charts, beside each other where there is room."""

    kind: ClassVar = "figures"
    charts: Sequence[Chart]


@dataclass(frozen=True)
class Safe:
    """HTML that `report.github` has made."""

    kind: ClassVar = "safe"
    html: str


@dataclass(frozen=True)
class Explorer:
    """The slider over measured thresholds; numbers are put into words beforehand.

    Attributes:
        points: By rising threshold, the cells of `header`.
        start: The point that is shown first: the one that decides.
        marks: Place and what is to be said of it: it decides, it is the cheapest.
    """

    kind: ClassVar = "explorer"
    points: Sequence[dict[str, str]]
    start: int
    marks: dict[int, str]
    costs: bool
    unit: str
    noun: str


@dataclass(frozen=True)
class Fold:
    """Blocks that are read when they are asked for."""

    kind: ClassVar = "fold"
    summary: str
    blocks: Sequence["Block"]


Block = Words | Note | Listing | Heading | Table | Facts | Figures | Safe | Explorer | Fold


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        id: Ours, in its address.
        lead: One sentence for those who read no further.
        data: What its numbers come from, as JSON types; None without a download.
    """

    id: str
    title: str
    blocks: Sequence[Block]
    lead: str = ""
    data: object = None
    tone: Tone = ""


def missing(stage: str) -> Note:
    """Return what is said where a stage has no evidence."""
    return Note(f"There is no evidence of the stage {stage}: it did not run.", "unknown")
