"""Reads a comment as GitHub would, and finds what in it would act."""

import html
import re
import unicodedata
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

JOINER = "\u2060"
_OURS = {JOINER, "\u2068", "\u2069"}  # the only invisible characters that a comment may hold
_INLINE_HTML = {"<br>", "<span>", "</span>", "<code>", "</code>"}
_FOLD = re.compile(r"(<details>\n<summary><b>[^<]*</b>: (?P<text>.*)</summary>|</details>)\n?")
_MARKER = re.compile(r"<!-- mergeline: [A-Za-z0-9._-]+ -->\n?")

# What GitHub, or a mail reader, finds in text that is rendered already.
_ACTS = {
    "mention": r"@[^\s\u2060⟨]",
    "issue": r"#\d",
    "prefix": r"(?i)\b[a-z]+-\d",
    "advisory": r"(?i)ghsa-\w",
    "commit": r"(?i)[0-9a-f]{7,}",
    "address": r"(?i)[a-z]:/|www\.|\b(?:mailto|xmpp):\w",
    "host": r"(?i)\w\.(?:com|org|net|io|example|de)\b",
    "task": r"^\s*\[[ xX]\]",
    "emoji": r":[A-Za-z0-9_+-]+:",
}


@dataclass(frozen=True)
class Table:
    """A table's cells as a reader sees them: no markup, no joiners, one line each."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> tuple[str, ...]:
        index = self.header.index(name)
        return tuple(row[index] for row in self.rows)


def parse(comment: str) -> list[Token]:
    """Parse GitHub-flavoured Markdown, raw HTML included."""
    return (
        MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(comment)
    )


def shape(comment: str) -> list[str]:
    """The kinds of blocks in their order: strings of others must not change it."""
    return [token.type + token.markup.strip("`") for token in parse(comment)]


def tables(comment: str) -> list[Table]:
    """Every table of a comment."""
    found: list[list[list[str]]] = []
    for token in parse(comment):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and token.level > 3:
            found[-1][-1].append(seen(token))
    return [Table(tuple(rows[0]), tuple(map(tuple, rows[1:]))) for rows in found]


def seen(inline: Token) -> str:
    """The text of an inline token as a reader sees it."""
    parts = ("\n" if child.content == "<br>" else _text(child) for child in inline.children or ())
    return "".join(parts).replace(JOINER, "").replace("\u2068", "").replace("\u2069", "")


def _text(token: Token) -> str:
    return token.content if token.type in ("text", "code_inline") else ""


def visible(comment: str) -> str:
    """All text of a comment as a reader sees it, blocks apart by blank lines."""
    return "\n\n".join(seen(token) for token in parse(comment) if token.type == "inline")


def problems(comment: str) -> list[str]:
    """What in a comment would act, or hide, and is not ours."""
    tokens = parse(comment)
    found = [f"hidden {ord(each):04X}" for each in set(comment) if _hides(each)]
    found += [] if comment.count("<!--") == 1 else ["a second marker"]
    for position, token in enumerate(tokens):
        if token.type == "html_block":
            found += _block(token.content, first=position == 0)
        for child in token.children or ():
            found += _inline(child)
    return found


def _hides(character: str) -> bool:
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co")
    return hidden and character != "\n" and character not in _OURS


def _block(content: str, *, first: bool) -> list[str]:
    if first:
        return [] if _MARKER.fullmatch(content) else [f"marker: {content}"]
    fold = _FOLD.fullmatch(content)
    if fold is None:
        return [f"html: {content}"]
    summary = (fold["text"] or "").replace("<span>$</span>", " ")
    extra = ["html in a summary"] if "<" in summary else []
    return extra + _acting(html.unescape(summary))


def _inline(token: Token) -> list[str]:
    if token.type == "html_inline":
        return [] if token.content in _INLINE_HTML else [f"html: {token.content}"]
    if token.type == "code_inline":
        return ["a marker in code"] if "<!--" in token.content else []
    if token.type == "text":
        return _acting(token.content)
    allowed = ("strong_open", "strong_close", "softbreak")
    return [] if token.type in allowed else [f"{token.type}: {token.content}"]


def _acting(text: str) -> list[str]:
    math = ["math"] if "$" in text and text != "$" else []
    return math + [f"{name}: {text}" for name, rule in _ACTS.items() if re.search(rule, text)]
