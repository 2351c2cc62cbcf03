"""Markdown as GitHub shows it: what stands, and what hostile text cannot do."""

from html.parser import HTMLParser

import pytest

from mergeline.report.github import to_html

from .nasty import NASTY


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


def seen(html: str) -> _Seen:
    parser = _Seen()
    parser.feed(html)
    parser.close()
    return parser


def test_a_table_is_aligned_as_github_aligns_it() -> None:
    html = to_html("| a | b |\n| --- | ---: |\n| 1 | 2 |\n")
    assert '<th align="right">b</th>' in html
    assert '<td align="right">2</td>' in html
    assert "style" not in html


def test_alerts_tasks_and_fences_keep_their_classes() -> None:
    html = to_html("> [!WARNING]\n> hot\n\n- [x] done\n\n```mermaid\nx-->y\n```\n")
    assert 'class="markdown-alert markdown-alert-warning"' in html
    assert 'class="language-mermaid"' in html
    inputs = [found[1:] for found in seen(html).attributes if found[0] == "input"]
    assert ("disabled", "") in inputs
    assert ("checked", "") in inputs


def test_folds_and_small_marks_stay() -> None:
    html = to_html(
        "<details open><summary>s</summary>\n\ntext<br><sub>1</sub><sup>2</sup>\n</details>"
    )
    assert {"details", "summary", "br", "sub", "sup"} <= set(seen(html).tags)


def test_headings_are_lowered_and_never_below_the_sixth() -> None:
    html = to_html("# a\n\n## b\n\n##### c\n", shift=2)
    assert seen(html).tags == ["h3", "h4", "h6"]
    assert "<h1" in to_html("# a")


def test_front_matter_is_text() -> None:
    assert "tags" in to_html("---\ntags: x\n---\n\n# Card\n")


def test_a_link_is_neither_followed_nor_told_where_from() -> None:
    html = to_html("[a](https://example.com) b@example.com")
    assert html.count('rel="nofollow noopener noreferrer"') == 2


HOSTILE = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=https://evil.example/x.png onerror=alert(1)>",
    "![x](https://evil.example/x.png)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' java\tscript:alert(1)'>x</a>",
    "<a href='//evil.example'>x</a>",
    "<a href='data:text/html,x' onclick=alert(1) style='position:fixed' target=_top>x</a>",
    "[x](<javascript:alert(1)>)",
    "[x](vbscript:x) [y](file:///etc/passwd) [z](/relative)",
    "<form action=https://evil.example><input type=password autofocus onfocus=alert(1)></form>",
    "<input type=image src=https://evil.example/x.png>",
    "<style>body{display:none}</style><p style='color:red' class=hidden id=main>x</p>",
    "<base href=https://evil.example/><link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<object data=//evil.example></object><embed src=//evil.example>",
    "<template><script>alert(1)</script></template>",
    "<textarea></textarea><title>x</title><noscript><p title='</noscript><img src=x>'>",
    '```"><script>alert(1)</script>\nx\n```',
    "```x onclick=alert(1)\nx\n```",
    "<video src=//evil.example autoplay></video><audio src=//evil.example></audio>",
)
MAY_STAY = {
    *("href", "rel", "align", "open", "start", "colspan", "rowspan", "scope", "class"),
    *("type", "disabled", "checked", "aria-label"),
}
NEVER = {
    *("script", "img", "svg", "math", "iframe", "form", "style", "base", "link", "meta", "object"),
    *("embed", "template", "textarea", "title", "video", "audio", "button", "select"),
}


@pytest.mark.parametrize("text", [*HOSTILE, *NASTY])
@pytest.mark.parametrize("around", ["{}", "- x {}", "| {} |\n| --- |\n| {} |", "> {}"])
def test_nothing_hostile_is_left(text: str, around: str) -> None:
    found = seen(to_html(around.replace("{}", text)))
    assert not NEVER & set(found.tags)
    for tag, name, value in found.attributes:
        assert name in MAY_STAY, (tag, name, value)
        if name == "href":
            assert value.lower().startswith(("http://", "https://", "mailto:")), value
        if tag == "input" and name == "type":
            assert value == "checkbox"


def test_the_same_text_gives_the_same_html() -> None:
    text = "\n\n".join(NASTY)
    assert to_html(text) == to_html(text)
