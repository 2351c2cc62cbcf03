"""The client and the process, with small stand-ins for the process that behave badly."""

import ast
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mergeline.adapters import deepchecks_mends
from mergeline.adapters import deepchecks_worker as worker
from mergeline.adapters.deepchecks import SOCKET, DeepchecksServer, Request, run_suites
from mergeline.adapters.deepchecks_environment import PYTHON, interpreter
from mergeline.errors import ToolError

REQUEST = Request(
    suites=("data_integrity",),
    train="train.parquet",
    test="test.parquet",
    label="y",
    features=("a",),
    categories=(),
    index=None,
    datetime=None,
    sample=1000,
)
ACCEPT = """
import json, os, signal, socket, sys, time
connection, _ = socket.socket(fileno=int(sys.argv[-1])).accept()
request = json.loads(connection.makefile("rb").readline())
"""
EMPTY = {"suites": [], "deepchecks": "0.0", "error": None}


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Put a script in the place of the environment's Python."""

    def install(code, accept=ACCEPT):
        python = tmp_path / "python"
        python.write_text(f"#!{sys.executable}\n{accept}{code}\n")
        python.chmod(0o755)
        monkeypatch.setenv(PYTHON, str(python))

    monkeypatch.delenv(SOCKET, raising=False)
    return install


def answering(answer):
    line = f"{json.dumps(answer)}\n".encode()
    return f"connection.sendall({line!r}); connection.close()"


def test_answer_is_read(stand_in):
    suite = {"name": "s", "expected": ["MixedNulls"], "rows": {"train": 3}, "results": [],
             "seconds": 0.5}  # fmt: skip
    stand_in(answering(EMPTY | {"suites": [suite]}))
    answer = run_suites(REQUEST)
    assert [(check.name, check.outcome) for check in answer.content.checks] == [
        ("s/mixed_nulls", "did_not_run")
    ]
    assert answer.seconds == {"s": 0.5}
    assert (answer.content.deepchecks, answer.content.sampled) == ("0.0", 1000)


def test_crash_is_told_with_its_last_lines(stand_in):
    stand_in("print('out of luck', file=sys.stderr, flush=True); os.kill(os.getpid(), 9)")
    with pytest.raises(ToolError, match=r"ended without an answer: .*out of luck") as caught:
        run_suites(REQUEST)
    assert "mergeline doctor" in caught.value.hint


def test_half_an_answer_is_no_answer(stand_in):
    stand_in("connection.sendall(b'{\"suites\": [')")
    with pytest.raises(ToolError, match="ended without an answer"):
        run_suites(REQUEST)


@pytest.mark.parametrize("answer", [{"suites": []}, "hello", EMPTY | {"suites": [{"name": "s"}]}])
def test_unreadable_answer(stand_in, answer):
    stand_in(answering(answer))
    with pytest.raises(ToolError, match="answer that cannot be read"):
        run_suites(REQUEST)


def test_timeout_is_bounded_and_ends_the_process(stand_in, tmp_path):
    stand_in(f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(100)")
    start = time.monotonic()
    with pytest.raises(ToolError, match="did not answer within 1 seconds"):
        run_suites(REQUEST, longest=1)
    assert time.monotonic() - start < 20
    assert not alive(int((tmp_path / "pid").read_text()))


def test_what_the_process_could_not_do_is_an_error_without_quoted_values(stand_in):
    error = {"kind": "ValueError", "text": "cannot read 'Jane Doe'", "place": "io.py:3"}
    stand_in(answering(EMPTY | {"error": error}))
    with pytest.raises(ToolError, match=r"ValueError in io.py:3: cannot read \.\.\.$"):
        run_suites(REQUEST)


def test_interpreter_that_cannot_be_started(tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text("not a program")
    monkeypatch.setenv(PYTHON, str(python))
    with pytest.raises(ToolError, match="cannot be started"):
        run_suites(REQUEST)


def test_process_gets_no_credentials_and_a_private_home(stand_in, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    seen = tmp_path / "seen.json"
    stand_in(
        f"json.dump([dict(os.environ), os.stat(os.environ['HOME']).st_mode & 0o777], "
        f"open({str(seen)!r}, 'w'))\n" + answering(EMPTY)
    )
    run_suites(REQUEST)
    environment, mode = json.loads(seen.read_text())
    assert "secret" not in environment.values()
    assert environment["HOME"] != os.environ["HOME"]
    assert environment["HOME"] == environment["MPLCONFIGDIR"] == environment["TMPDIR"]
    assert mode == 0o700
    assert environment["DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY"] == "1"
    assert not Path(environment["HOME"]).exists()


def test_socket_of_a_long_temporary_folder_still_fits(stand_in, tmp_path, monkeypatch):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    stand_in(answering(EMPTY))
    assert run_suites(REQUEST).content.checks == ()
    assert list(folder.iterdir()) == []


LOOP = """
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
server = socket.socket(fileno=int(sys.argv[-1]))
while True:
    connection, _ = server.accept()
    connection.makefile("rb").readline()
    connection.sendall(json.dumps({"suites": [], "deepchecks": str(os.getpid()), "error": None})
                       .encode() + b"\\n")
    connection.close()
"""
IMPORTS = "import json, os, socket, sys, threading\n"


def test_server_serves_everybody_who_finds_its_socket(stand_in):
    stand_in(LOOP, accept=IMPORTS)
    with DeepchecksServer() as server:
        assert os.environ[SOCKET] == str(server.socket)
        first, second = (run_suites(REQUEST).content.deepchecks for _ in range(2))
        assert first == second
        assert alive(int(first))
    assert SOCKET not in os.environ
    assert not alive(int(first))
    assert not server.socket.parent.exists()


def test_dead_server_is_replaced_by_a_process_of_our_own(stand_in, tmp_path, monkeypatch):
    stand_in(LOOP, accept=IMPORTS)
    monkeypatch.setenv(SOCKET, str(tmp_path / "nobody"))
    pid = int(run_suites(REQUEST).content.deepchecks)
    assert not alive(pid)
    assert os.environ[SOCKET] == str(tmp_path / "nobody")


def test_process_ends_with_the_one_that_started_it(monkeypatch):
    monkeypatch.delenv(PYTHON, raising=False)
    code = (
        "import time\n"
        "from mergeline.adapters.deepchecks import DeepchecksServer\n"
        "with DeepchecksServer() as server:\n"
        "    print(server._process.pid, server.socket.parent, flush=True)\n"
        "    time.sleep(100)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        pid, folder = parent.stdout.readline().decode().split()
        pid = int(pid)
        assert alive(pid)
        os.kill(parent.pid, signal.SIGKILL)
    end = time.monotonic() + 30
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(pid)
    assert not Path(folder).exists()


def alive(pid):
    """Return whether a process runs; one that only waits to be reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


# --- the worker, as far as it needs no deepchecks ----------------------------------


@pytest.mark.parametrize("module", [worker, deepchecks_mends])
def test_worker_is_python_310_and_imports_nothing_of_ours(module):
    tree = ast.parse(Path(module.__file__).read_text(), feature_version=(3, 10))
    names = {
        alias.name if isinstance(node, ast.Import) else str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    tops = {name.partition(".")[0] for name in names}
    others = tops - set(sys.stdlib_module_names)
    assert others <= {"deepchecks", "numpy", "pandas", "sklearn"}


def test_worker_has_no_network():
    with socket.socket() as inet, socket.socket(socket.AF_UNIX) as unix:
        for event, arguments in (
            ("socket.connect", (inet, ("192.0.2.1", 443))),
            ("socket.getaddrinfo", ("example.org", 443)),
        ):
            with pytest.raises(ConnectionRefusedError):
                worker._refuse_network(event, arguments)
        worker._refuse_network("socket.connect", (unix, "path"))
        worker._refuse_network("open", ("file", "r"))


def test_nan_is_found_where_deepchecks_hides_it():
    nan = float("nan")
    assert worker.holds_nan({"a": {"Drift score": nan}})
    assert not worker.holds_nan({"a": {"Drift score": 0.5, "Method": "KS"}, "nan": "nan"})
    assert worker.holds_nan(nan)


def test_estimates_are_bounded_and_counts_are_not():
    class MixedNulls:
        n_samples = 10_000_000

    class FeatureDrift:
        n_samples = 100_000

    class WeakSegmentsPerformance:
        n_samples = 10_000

    class OutlierSampleDetection:
        n_samples = 5_000
        timeout = 10

    class StringMismatch:
        n_samples = 1_000_000

    kinds = (MixedNulls, FeatureDrift, WeakSegmentsPerformance, OutlierSampleDetection)
    checks = [*(kind() for kind in kinds), StringMismatch()]
    for check in checks:
        worker._bound(check, 4_000, counts=True)
    assert [check.n_samples for check in checks] == [None, 4_000, 3_000, 4_000, 500_000]
    assert checks[3].timeout == 0
    of_a_model = MixedNulls()
    worker._bound(of_a_model, 4_000, counts=False)
    assert of_a_model.n_samples == 10_000_000


# --- deepchecks as it is, beside deepchecks as mended --------------------------------

BOTH = """
import json, logging, runpy, sys
import numpy as np, pandas as pd, deepchecks
from deepchecks.tabular import Dataset
from deepchecks.tabular.checks import (
    ConflictingLabels, DataDuplicates, SpecialCharacters, StringMismatch, TrainTestSamplesMix,
)
deepchecks.set_verbosity(logging.ERROR)

def tables(seed):
    draw = np.random.default_rng(seed)
    for rows in (400, 30):
        numbers = draw.choice([0.0, -0.0, 1.5, np.nan], rows)
        texts = draw.choice(["Ja!", "ja", "\u00a1ja", "--", "\u00e9", None], rows)
        counts = draw.integers(0, 1 + seed * 20, rows)
        yield pd.DataFrame({"x": numbers, "t": texts, "n": counts, "y": draw.integers(0, 2, rows)})

def found():
    for seed in range(6):
        train, test = (
            Dataset(table, label="y", features=["x", "t", "n"], cat_features=["t"])
            for table in tables(seed)
        )
        mix = TrainTestSamplesMix().run(train, test).value["ratio"]
        conflicts = ConflictingLabels().run(train).value["percent_of_conflicting_samples"]
        alike = [DataDuplicates().run(item).value for item in (train, test)]
        special = SpecialCharacters().run(train).value
        variants = StringMismatch().run(train).value["columns"]
        variants = {name: sorted(forms) for name, forms in variants.items()}
        yield [mix, conflicts, *alike, special, variants]

before = list(found())
runpy.run_path(sys.argv[1])["mend"]()
print(json.dumps([before, list(found())], default=float))
"""


def test_what_mended_checks_find_is_what_deepchecks_finds():
    command = [str(interpreter()), "-W", "ignore", "-c", BOTH, deepchecks_mends.__file__]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    before, after = json.loads(said.splitlines()[-1])
    for was, now in zip(before, after, strict=True):
        assert now[:4] == pytest.approx(was[:4], abs=1e-15)
        assert now[4:] == was[4:]
    assert before[0][1] > 0.9
    assert {item[0] for item in before} > {before[0][0]}


def test_a_worker_holds_nothing_that_it_does_not_need():
    code = (
        "import resource, runpy, sys; runpy.run_path(sys.argv[1])['mend']();"
        "import deepchecks.utils.strings as strings;"
        "print('rfc3987_syntax' in [name for name, module in sys.modules.items() if module],"
        "hasattr(strings, 'SPECIAL_CHARACTERS'), strings.string_baseform('\u00c9t-\u00e9 1!'))"
    )
    command = [str(interpreter()), "-W", "ignore", "-c", code, deepchecks_mends.__file__]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert said.splitlines()[-1] == "False False ét\u00e91"
