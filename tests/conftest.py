"""Options that all tests share."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from mergeline.adapters.deepchecks import SOCKET, DeepchecksServer

# As many tests run side by side as there are cores; threads of one would only wait for
# those of another. What a test says of threads itself it sets itself.
os.environ.setdefault("OMP_NUM_THREADS", "1")

pytest_plugins = ["cmls", "registries", "skips"]

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption(
        "--update-goldens", action="store_true", help="write the files under tests/golden anew"
    )


# Files of minutes each, the longest first: begun early, they do not keep one worker busy when
# the others are done.
LONG = (
    *("project/test_demo.py", "workflows/test_line.py", "cli/test_check.py"),
    *("workflows/test_refusals.py", "cli/test_real_lines.py", "browser/test_rehearsal.py"),
    *("release/test_publish.py", "bench/test_disturbed.py", "promote/test_queue.py"),
)


def pytest_collection_modifyitems(items):
    places = {f"tests/{name}": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(LONG)))


@pytest.fixture(scope="session")
def deepchecks() -> Iterator[Mapping[str, str]]:
    """The environment of programs that ask one deepchecks: its import takes ten seconds."""
    with DeepchecksServer() as server:
        del os.environ[SOCKET]  # for those alone that are given it
        yield {SOCKET: str(server.socket)}


@pytest.fixture
def golden(request):
    """Hold a text against a file under tests/golden, or write the file."""

    def check(name, text):
        path = GOLDEN / name
        if request.config.getoption("--update-goldens"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name}: see it, then --update-goldens"

    return check
