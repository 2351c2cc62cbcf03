"""The README's pictures can be taken, of whatever the example is."""

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from browser import pictures
from browser.chromium import size_of
from mergeline.report.comment import render_comment
from mergeline.report.page import render_page
from report import plans


def test_a_comment(browser: Chrome) -> None:
    page = pictures.comment_page(render_comment(plans.better()))
    assert size_of(pictures.taken(browser, page, pictures.COMMENT)) == pictures.COMMENT
    comment = browser.find_element(By.CLASS_NAME, "markdown")
    assert comment.is_displayed()
    assert "Better: catches" in comment.text


def test_the_page_where_it_has_charts(browser: Chrome, monkeypatch: pytest.MonkeyPatch) -> None:
    page = render_page(plans.better())
    png = pictures.taken(browser, page, pictures.PAGE, "performance")
    assert size_of(png) == pictures.PAGE
    assert browser.execute_script("return scrollY") > 500
    monkeypatch.setattr(pictures, "LARGEST", len(png) // 2)
    with pytest.raises(ValueError, match=r"bytes, expected at most"):
        pictures.taken(browser, page, pictures.PAGE, "performance")


def test_the_examples_plan_is_put_together_again() -> None:
    plan = pictures.example_plan(pictures.EXAMPLE)
    assert plan.candidate.commit[:12] in (pictures.EXAMPLE / "comment.md").read_text()
    assert plan.evidence.train is not None
