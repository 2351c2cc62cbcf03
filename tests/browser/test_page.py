"""The page in Chromium: nothing fails, nothing acts, and everybody can use it."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from mergeline.core.plan import Plan
from mergeline.report.charts import charts
from mergeline.report.page import render_page
from report import plans
from report.nasty import NASTY

PLANS = {
    "binary": plans.unfair,
    "classes": plans.three_classes,
    "regression": plans.regression,
    "hostile": plans.hostile,
}
_SECONDS = 60  # for all charts of a page; a busy machine is slow


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Chrome, str], None]:
    """`opened(browser, name)`: the page of a plan, all of its charts drawn."""
    folder = tmp_path_factory.mktemp("pages")

    def show(browser: Chrome, name: str) -> None:
        file = folder / f"{name}.html"
        if not file.is_file():
            file.write_text(render_page(PLANS[name]()), "utf-8")
        show_file(browser, file, len(charts(PLANS[name]())))

    return show


def show_file(browser: Chrome, file: Path, drawn: int) -> None:
    browser.get(file.as_uri())
    browser.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    WebDriverWait(browser, _SECONDS).until(
        lambda page: len(page.find_elements(By.CSS_SELECTOR, ".chart.drawn svg")) == drawn
    )
    browser.execute_script("window.dispatchEvent(new Event('afterprint'))")


def scheme(browser: Chrome, name: str) -> None:
    found = [{"name": "prefers-color-scheme", "value": name}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": found})


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_it_reads_well_everywhere(
    browser: Chrome,
    phone: Callable[[Chrome], None],
    screenshot: Callable[[Chrome, str], Path],
    opened: Callable[[Chrome, str], None],
    name: str,
    colours: str,
) -> None:
    scheme(browser, colours)
    for device in ("desk", "phone"):
        if device == "phone":
            phone(browser)
        opened(browser, name)
        screenshot(browser, f"page-{name}-{device}-{colours}")
        wide = browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{device}: {wide} pixels stick out"
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing_serious(
    browser: Chrome,
    axe: Callable[[Chrome], list[str]],
    opened: Callable[[Chrome, str], None],
    name: str,
    colours: str,
) -> None:
    scheme(browser, colours)
    opened(browser, name)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert axe(browser) == []


def test_nothing_hostile_acts(browser: Chrome, tmp_path: Path) -> None:
    every: Plan = plans.poisoned(plans.unfair(), "</script><img src=x onerror=alert(1)>'\"")
    for place, start in enumerate(range(0, len(NASTY), 20)):
        nasty = " ".join(NASTY[start : start + 20])
        for plan in (every, plans.poisoned(plans.unfair(), nasty)):
            file = tmp_path / f"{place}.html"
            file.write_text(render_page(plan), "utf-8")
            show_file(browser, file, len(charts(plan)))
            asked = browser.execute_script(
                "return performance.getEntriesByType('resource').map(each => each.name)"
            )
            assert asked == []
            assert browser.get_log("browser") == []  # an alert, a refusal or an error would be here
            assert (
                browser.find_elements(By.CSS_SELECTOR, "img, iframe, main script, [onerror]") == []
            )


def _reach(browser: Chrome, selector: str, most: int = 80) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(most):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        if browser.execute_script("return document.activeElement.matches(arguments[0])", selector):
            return
    pytest.fail(f"{selector} was not reached by {most} presses of Tab")


def test_the_keyboard_reaches_everything(
    browser: Chrome, opened: Callable[[Chrome, str], None]
) -> None:
    opened(browser, "binary")
    _reach(browser, ".skip", 1)
    _reach(browser, ".contents a[href='#verdict']", 2)
    _reach(browser, "#search-gates")
    browser.switch_to.active_element.send_keys("ODDS")
    assert browser.find_element(By.CSS_SELECTOR, "[data-count='gates']").text == "2 of 7 shown"
    rows = browser.find_elements(By.CSS_SELECTOR, "[data-search='gates'] > tr")
    assert sum(row.is_displayed() for row in rows) == 2
    _reach(browser, "#threshold")


def test_the_slider_shows_measured_points_only(
    browser: Chrome, opened: Callable[[Chrome, str], None]
) -> None:
    opened(browser, "binary")
    evaluate = plans.unfair().evidence.evaluate
    assert evaluate is not None
    points = evaluate.content.thresholds
    slider = browser.find_element(By.ID, "threshold")
    start = [each.threshold for each in points].index(evaluate.content.threshold)

    def shown(name: str) -> str:
        return browser.find_element(
            By.CSS_SELECTOR, f"dd[data-point='{name}'], td[data-point='{name}']"
        ).text

    assert slider.get_attribute("value") == str(start)
    assert shown("tp") == f"{points[start].true_positive:,}"
    assert shown("mark") == "decides"
    slider.send_keys(Keys.ARROW_RIGHT)
    assert shown("tp") == f"{points[start + 1].true_positive:,}"
    assert slider.get_attribute("aria-valuetext") == shown("threshold")
    slider.send_keys(Keys.HOME)
    assert shown("fp") == f"{points[0].false_positive:,}"
    cheapest = browser.find_element(By.XPATH, "//button[contains(., 'cheapest')]")
    browser.execute_script("arguments[0].click()", cheapest)
    assert "cheapest" in shown("mark")


def test_without_scripts_all_but_charts_is_there(
    browser: Chrome, opened: Callable[[Chrome, str], None]
) -> None:
    try:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        file = render_page(plans.unfair())
        address = base64.b64encode(file.encode()).decode()
        browser.get(f"data:text/html;base64,{address}")
        gates = browser.find_elements(By.CSS_SELECTOR, "[data-search='gates'] > tr")
        assert len(gates) == 7
        assert all(gate.is_displayed() for gate in gates)
        assert not browser.find_element(By.ID, "search-gates").is_displayed()
        assert not browser.find_element(By.ID, "threshold").is_displayed()
        assert browser.find_element(By.CSS_SELECTOR, "td[data-point='tp']").is_displayed()
        assert browser.find_element(By.CSS_SELECTOR, "figure summary").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_it_prints(browser: Chrome, opened: Callable[[Chrome, str], None]) -> None:
    opened(browser, "binary")
    made = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    assert base64.b64decode(made["data"]).startswith(b"%PDF")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not browser.find_element(By.CSS_SELECTOR, ".contents").is_displayed()
    assert not browser.find_element(By.ID, "search-gates").is_displayed()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
