"""Debian's Chromium without a window: nothing from the network, gone when it is done with."""

import base64
import os
import shutil
import signal
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

DESK = (1280, 900)
PHONE = (390, 844)
SECONDS = 60  # for one page or one script; a busy machine is slow
_TALLEST = 8_000  # pixels of a picture

_FLAGS = (
    *("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"),
    "--hide-scrollbars",
    *("--no-first-run", "--disable-breakpad", "--disable-quic", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    # Only the machine itself is found; a page that asks for anything else gets an error.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


def programs() -> tuple[str, str]:
    """Return the paths of Chromium and of its driver.

    Raises:
        LookupError: One of them is not installed; the text says which.
    """
    found = shutil.which("chromium"), shutil.which("chromedriver")
    for path, name in zip(found, ("Chromium", "chromedriver"), strict=True):
        if path is None:
            raise LookupError(f"{name} is not installed")
    return str(found[0]), str(found[1])


@contextmanager
def started(folder: Path) -> Iterator[Chrome]:
    """Give a browser whose profile, downloads (`folder/downloads`) and home are in a new folder.

    Raises:
        LookupError: Chromium or its driver is not installed.
    """
    binary, driver = programs()
    folder.mkdir(parents=True)
    options = ChromeOptions()
    options.binary_location = binary
    for flag in (*_FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium's own does not work for root
    options.add_experimental_option("prefs", {"download.default_directory": f"{folder}/downloads"})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # A group of its own: whatever it starts can be ended by its number.
    service = Service(driver, env=_environ(folder), popen_kw={"start_new_session": True})
    try:
        browser = Chrome(options, service)
        browser.set_page_load_timeout(SECONDS)
        browser.set_script_timeout(SECONDS)
        yield browser
        browser.quit()
    finally:
        _end(service)


def _environ(folder: Path) -> Mapping[str, str]:
    return {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")}


def _end(service: Service) -> None:
    if getattr(service, "process", None) is None:
        return
    with suppress(ProcessLookupError):
        os.killpg(service.process.pid, signal.SIGKILL)
    service.process.wait(SECONDS)


def resize(browser: Chrome, size: tuple[int, int], *, mobile: bool = False) -> None:
    """Make what a page sees this large, in CSS pixels; `mobile` obeys `meta viewport`."""
    width, height = size
    seen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", seen)


def picture(browser: Chrome, height: int | None = None) -> bytes:
    """Return the page as a PNG, whole or only its first `height` pixels."""
    size: dict[str, Any] = browser.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    tall = min(size["height"], height or _TALLEST)
    clip = {"x": 0, "y": 0, "width": size["width"], "height": tall, "scale": 1}
    how = {"format": "png", "captureBeyondViewport": True, "clip": clip}
    return base64.b64decode(browser.execute_cdp_cmd("Page.captureScreenshot", how)["data"])


def size_of(png: bytes) -> tuple[int, int]:
    """Return width and height, which stand at the start of a PNG."""
    return struct.unpack(">II", png[16:24])
