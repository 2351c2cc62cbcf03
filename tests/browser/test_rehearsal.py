"""The rehearsal as a visitor lives it: from the first pull request to a rollback, in Chromium.

Builds, promotions and the model server are real, on the example's table; what the demo of it
has trained before is restored.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from browser.chromium import DESK, resize
from cli.conftest import environment
from demos import demo_once
from projects import quick_example

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

SECONDS = 900  # for one job, on a machine that is busy
QUIET_SECONDS = 90  # for the model server to follow

_READ = "return document.querySelector(arguments[0]).innerText"
_ANSWERED = "return !window.pressed && document.readyState === 'complete'"


@pytest.fixture
def address(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, deepchecks: Mapping[str, str]
) -> Iterator[str]:
    """Where a rehearsal answers; it is ended as a visitor ends it, and leaves nothing behind."""
    source = quick_example(tmp_path / "source")
    demo_once(tmp_path_factory, deepchecks).lend_cache(tmp_path / "here")
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "mergeline", "rehearse", "--folder", str(tmp_path / "here")],
        cwd=source,
        env=environment(tmp_path / "empty") | deepchecks,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    while "Open http" not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    rest: list[str] = []
    reader = threading.Thread(target=lambda: rest.append(process.stdout.read()))
    reader.start()
    yield said.partition("Open ")[2].split()[0].rstrip("/")
    process.send_signal(signal.SIGINT)
    code = process.wait(60)
    reader.join()
    assert (code, "".join(rest).strip()) == (0, "Ended; nothing is left running.")
    assert left_running(tmp_path) == []


def left_running(folder: Path) -> list[str]:
    """The processes that name a folder in their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command and entry.parent.name != str(os.getpid()):
            found.append(command)
    return found


@dataclass
class Visit:
    """A visitor at the pages, and what is looked at on each."""

    browser: Chrome
    address: str
    phone: Callable[[Chrome], None]
    axe: Callable[[Chrome], list[str]]
    screenshot: Callable[[Chrome, str], Path]
    seen: list[str] = field(default_factory=list)

    def go(self, path: str) -> str:
        """Open a page, which is held still; return what can be read on it."""
        self.browser.get(f"{self.address}{path}?still")
        return self.text()

    def text(self, place: str = "main") -> str:
        """Return what can be read, asked in one go: a page may be loaded again at any time."""
        return str(self.browser.execute_script(_READ, place))

    def press(self, form: str, button: str, **fields: str) -> str:
        """Fill in the form that ends with this address, and send it."""
        place = self.browser.find_element(By.CSS_SELECTOR, f"form[action$='{form}']")
        for name, value in fields.items():
            found = place.find_element(By.NAME, name)
            if found.tag_name == "select":
                Select(found).select_by_value(value)
            else:
                found.clear()
                found.send_keys(value)
        pressed = place.find_element(By.TAG_NAME, "button")
        assert pressed.text.startswith(button)
        self.browser.execute_script("window.pressed = true")
        pressed.click()
        # A click returns before the answer is there, or after it.
        WebDriverWait(self.browser, SECONDS).until(lambda page: page.execute_script(_ANSWERED))
        return self.text()

    def wait(self, path: str, wanted: str, form: str = "") -> str:
        """Look at a page until it says something, and has a form where one is named."""
        limit = time.monotonic() + SECONDS
        while True:
            text = self.go(path)
            there = not form or self.browser.find_elements(
                By.CSS_SELECTOR, f"form[action$='{form}']"
            )
            if there and re.search(wanted, text):
                return text
            # With nothing going on, only the model server can still change what is said.
            quiet = not self.browser.find_elements(By.CLASS_NAME, "going")
            limit = min(limit, time.monotonic() + QUIET_SECONDS) if quiet else limit
            assert time.monotonic() < limit, f"{wanted!r} never came to {path}: {text}"
            time.sleep(1)

    def look(self, name: str) -> None:
        """Keep a picture at both widths; nobody may be shut out, nothing may be cut off."""
        resize(self.browser, DESK)
        self.screenshot(self.browser, f"rehearsal-{name}-1280")
        assert self.axe(self.browser) == []
        self.phone(self.browser)
        self.screenshot(self.browser, f"rehearsal-{name}-390")
        assert self.axe(self.browser) == []
        wide = self.browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= 390, name
        resize(self.browser, DESK)
        self.seen.append(name)


def test_a_review_from_pull_request_to_rollback(
    browser: Chrome,
    address: str,
    phone: Callable[[Chrome], None],
    axe: Callable[[Chrome], list[str]],
    screenshot: Callable[[Chrome, str], Path],
) -> None:
    visit = Visit(browser, address, phone, axe, screenshot)
    # The page is up while the first build runs, and asks for itself again.
    visit.wait("/", "#1")
    browser.get(f"{address}/pulls/1")
    assert "loaded again every 2 seconds" in visit.text(".going")
    assert "Not there yet" in visit.go("/pulls/1")
    visit.look("building")

    text = visit.wait("/pulls/1", "Good enough as a first model", "/approve")
    assert "A merge would be refused" in text
    # The demo of the same example left nothing to train.
    assert "<td>restored</td>" in browser.page_source
    visit.look("comment")
    assert "Can not approve your own" in visit.press("/approve", "Approve", login="ada")
    visit.look("refused")
    visit.press("/approve", "Approve", login="grace")
    visit.wait("/pulls/1", "PROMOTE as version 1", "/merge")
    assert "merged by Grace" in visit.press("/merge", "Merge", method="merge")

    visit.wait("/pulls/1", "LIVE: Version 1")
    assert "Version 1 is live, as desired" in visit.go("/live")
    visit.look("live")
    visit.go("/predict")
    answer = visit.press("/predict?row=0", "Predict")
    assert "Version 1 answers" in answer
    visit.look("predict")
    assert "The model server refused" in visit.press("/predict?row=0", "Predict", income="much")

    # Ada has opened three more meanwhile.
    visit.wait("/", "Boosted trees")
    visit.look("list")
    biased, better = (numbered(visit, word) for word in ("Use the debt ratio too", "Boosted"))
    visit.wait(f"/pulls/{biased}", "equal-odds failed", "/approve")
    visit.press("/approve", "Approve", login="grace")
    visit.wait(f"/pulls/{biased}", "Grace: approved", "/merge")
    assert "required status mergeline is not green" in visit.press("/merge", "Merge")
    assert "LogisticRegression" in visit.wait(f"/pulls/{better}", "NOT_APPROVED", "/approve")
    visit.look("better")
    visit.press("/approve", "Approve", login="grace")
    visit.wait(f"/pulls/{better}", "PROMOTE as version 2", "/merge")
    visit.press("/merge", "Merge", method="squash")
    visit.wait(f"/pulls/{better}", "LIVE: Version 2")
    assert "Version 2 is live, as desired" in visit.go("/live")

    visit.go("/rollback")
    visit.look("rollback")
    visit.press("/rollback", "Roll back to version 1", reason="too many are turned away")
    visit.wait("/live", "Version 1 is live, as desired")
    ledger = visit.go("/ledger")
    assert "too many are turned away" in ledger
    visit.look("ledger")
    visit.go("/jobs")
    visit.look("jobs")
    visit.go(linked(visit, "Roll back:"))
    visit.look("job")
    assert "Next:" not in visit.wait("/", "takes|Revert|Roll")
    visit.look("end")


def numbered(visit: Visit, title: str) -> int:
    """Return the number of the pull request whose title begins like this."""
    return int(linked(visit, title).rpartition("/")[2])


def linked(visit: Visit, words: str) -> str:
    """Return the path that a link with these words leads to."""
    link = visit.browser.find_element(By.PARTIAL_LINK_TEXT, words)
    return str(link.get_attribute("href")).removeprefix(visit.address)
