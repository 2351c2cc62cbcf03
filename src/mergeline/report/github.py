"""Markdown as GitHub shows it: its extensions, and nothing left that could act in a browser.

The text may be anybody's. HTML in it is kept as far as GitHub keeps it, by nh3's list of what
is allowed; links lead to web pages and mail addresses only, images and styles are gone.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_TAGS = frozenset(
    {
        *("a", "b", "blockquote", "br", "caption", "code", "dd", "del", "details", "div", "dl"),
        *("dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "input", "ins", "kbd", "li"),
        *("ol", "p", "pre", "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "span"),
        *("strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th"),
        *("thead", "tr", "tt", "ul", "var", "wbr"),
    }
)
_WITH_CONTENT = frozenset(
    {
        *("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "head"),
        *("noscript", "plaintext", "template", "svg", "math", "object", "embed"),
    }
)
_ATTRIBUTES = {
    "a": {"href"},
    "details": {"open"},
    "div": {"align"},
    "input": {"checked"},
    "ol": {"start"},
    "p": {"align"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
    **{f"h{level}": {"align"} for level in range(1, 7)},
}
_CLASSES = {
    "div": {
        "markdown-alert",
        *(f"markdown-alert-{kind}" for kind in ("note", "tip", "important", "warning", "caution")),
    },
    "p": {"markdown-alert-title"},
    "ul": {"contains-task-list"},
    "li": {"task-list-item"},
    "code": {
        f"language-{name}"
        for name in ("mermaid", "console", "sh", "bash", "python", "json", "yaml", "diff", "text")
    },
}
# Whatever an input asked to be; nh3 would set attributes in another order each time.
_INPUT = re.compile(r'<input( checked="")?>')
_TASK = r'<input type="checkbox" disabled="" aria-label="Task"\1>'
_SCHEMES = {"http", "https", "mailto"}
_ADDRESS = re.compile(r"(?:https?://|mailto:)\S+", re.IGNORECASE)
_ALIGNED = re.compile(r"text-align:(left|center|right)")
_DEEPEST = 6


def to_html(markdown: str, *, shift: int = 0) -> str:
    """Return Markdown as GitHub would render it, safe to put into a page.

    Args:
        markdown: Anybody's text.
        shift: By how many levels every heading is put lower, for a page that has an outline.
    """
    import nh3

    parser = _parser()
    tokens = parser.parse(markdown)
    _shift_headings(tokens, shift)
    cleaned = nh3.clean(
        parser.renderer.render(tokens, parser.options, {}),
        tags=set(_TAGS),
        clean_content_tags=set(_WITH_CONTENT),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=_attribute,
        allowed_classes={tag: set(names) for tag, names in _CLASSES.items()},
        url_schemes=set(_SCHEMES),
        link_rel="nofollow noopener noreferrer",
        strip_comments=True,
    )
    return _INPUT.sub(_TASK, cleaned)


def _attribute(_tag: str, name: str, value: str) -> str | None:
    """Return what an attribute is kept as; None to leave it out."""
    if name == "href":
        return value if _ADDRESS.fullmatch(value.strip()) else None
    return "" if name == "checked" else value


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt
    from mdit_py_plugins.gfm import gfm_plugin

    parser = MarkdownIt("commonmark").use(gfm_plugin)
    for cell in ("th_open", "td_open"):
        parser.add_render_rule(cell, _render_cell)
    return parser


def _render_cell(self: Any, tokens: Sequence["Token"], index: int, options: Any, _env: Any) -> str:
    """Render a cell with `align`, as GitHub does: a style would be taken out."""
    token = tokens[index]
    found = _ALIGNED.fullmatch(str(token.attrs.pop("style", "")))
    if found:
        token.attrs["align"] = found[1]
    rendered: str = self.renderToken(tokens, index, options, _env)
    return rendered


def _shift_headings(tokens: Sequence["Token"], levels: int) -> None:
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1:]) + levels, _DEEPEST)}"
