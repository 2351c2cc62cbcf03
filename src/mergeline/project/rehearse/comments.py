"""Comments as GitHub shows them: Markdown to HTML, Mermaid to pictures."""

import base64
import html
import re
from functools import lru_cache

_MERMAID = re.compile(r'<pre><code class="language-mermaid">(.*?)</code></pre>', re.DOTALL)
_TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)
_TITLE = re.compile(r"^\s*(?:accTitle:|title:?)\s*\"?([^\"\n]+)\"?\s*$", re.MULTILINE)
_AXIS = re.compile(r"^\s*([xy])-axis \"([^\"\n]+)\"", re.MULTILINE)
_LONGEST = 4_000  # characters of a chart; drawing takes the square of its lines
_SHIFT = 2  # levels by which headings go down: the page has two of its own


@lru_cache(maxsize=64)
def comment_html(markdown: str) -> str:
    """Return a comment as safe HTML, its charts drawn and its tables in reach of the keyboard."""
    from mergeline.report.github import to_html

    made = to_html(markdown, shift=_SHIFT)
    numbers = iter(range(1, 10_000))
    made = _TABLE.sub(lambda found: _scrolled(found[0], next(numbers)), made)
    return _MERMAID.sub(lambda found: _drawn(html.unescape(found[1]), found[0]), made)


def _scrolled(table: str, number: int) -> str:
    about = f'class="scroll" role="region" aria-label="Table {number}" tabindex="0"'
    return f"<div {about}>{table}</div>"


def _drawn(source: str, code: str) -> str:
    """Return a chart as a picture above its text; the text alone where it cannot be drawn."""
    svg = picture(source)
    if svg is None:
        return code
    alt = html.escape(_alternative(source))
    data = base64.b64encode(svg.encode()).decode()
    image = f'<img class="chart" src="data:image/svg+xml;base64,{data}" alt="{alt}">'
    return f"<figure>{image}<details><summary>The chart as text</summary>{code}</details></figure>"


def _alternative(source: str) -> str:
    """Say what a chart is of, for who does not see it: its own title, else its axes."""
    title = _TITLE.search(source)
    if title:
        return f"Chart: {title[1].strip()}"
    axes = dict(_AXIS.findall(source))
    if len(axes) == len("xy"):
        return f"Chart of {axes['y']} by {axes['x']}; its text is below"
    return "Chart; its text is below"


@lru_cache(maxsize=64)
def picture(source: str) -> str | None:
    """Return a Mermaid chart as SVG; None where it is none, or nothing here can draw it."""
    if len(source) > _LONGEST:
        return None
    try:
        import mermaidx

        svg = str(mermaidx.render(source).svg())
    except Exception:  # noqa: BLE001 -- anybody's text, drawn by others' code: then it stays text
        return None
    return None if 'aria-roledescription="error"' in svg else svg
