"""A browser for tests; where it cannot be had they are skipped."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from browser import axe as axe_core
from browser.chromium import DESK, PHONE, picture, resize, started


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """One process for all tests of a worker."""
    try:
        with started(tmp_path_factory.mktemp("chromium") / "home") as browser:
            yield browser
    except LookupError as error:
        pytest.skip(str(error))


@pytest.fixture
def browser(chromium: Chrome) -> Chrome:
    """A browser of 1280 by 900 pixels that remembers nothing; skips where there is none."""
    chromium.get("about:blank")
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    chromium.get_log("browser")
    resize(chromium, DESK)
    return chromium


@pytest.fixture
def phone() -> Callable[[Chrome], None]:
    """`phone(browser)`: 390 by 844 pixels from now on, as on a telephone."""
    return lambda browser: resize(browser, PHONE, mobile=True)


@pytest.fixture(scope="session")
def axe() -> Callable[[Chrome], list[str]]:
    """`axe(browser)`: what axe-core finds serious or critical on the page; `== []` is good."""
    try:
        script = axe_core.source()
    except LookupError as error:
        pytest.skip(str(error))
    return lambda browser: axe_core.violations(browser, script)


@pytest.fixture
def screenshot(tmp_path: Path) -> Callable[[Chrome, str], Path]:
    """`screenshot(browser, name)`: the whole page as NAME.png.

    It is kept in the folder MERGELINE_SCREENSHOTS, or in the test's own.
    """

    def take(browser: Chrome, name: str) -> Path:
        file = Path(os.environ.get("MERGELINE_SCREENSHOTS") or tmp_path) / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(browser))
        return file

    return take
