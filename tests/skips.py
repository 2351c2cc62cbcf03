"""Counts what was skipped and why; `--listed-skips` fails for a reason that is not listed.

A pytest plugin. The list is `skips.txt` beside it: one reason a line, `*` for any text.
"""

from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

LIST = Path(__file__).with_name("skips.txt")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("skips")
    group.addoption("--listed-skips", action="store_true", help="fail for a skip not in skips.txt")
    group.addoption("--also-skip", action="append", default=[], help="a reason more, for this run")


def listed(lines: list[str]) -> list[str]:
    """Return the reasons of a list; lines that begin with # are comments."""
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def unlisted(reasons: Counter[str], known: list[str]) -> list[str]:
    """Return the reasons that no pattern covers."""
    return sorted(one for one in reasons if not any(fnmatchcase(one, each) for each in known))


def _reasons(config: pytest.Config) -> Counter[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    said = (str(report.longrepr[2]) for report in reports if isinstance(report.longrepr, tuple))
    return Counter(" ".join(each.removeprefix("Skipped: ").split()) for each in said)


def _unlisted(config: pytest.Config) -> list[str]:
    if not config.getoption("--listed-skips"):
        return []
    known = listed(LIST.read_text().splitlines()) + config.getoption("--also-skip")
    return unlisted(_reasons(config), known)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput") and _unlisted(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for reason, count in sorted(_reasons(config).items()):
        terminalreporter.write_line(f"skipped {count}: {reason}")
    for reason in _unlisted(config):
        terminalreporter.write_line(f"NOT LISTED in {LIST.name}: {reason}", red=True)
