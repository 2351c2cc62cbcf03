"""Comments as pages show them: charts drawn, tables in reach, nothing that acts."""

import base64
import re

import pytest

from mergeline.project.rehearse.comments import comment_html, picture

CHART = """```mermaid
xychart-beta
    x-axis "Score" [a, b]
    y-axis "Share" 0 --> 1
    bar [1, 0.5]
```
"""


def test_a_chart_becomes_a_picture_with_words_and_its_text() -> None:
    html = comment_html(CHART)
    assert 'alt="Chart of Share by Score; its text is below"' in html
    data = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    assert data is not None
    assert base64.b64decode(data[1]).startswith(b"<svg ")
    assert "bar [1, 0.5]" in html


@pytest.mark.parametrize("chart", ["no chart $$$", "xychart-beta\n bar [<b>]", "x" * 30_000, ""])
def test_what_is_no_chart_stays_text(chart: str) -> None:
    html = comment_html(f"```mermaid\n{chart}\n```\n")
    assert "<img" not in html
    assert '<pre><code class="language-mermaid">' in html
    assert picture(chart) is None


def test_a_chart_that_would_take_minutes_stays_text() -> None:
    assert picture("flowchart LR\n" + "A-->B\n" * 1000) is None


def test_a_title_is_no_place_for_html() -> None:
    title = 'accTitle: x" onerror=alert(1) <b>'
    html = comment_html(f"```mermaid\nflowchart LR\n    {title}\n    A --> B\n```\n")
    (image,) = re.findall(r"<img[^>]*>", html)
    assert re.sub(r'"[^"]*"', '""', image) == '<img class="" src="" alt="">'


def test_each_table_can_be_reached_by_the_keyboard() -> None:
    table = "| a |\n| --- |\n| 1 |\n"
    html = comment_html(f"{table}\n\ntext\n\n{table}")
    assert re.findall(r'aria-label="(Table \d)" tabindex="0"><table>', html) == [
        "Table 1",
        "Table 2",
    ]


def test_headings_go_below_those_of_the_page() -> None:
    assert comment_html("# One\n\n## Two\n") == "<h3>One</h3>\n<h4>Two</h4>\n"
