"""What stages have in common: evidence, all files or none, and a full disk."""

import json
import resource
import subprocess
import sys

import pytest

from mergeline.core import layout
from mergeline.errors import UsageError
from mergeline.stages.base import Clock, run_stage
from projects import make_frame, make_project, run_stages


def files(root):
    found = {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
    return {path.relative_to(root).as_posix(): data for path, data in found.items()}


def stage(root, name, limit=None):
    """Run a stage as DVC does, in a process that may write files of `limit` bytes at most."""

    def lower():
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "mergeline", "stage", name],
        cwd=root,
        preexec_fn=lower,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "limit"), [("prepare", 8_000), ("train", 12_000), ("evaluate", 6_000)]
)
def test_a_full_disk_leaves_everything_as_it_was(tmp_path, name, limit):
    root = make_project(tmp_path)
    run_stages(root, "prepare", "train", "evaluate")
    before = files(root)
    make_project(root, frame=make_frame(seed=1), model={"seed": 5})
    after = {
        **before,
        **{path: files(root)[path] for path in ("params.yaml", "data/customers.csv")},
    }
    done = stage(root, name, limit)
    assert done.returncode == 4, done.stderr
    assert done.stderr.startswith("ERROR the disk is full or a size limit is reached")
    assert done.stderr.count("\n") == 2
    assert "TIP   free some space" in done.stderr
    assert "Traceback" not in done.stderr
    assert files(root) == after
    run_stages(root, name)


def test_an_error_is_one_message_a_hint_and_an_exit_code(tmp_path):
    root = make_project(tmp_path, data={"positive": "maybe"})
    done = stage(root, "prepare")
    assert done.returncode == 3
    assert done.stdout == ""
    first, second = done.stderr.splitlines()
    assert first.startswith("ERROR data.positive is 'maybe'")
    assert second.startswith("TIP   ")


def test_a_stage_that_is_not_there_is_refused():
    with pytest.raises(UsageError) as caught:
        run_stage("deploy", None)
    assert "'deploy'" in caught.value.message
    assert "prepare, train" in caught.value.hint


def test_evidence_has_its_stage_schema_and_timing(tmp_path):
    root = run_stages(make_project(tmp_path), "prepare")
    found = json.loads((root / layout.evidence("prepare")).read_text())
    assert (found["schema_version"], found["stage"]) == (1, "prepare")
    assert found["timing"]["seconds"].keys() >= {"read", "split", "total"}
    assert found["timing"]["started"].endswith("+00:00")


def test_a_clock_adds_up_the_parts_of_a_name():
    clock = Clock()
    for _ in range(2):
        with clock.part("a"), clock.part("b"):
            pass
    assert clock.seconds.keys() == {"a", "b"}
    with pytest.raises(ZeroDivisionError), clock.part("failing"):
        _ = 1 / 0
    assert "failing" in clock.seconds
