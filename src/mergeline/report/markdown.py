"""Markdown for GitHub out of strings that nobody vouches for.

Every string that came from data or from a pull request goes through `text` or `code`.
What GitHub acts on is found at two times. CommonMark's own syntax is found in the
source: those characters become entities. Mentions, references, commits, addresses,
emoji names and math are found afterwards, in the rendered text, where an entity is the
character again: there a word joiner (U+2060, which nobody sees) keeps the parts apart,
and a dollar sign stands in a span of its own, which is what GitHub's manual asks for.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from mergeline.core.digest import sha256

NAME, SENTENCE = 80, 400  # visible characters of a name and of a sentence

_JOINER = "\u2060"
_SHORTEST = 8
_SLACK = 120  # so that a short name is never cut for its escapes
_MARKS = 3  # combining marks on one letter; more would paint over other lines

# Control, format, surrogate, private and unassigned characters, and line separators.
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# Blank or invisible in other categories: fillers, and what selects variants.
_BLANK = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0))
) | frozenset(map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))

_BREAKS = re.compile(
    r"""(?<=@)(?=\S)              # @user, @org/team, name@host, owner/name@commit
    | (?<=\#)(?=\d)               # #1, owner/name#1
    | (?<=[A-Za-z]-)(?=\d)        # GH-1, CVE-2024-1, and a repository's own prefixes
    | (?<=ghsa-)(?=\w)            # security advisories
    | (?<=:)(?=\S)                # scheme://, mailto:, :emoji:
    | (?<=ww)(?=w)                # www.
    | (?<=\[)(?=[ x]\])           # a box to tick, at the start of an item
    | (?<=\w\.)(?=[A-Za-z])(?!(?:yaml|lock|json|csv|parquet)\b)  # host.name, in mail readers
    """,
    re.VERBOSE | re.IGNORECASE,
)
_HEX = re.compile(r"[0-9a-f]{6}(?=[0-9a-f])", re.IGNORECASE)  # seven digits can be a commit
_ENTITIES = {ord(character): f"&#{ord(character)};" for character in "\\`*[]<>|~&#" + _JOINER}
_ENTITIES[ord("$")] = "<span>$</span>"
_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")  # inside a word it is a letter
_LIST_START = re.compile(r"^([-+=:])|^(\d{1,9})([.)])(?=\s|$)")

# What makes a link, an image, HTML or an entity of text, where nothing can be escaped.
_SYNTAX = re.compile(r"(?<=[<&!\]])(?=\S)")
_BLOCK_START = re.compile(r"[^\w(]|\d+[.)]")

# Within backticks only these (and an address) would still have to be stopped.
_NOT_IN_BACKTICKS = re.compile(r"[`|<\\$]|://")
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def marker(project: str) -> str:
    """Return the hidden first line, by which a comment is found again.

    A name that no settings file may have gets the marker of no project that has one.
    """
    if _PROJECT.fullmatch(project) is None:
        project = f"unnamed-{sha256(project.encode(errors='replace'))[:12]}"
    return f"<!-- mergeline: {project} -->"


def plain(value: str, limit: int = SENTENCE) -> str:
    """Return a string as one line of visible characters, shortened in the middle.

    What cannot be seen, or changes the order in which text is read, is named instead.
    """
    return _shorten(_visible(_shorten(" ".join(value.split()), limit)), limit)


def inert(value: str, limit: int = SENTENCE) -> str:
    """Return a string for where GitHub shows plain text, and for where it may try Markdown.

    There entities would be seen: a word joiner keeps apart what would act.

    Args:
        value: Anything.
        limit: Of all characters, those that nobody sees included.
    """
    size = limit
    while True:
        line = _SYNTAX.sub(_JOINER, _BREAKS.sub(_JOINER, plain(value, size)))
        line = f"{_JOINER}{line}" if _BLOCK_START.match(line) else line
        if len(line) <= limit:
            return line
        size = size * 2 // 3


def text(value: str, limit: int = SENTENCE) -> str:
    """Return a string so that GitHub shows it as it is and does nothing else with it."""
    line, escaped = _bounded(value, limit)
    return _isolated(line, escaped)


def code(value: str, limit: int = NAME) -> str:
    """Return a string in the font of code: for names, which a reader may want to copy."""
    if not value.strip():
        return "(empty)" if not value else "(blank)"
    around = value[:1].isspace(), value[-1:].isspace()
    line, escaped = _bounded(value, limit)
    before, after = ("␣" if space else "" for space in around)
    if _NOT_IN_BACKTICKS.search(line):
        return _isolated(line, f"<code>{before}{escaped}{after}</code>")
    return _isolated(line, f"`{before}{line}{after}`")


def listing(names: Sequence[str], most: int) -> str:
    """Return names in the font of code, and how many more there are."""
    shown = ", ".join(code(name) for name in names[:most])
    more = len(names) - most
    return f"{shown} and {more:,} more" if more > 0 else shown


def table(header: Sequence[str], rows: Iterable[Sequence[str]], numeric: Collection[int]) -> str:
    """Return a table of cells that are Markdown already.

    Args:
        header: The columns' names.
        rows: As many cells each.
        numeric: The indices of the columns that are set to the right.
    """
    rule = ["---:" if index in numeric else "---" for index in range(len(header))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))


@dataclass(frozen=True)
class Section:
    """A folded part of a comment.

    Attributes:
        name: What it is called where it had to be left out.
        summary: What a reader learns without opening it: one line of escaped text.
        body: Markdown.
    """

    name: str
    summary: str
    body: str

    def __str__(self) -> str:
        summary = f"<b>{self.name}</b>: {self.summary}"
        return f"<details>\n<summary>{summary}</summary>\n\n{self.body}\n\n</details>"


def block(command: str) -> str:
    """Return a command as a block with a button to copy it."""
    line = plain(command)
    if _NOT_IN_BACKTICKS.search(line) or not line:
        return code(command, SENTENCE)
    return f"```console\n{line}\n```"


def _shorten(line: str, limit: int) -> str:
    if len(line) <= limit:
        return line
    tail = limit // 3
    return f"{line[: limit - tail - 1]}…{line[-tail:]}"


def _visible(line: str) -> str:
    shown, marks = [], 0
    for character in line:
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if category in _HIDDEN or character in _BLANK:
            shown.append(f"⟨U+{ord(character):04X}⟩")
        elif marks <= _MARKS:
            shown.append(character)
    return "".join(shown)


def _bounded(value: str, limit: int) -> tuple[str, str]:
    """Return the line and its escaped form, of which hostile text must not grow the size."""
    size = limit
    while True:
        line = plain(value, size)
        escaped = _escaped(line)
        if len(escaped) <= 2 * limit + _SLACK or size <= _SHORTEST:
            return line, escaped
        size //= 2


def _escaped(line: str) -> str:
    apart = _HEX.sub(rf"\g<0>{_JOINER}", _BREAKS.sub(_JOINER, line))
    escaped = _UNDERSCORE.sub("&#95;", apart.translate(_ENTITIES))
    return _LIST_START.sub(_list_start, escaped)


def _list_start(found: re.Match[str]) -> str:
    sign, digits, stop = found.groups()
    return f"&#{ord(sign)};" if sign else f"{digits}&#{ord(stop)};"


def _isolated(line: str, escaped: str) -> str:
    """Keep text that is written from right to left from turning the numbers around it."""
    if any(unicodedata.bidirectional(character) in {"R", "AL", "AN"} for character in line):
        return f"\u2068{escaped}\u2069"
    return escaped
