"""Takes the README's pictures: the example's comment as GitHub shows it, and its page.

`make pictures`, after `make example`; they are `comment.png` and `page.png` beside the example.
"""

import json
import tempfile
from importlib.resources import files
from pathlib import Path

from selenium.webdriver import Chrome
from selenium.webdriver.support.wait import WebDriverWait

from browser.chromium import SECONDS, resize, started
from mergeline.core.evidence import STAGES, EvidenceSet
from mergeline.core.plan import Plan
from mergeline.project.rehearse.comments import comment_html
from mergeline.report.page import render_page

EXAMPLE = Path(__file__).parents[2] / "reports/example"
# Pixels; what is further down is in the files themselves.
COMMENT, PAGE = (900, 1000), (1280, 1000)
LARGEST = 300_000  # bytes of a picture: Git keeps every one that there ever was
_SCROLL = "document.getElementById(arguments[0]).scrollIntoView({behavior: 'instant'})"
_DRAWN = """const found = (what) => document.querySelectorAll(`#${arguments[0]} ${what}`).length;
return found("svg") >= Math.min(2, found("[data-chart]"))"""
_COMMENT = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="color-scheme" content="light"><title>A comment</title>
<style>{style} :root {{ color-scheme: light }} body {{ padding: 12px }}</style></head><body>
<article class="comment"><p class="by"><strong>github-actions</strong> commented</p>
<div class="markdown">{comment}</div></article></body></html>"""


def comment_page(markdown: str) -> str:
    """Return a page with nothing but a comment on it, in the rehearsal's style."""
    style = files("mergeline.project.rehearse").joinpath("style.css").read_text(encoding="utf-8")
    return _COMMENT.format(style=style, comment=comment_html(markdown))


def example_plan(folder: Path) -> Plan:
    """Put the example's verdict and its evidence together again."""
    evidence = {name: (folder / f"{name}.json").read_bytes() for name in STAGES}
    verdict = json.loads((folder / "verdict.json").read_bytes())
    whole = verdict | {"evidence": EvidenceSet.parse(evidence).as_json()}
    return Plan.model_validate_json(json.dumps(whole))


def taken(browser: Chrome, html: str, size: tuple[int, int], section: str = "") -> bytes:
    """Return one screen of a page as a PNG.

    Args:
        browser: Shows it.
        html: The page.
        size: Of the screen, in pixels.
        section: Whose beginning and whose first charts are seen; else the page's.

    Raises:
        ValueError: It is larger than what belongs into Git.
    """
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(html, encoding="utf-8")
        resize(browser, size)
        browser.get(page.as_uri())
        if section:
            browser.execute_script(_SCROLL, section)
            drawn = WebDriverWait(browser, SECONDS)
            drawn.until(lambda browser: browser.execute_script(_DRAWN, section))
        png = browser.get_screenshot_as_png()
    if len(png) > LARGEST:
        raise ValueError(f"the picture has {len(png):,} bytes, expected at most {LARGEST:,}")
    return png


def main() -> None:
    """Take both."""
    with tempfile.TemporaryDirectory() as folder, started(Path(folder, "home")) as browser:
        comment = comment_page((EXAMPLE / "comment.md").read_text(encoding="utf-8"))
        page = render_page(example_plan(EXAMPLE))
        (EXAMPLE / "comment.png").write_bytes(taken(browser, comment, COMMENT))
        (EXAMPLE / "page.png").write_bytes(taken(browser, page, PAGE, "performance"))


if __name__ == "__main__":
    main()
