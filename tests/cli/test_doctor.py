"""`mergeline doctor` as a process: what it prints, its exit codes, that it changes nothing."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mergeline.rehearsal import Rehearsal

from .test_start import HEAVY

TOKENS = ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_REPOSITORY", "GITHUB_API_URL", "GITHUB_ACTIONS")

NO_DEEPCHECKS = {"MERGELINE_DEEPCHECKS_PYTHON": "/nowhere/python"}


def doctor(folder: Path, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if key not in TOKENS}
    # Another user's `gh` is nobody's here.
    kept |= {"GH_CONFIG_DIR": str(folder / "no-gh"), "HOME": str(folder / "home")}
    return subprocess.run(
        [sys.executable, "-m", "mergeline", "doctor", *options],
        cwd=folder,
        env=kept | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    folder = tmp_path / "fresh"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", folder], check=True, timeout=60)
    return folder


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Rehearsal]:
    with Rehearsal.start(tmp_path / "hub") as rehearsal:
        yield rehearsal


def test_a_fresh_repository(fresh: Path) -> None:
    """What a newcomer sees: four groups, and what to type next."""
    before = sorted(fresh.rglob("*"))
    done = doctor(fresh)
    assert (done.returncode, done.stderr) == (4, "")
    lines = done.stdout.splitlines()
    titles = [line for line in lines if line and not line.startswith(" ")]
    assert titles[:4] == ["This machine", "The project", "The workflows", "GitHub"]
    assert "next: mergeline init --data FILE --target COLUMN" in done.stdout
    assert "missing" in titles[-1]
    assert sorted(fresh.rglob("*")) == before


def test_outside_of_a_repository(tmp_path: Path) -> None:
    done = doctor(tmp_path)
    assert done.returncode == 4
    assert "git init" in done.stdout
    assert "The workflows" not in done.stdout


def test_json(fresh: Path, hub: Rehearsal) -> None:
    token = hub.token("acme", classic=("repo",))
    place = {"GITHUB_API_URL": hub.api_url, "GITHUB_REPOSITORY": hub.name}
    done = doctor(fresh, "--json", GITHUB_TOKEN=token, **place)
    said = json.loads(done.stdout)
    assert said["exit_code"] == done.returncode == 4
    states = {(one["group"], one["name"]): one["state"] for one in said["findings"]}
    assert states["This machine", "python"] == "ok"
    assert states["The project", "params.yaml"] == "missing"
    assert states["GitHub", "main: pull requests"] == "missing"
    assert token not in done.stdout + done.stderr
    assert hub.writes == []


def test_a_pipe_has_no_colours(fresh: Path) -> None:
    assert "\x1b" not in doctor(fresh, FORCE_COLOR="1").stdout


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_of_a_terminal(fresh: Path, no_color: str, *, coloured: bool) -> None:
    inside, outside = pty.openpty()
    kept = {key: value for key, value in os.environ.items() if key not in TOKENS}
    with os.fdopen(inside, "rb", buffering=0) as screen:
        done = subprocess.run(
            [sys.executable, "-m", "mergeline", "doctor", "--build"],
            cwd=fresh,
            env=kept | {"NO_COLOR": no_color, "TERM": "xterm", **NO_DEEPCHECKS},
            stdout=outside,
            check=False,
            timeout=120,
        )
        os.close(outside)
        said = screen.read(4096)
    assert done.returncode == 4
    assert (b"\x1b[31mMISSING" in said) is coloured
    assert (b"\x1b" in said) is coloured


def test_build_looks_at_the_machine_only(fresh: Path) -> None:
    done = doctor(fresh, "--build", **NO_DEEPCHECKS)
    assert done.returncode == 4
    assert "MISSING  deepchecks" in done.stdout
    assert "The project" not in done.stdout
    assert "GitHub" not in done.stdout


def test_help_says_what_it_does_and_the_exit_codes() -> None:
    command = [sys.executable, "-m", "mergeline", "doctor", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    said = " ".join(done.stdout.split())
    assert "Changes nothing" in said
    assert "4 something is" in said


def test_it_works_where_what_it_looks_for_is_not(fresh: Path) -> None:
    """It is run when something is broken: nothing heavy is imported to say so."""
    program = (
        "import sys\nfrom mergeline.cli import main\nsys.argv = ['mergeline', 'doctor']\n"
        "try:\n    main()\nexcept SystemExit:\n"
        f"    print(sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=fresh,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stdout
