"""Start-up: what `mergeline --help` says, and what it does not import."""

import subprocess
import sys

import pytest

import mergeline

HEAVY = ("pandas", "numpy", "sklearn", "mlflow", "dvc", "scipy", "shap", "fairlearn", "pyarrow")

PROBE = """
import sys
from mergeline.cli import main
sys.argv = ["mergeline", *{arguments!r}]
try:
    main()
except SystemExit as end:
    code = end.code
print("LOADED", sorted(set(sys.modules) & set({heavy!r})), code)
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mergeline", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    program = PROBE.format(arguments=arguments, heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "LOADED [] 0", done.stdout + done.stderr


def test_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout.strip()) == (0, mergeline.__version__)


def test_help_names_the_daily_verbs_and_hides_plumbing() -> None:
    done = run("--help")
    assert done.returncode == 0
    for verb in ("check", "doctor", "demo"):
        assert verb in done.stdout
    for plumbing in ("stage", "schema"):
        assert f"  {plumbing} " not in done.stdout


def test_check_help_says_the_exit_codes() -> None:
    done = run("check", "--help")
    assert "10 a gate FAILED" in " ".join(done.stdout.split())


@pytest.mark.parametrize("arguments", [["chek"], ["check", "--bas", "x"], ["stage"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_no_arguments_shows_the_help() -> None:
    done = run()
    assert "check" in done.stdout + done.stderr
