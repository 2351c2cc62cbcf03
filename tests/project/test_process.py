"""The demo's processes end with all that they started."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mergeline.errors import ToolError
from mergeline.project.process import end, environment, finished, run, start

# Starts a child, says its id, and waits; ends it when it is interrupted, or never ends.
PARENT = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
if sys.argv[1] == "deaf":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
try:
    print(child.pid, flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    child.terminate()
    sys.exit(7)
"""


def parent(kind: str, folder: Path) -> tuple["subprocess.Popen[str]", int]:
    process = start([sys.executable, "-c", PARENT, kind], folder, {}, log=subprocess.PIPE)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def lives(pid: int) -> bool:
    """Whether a process is there and is no zombie that nobody has looked at."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> bool:
    last = time.monotonic() + 10
    while lives(pid) and time.monotonic() < last:
        time.sleep(0.01)
    return not lives(pid)


def test_it_is_asked_first_and_ends_its_own_children(tmp_path: Path) -> None:
    process, child = parent("polite", tmp_path)
    with process:
        end(process)
    assert (process.returncode, gone(child)) == (7, True)


def test_one_that_does_not_listen_is_killed_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mergeline.project.process._END_SECONDS", 0.2)
    process, child = parent("deaf", tmp_path)
    with process:
        end(process)
    assert (process.returncode, gone(child)) == (-signal.SIGKILL, True)


def test_one_that_has_ended_is_left_alone(tmp_path: Path) -> None:
    with start([sys.executable, "-c", "pass"], tmp_path, {}, log=subprocess.DEVNULL) as process:
        process.wait(60)
        end(process)
    assert process.returncode == 0


def test_one_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mergeline.project.process._SECONDS", 1)
    with pytest.raises(ToolError, match="did not end within 1 seconds") as caught:
        finished([sys.executable, "-c", "import time; time.sleep(600)"], tmp_path)
    assert str(tmp_path) in caught.value.hint


def test_what_it_says_and_how_it_ends(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), os.environ['A']); print('b', file=sys.stderr)"
    code += "; sys.exit(3)"
    done = finished([sys.executable, "-c", code], tmp_path, {"A": "x"})
    assert (done.returncode, done.stdout, done.stderr) == (3, f"{tmp_path} x\n", "b\n")
    assert run([sys.executable, "-c", code], tmp_path, {"A": "x"}, code=3) == done.stdout
    with pytest.raises(ToolError) as caught:
        run([sys.executable, "-c", code], tmp_path, {"A": "x"})
    assert "ended with 3, not with 0:" in caught.value.message
    assert caught.value.message.endswith(f"{tmp_path} x\nb")


def test_the_surrounding_job_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_TOKEN", "MLFLOW_TRACKING_URI", "RUNNER_ENVIRONMENT", "MERGELINE_TOKEN"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("LANG", "C")
    found = environment()
    assert not [name for name in found if name.startswith(("GITHUB_", "MLFLOW_", "RUNNER_"))]
    assert "MERGELINE_TOKEN" not in found
    assert (found["LANG"], found["PATH"]) == ("C", os.environ["PATH"])


# Starts a verb that has no end of its own, says its id, and is killed.
KILLED = """
import subprocess, sys, time
from pathlib import Path
from mergeline.project.process import mergeline, start
command = mergeline("serve", "--follow", "nowhere.git", "--state", "state", "--port", "0")
process = start(command, Path.cwd(), {}, log=subprocess.PIPE)
print(process.stdout.readline(), process.pid, flush=True, sep="")
time.sleep(600)
"""


def test_a_verb_ends_with_who_started_it_and_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "follows production of nowhere.git" in process.stdout.readline()
        server = int(process.stdout.readline())
        assert lives(server)
        process.kill()
    assert gone(server)


# Is what a shell without job control starts in the background: interrupts are ignored there.
LEASHED = """
import os, runpy, signal, sys, time
from mergeline.project import leash
def verb(*_, **__):
    os.close(held)
    time.sleep(600)
signal.signal(signal.SIGINT, signal.SIG_IGN)
reading, held = os.pipe()
runpy.run_module, sys.argv = verb, ["leash", str(reading), "check"]
try:
    leash.main()
except KeyboardInterrupt:
    print(sys.argv[1:])
"""


def test_a_verb_is_interrupted_even_where_interrupts_are_ignored(tmp_path: Path) -> None:
    assert run([sys.executable, "-c", LEASHED], tmp_path) == "['check']\n"
