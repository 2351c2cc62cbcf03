"""The tests of what counts skipped tests."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import skips

TEST = """
import pytest

@pytest.mark.parametrize("n", [1, 2])
def test_one(n):
    pytest.skip("no such  machine")
"""


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "skips", "-c", "/dev/null"]
    environ = {"PYTHONPATH": str(Path(__file__).parent), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [*command, "--rootdir", str(folder), *options, "test_it.py"],
        cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_skip_is_counted_and_one_without_a_listed_reason_fails(
    tmp_path: Path, workers: str
) -> None:
    done = run(tmp_path, "-n", workers)
    assert done.returncode == 0
    assert "skipped 2: no such machine" in done.stdout
    done = run(tmp_path, "-n", workers, "--listed-skips")
    assert done.returncode == 1
    assert "NOT LISTED in skips.txt: no such machine" in done.stdout
    assert run(tmp_path, "-n", workers, "--listed-skips", "--also-skip=no such *").returncode == 0


def test_comments_are_no_reasons() -> None:
    assert skips.listed(["# a", "", "b *"]) == ["b *"]
    assert skips.unlisted(Counter({"b 1": 1, "c": 2}), ["b *"]) == ["c"]
