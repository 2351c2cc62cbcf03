"""axe-core, the checker of pages for people who do not see, point or hear: from npm."""

import os
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome

MISSING = "npm axe-core is not installed"
_SERIOUS = ("serious", "critical")
_RUN = "axe.run(document, {resultTypes: ['violations']}).then(arguments[0], arguments[0])"


def source() -> str:
    """Return its JavaScript, from the package that MERGELINE_AXE names.

    Raises:
        LookupError: It is not there.
    """
    file = Path(os.environ.get("MERGELINE_AXE", ""), "axe.min.js")
    if not file.is_file():
        raise LookupError(MISSING)
    return file.read_text(encoding="utf-8")


def violations(browser: Chrome, script: str) -> list[str]:
    """Return what is serious or critical on the page: rule, help and places, a line each."""
    # As the developer's console would: a page's policy of scripts does not hold it back.
    browser.execute_cdp_cmd("Runtime.evaluate", {"expression": script})
    found: dict[str, Any] = browser.execute_async_script(_RUN)
    if "violations" not in found:
        raise AssertionError(f"axe did not finish: {found}")
    return [_told(one) for one in found["violations"] if one["impact"] in _SERIOUS]


def _told(violation: dict[str, Any]) -> str:
    places = [" ".join(map(str, node["target"])) for node in violation["nodes"]]
    more = f" and {len(places) - 5} more" if len(places) > 5 else ""
    return f"{violation['id']}: {violation['help']} ({', '.join(places[:5])}{more})"
