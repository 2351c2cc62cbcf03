"""The tests of what tests in a browser stand on: it must be able to find something."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from browser import axe as axe_core
from browser import chromium

GOOD = """<!doctype html><html lang="en"><head><title>A page</title>
<meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy"
content="default-src 'none'; style-src 'unsafe-inline'"></head>
<body><main><h1>A page</h1><p>{}</p></main></body></html>"""
GREY = '<span style="color: #bbb; background: #fff">grey on white</span>'


@pytest.fixture
def show(browser: Chrome, tmp_path: Path) -> Callable[[str], None]:
    def opened(html: str) -> None:
        file = tmp_path / "page.html"
        file.write_text(html, encoding="utf-8")
        browser.get(file.as_uri())

    return opened


Show = Callable[[str], None]


def test_axe_finds_what_is_wrong_and_nothing_on_a_good_page(
    browser: Chrome, axe: Callable[[Chrome], list[str]], show: Show
) -> None:
    show(GOOD.format("Black on white."))
    assert axe(browser) == []
    show(GOOD.format(GREY))
    (said,) = axe(browser)
    assert said.startswith("color-contrast: ")
    assert said.endswith("(span)")


def test_a_picture_shows_the_whole_page(
    browser: Chrome,
    phone: Callable[[Chrome], None],
    screenshot: Callable[[Chrome, str], Path],
    show: Show,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    show(GOOD.format('<span style="display: block; height: 2000px">tall</span>'))
    monkeypatch.delenv("MERGELINE_SCREENSHOTS", raising=False)
    wide, tall = chromium.size_of(screenshot(browser, "desk").read_bytes())
    assert wide == 1280
    assert tall > 2000
    phone(browser)
    monkeypatch.setenv("MERGELINE_SCREENSHOTS", str(tmp_path / "kept"))
    file = screenshot(browser, "phone")
    assert file == tmp_path / "kept/phone.png"
    assert chromium.size_of(file.read_bytes())[0] == 390


def test_nothing_beyond_the_machine_is_asked(browser: Chrome, show: Show) -> None:
    show('<!doctype html><title>x</title><img src="http://example.org/a.png">')
    assert "ERR_NAME_NOT_RESOLVED" in " ".join(one["message"] for one in browser.get_log("browser"))


def test_it_takes_along_all_that_it_started(tmp_path: Path, browser: Chrome) -> None:
    with chromium.started(tmp_path / "home") as other:
        group = other.service.process.pid
        assert len(members(group)) > 2
    assert members(group) == []
    with pytest.raises(RuntimeError, match="in the middle"):
        fail(tmp_path / "another")


def fail(folder: Path) -> None:
    with chromium.started(folder):
        raise RuntimeError("in the middle")


def members(group: int) -> list[str]:
    """Return the processes of a group that still run."""
    stats = [_stat(folder) for folder in Path("/proc").glob("[0-9]*")]
    fields = [text.rsplit(")", 1)[1].split() for text in stats if text]
    return [one[0] for one in fields if int(one[2]) == group and one[0] != "Z"]


def _stat(folder: Path) -> str:
    try:
        return (folder / "stat").read_text()
    except OSError:
        return ""


@pytest.mark.parametrize(
    ("there", "said"),
    [("", "Chromium"), ("chromium", "chromedriver"), ("chromedriver", "Chromium")],
)
def test_what_is_missing_is_named(
    there: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if there:
        shutil.copy("/bin/true", tmp_path / there)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LookupError, match=f"^{said} is not installed$"):
        chromium.programs()


def test_without_its_package_axe_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MERGELINE_AXE", raising=False)
    with pytest.raises(LookupError, match="npm axe-core is not installed"):
        axe_core.source()
    monkeypatch.setenv("MERGELINE_AXE", os.devnull)
    with pytest.raises(LookupError, match="npm axe-core is not installed"):
        axe_core.source()
