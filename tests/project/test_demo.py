"""The demo as a user runs it: the whole line, its comments, and what can be tried afterwards."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from cli.conftest import REPOSITORY, Done, environment
from demos import FirstDemo, demo_once, run, started
from mergeline.core.evidence import STAGES

# Two demos where `long` tests run too, on a machine that may be busy.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(2700)]

BRANCHES = ("first-model", "biased-model", "lowered-gate", "better-model", "words")
LIMIT = 0.10  # of the gate on equalized odds
LINE = re.compile(r"^\d+:\d\d  (\w+) +(.*)$", re.MULTILINE)

# Each step, in order, and what its line says.
REVIEW = (("pull", r"#\d by ada: "), ("check", r"roc_auc 0\.\d{3}.* \(\d stages? \w+.* in \d+ s\)"))
STORY = (
    ("server", r"http://127\.0\.0\.1:\d+$"),
    *REVIEW,
    ("comment", r"Good enough as a first model.* If merged now: NOT_APPROVED\.$"),
    ("comment", r"^approved by grace. If merged now: PROMOTE as version 1\.$"),
    ("merge", r"^on main as \w{12} \(merge\)$"),
    ("promote", r"^LIVE: Version 1 "),
    ("predict", r"^version 1 says that an applicant would \w+ \(0\.\d{3}\)$"),
    *REVIEW,
    ("comment", r"Not good enough: equal-odds failed; .*If merged now: POLICY_FAILED\.$"),
    ("merge", r"approved by grace, but GitHub refuses: the required status mergeline"),
    *REVIEW,
    (
        "comment",
        r"only by the rules that it brings.* If merged now: POLICY_WEAKENED\.$",
    ),
    ("merge", r"approved by grace, but GitHub refuses: the required status mergeline"),
    *REVIEW,
    ("comment", r" Better: catches .* If merged now: NOT_APPROVED\.$"),
    ("comment", r"^approved by grace. If merged now: PROMOTE as version 2\.$"),
    ("merge", r"^on main as \w{12} \(squash\)$"),
    ("promote", r"^LIVE: Version 2 "),
    ("requests", r"^[\d,]+ while the model changed, none failed \(version 1: .*, version 2: .*\)$"),
    ("predict", r"^version 2 says "),
    ("rollback", r"^LIVE: Version 1 "),
    ("requests", r"^[\d,]+ meanwhile, none failed \(version 1: .*, version 2: .*\)$"),
    ("predict", r"^version 1 says "),
    ("pull", r"^#5 by the line: takes the merge back"),
    *REVIEW,
    ("comment", r"The same model as the baseline's; .* If merged now: NOT_APPROVED\.$"),
    ("comment", r"^approved by grace. If merged now: BARRED\.$"),
    ("merge", r"^on main as \w{12} \(rebase\)$"),
    ("promote", r"^BARRED: .*rolled back"),
    ("predict", r"^version 1 says "),
    ("audit", r"^version 1: every link holds \(ledger, served digest, .*, environment\)$"),
)


def said(demo: FirstDemo, branch: str) -> str:
    """The comment on a pull request."""
    return (demo.here / "comments" / f"{branch}.md").read_text()


def tells_the_story(done: Done) -> None:
    assert done.code == 0, done.out + done.err
    assert done.err == ""
    lines = LINE.findall(done.out)
    assert [step for step, _ in lines] == [step for step, _ in STORY]
    for (step, text), (_, wanted) in zip(lines, STORY, strict=True):
        assert re.search(wanted, text), (step, text)


def left_running(folder: Path) -> list[str]:
    """The processes that work in a folder, or that name it in their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            place = os.readlink(entry / "cwd")  # noqa: PTH115 -- it may be deleted
        except OSError:
            continue  # it has ended meanwhile
        if str(folder) in command or place.startswith(str(folder)):
            found.append(command)
    return found


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, deepchecks: Mapping[str, str]) -> FirstDemo:
    return demo_once(tmp_path_factory, deepchecks)


# --- the story -------------------------------------------------------------------------------


def test_each_step_has_its_line_in_order(demo: FirstDemo) -> None:
    tells_the_story(demo.done)


def test_every_pull_request_has_its_comment(demo: FirstDemo) -> None:
    assert {path.stem for path in (demo.here / "comments").iterdir()} == set(BRANCHES)
    for branch in BRANCHES:
        assert said(demo, branch).startswith("<!-- mergeline: credit-default -->")


def test_the_better_model_is_better(demo: FirstDemo) -> None:
    comment = said(demo, "better-model")
    assert "**Better than the baseline.**" in comment
    low, high = re.findall(r"`roc_auc` \| [\d.]+ \| [\d.]+ \| \S+ \((\S+) to (\S+)\)", comment)[0]
    assert 0.01 < float(low) < float(high) < 0.06


def test_the_biased_model_says_who_how_much_and_what_would_help(demo: FirstDemo) -> None:
    """The rates by sex, and a gap that a remedy brings under the gate's limit."""
    comment = said(demo, "biased-model")
    (row,) = [line for line in comment.splitlines() if line.startswith("| ❌ **FAILED** |")]
    assert "`equal-odds`" in row
    gap = float(re.findall(r"\| ([\d.]+) \([\d.]+ to [\d.]+\) \|", row)[0])
    found = re.findall(r"is ([\d.]+) for (\w+) and ([\d.]+) for (\w+)\.", row)
    ((low, one, high, other),) = found
    assert {one, other} == {"female", "male"}
    assert float(high) - float(low) == pytest.approx(gap, abs=0.0015)
    assert gap > LIMIT
    assert "**What would close the gap**" in comment
    remedies = re.findall(r"by `sex`: .*: gap ([\d.]+) → ([\d.]+), accuracy", comment)
    assert remedies
    assert all(float(after) < float(before) for before, after in remedies)
    assert min(float(after) for _, after in remedies) < LIMIT


def test_the_lowered_gate_is_still_refused_and_has_the_banner(demo: FirstDemo) -> None:
    comment = said(demo, "lowered-gate")
    assert "> [!WARNING]\n> This pull request changes the policy: it changes the gate" in comment
    assert "equal-odds" in comment.partition("> [!WARNING]")[2].partition("\n\n")[0]
    assert "at most 0.3" in comment


# --- afterwards --------------------------------------------------------------------------------


def test_the_example_is_the_better_models_report_without_rows(demo: FirstDemo) -> None:
    example = demo.folder / "example"
    names = {path.name for path in example.iterdir()}
    evidence = {f"{stage}.json" for stage in STAGES}
    texts = {"comment.md", "card.md"}
    assert names == evidence | texts | {"candidate.json", "verdict.json", "metrics.json"}
    posted, kept = said(demo, "better-model"), (example / "comment.md").read_text()
    # The trusted job judges again, and states as its own what it did not see itself.
    gates = re.compile(r"### Gates.*?(?=### Primary)", re.DOTALL)
    assert gates.findall(posted) == gates.findall(kept) != []


def test_what_the_demo_says_to_try_works(demo: FirstDemo) -> None:
    """The very lines that it prints, as somebody pastes them into a shell."""
    lines = demo.done.out.partition("Try next:\n")[2]
    verbs = re.findall(r"^  mergeline (\w+)", lines, re.MULTILINE)
    assert verbs == ["status", "log", "audit", "predict"]
    env = environment(demo.folder / "empty")
    shell = subprocess.run(
        ["sh", "-e", "-c", lines],
        env={**env, "PATH": "/usr/bin:/bin"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert shell.returncode == 0, shell.stdout + shell.stderr
    assert "version 1" in shell.stdout
    assert "too many good applicants are turned away" in shell.stdout
    assert "credit-default version 2, production" in shell.stdout
    assert "every link holds" in shell.stdout
    assert "20,000 rows scored by version 1: scores.csv" in shell.stdout
    assert (demo.here / "project/scores.csv").is_file()


def test_nothing_is_left_running(demo: FirstDemo) -> None:
    assert left_running(demo.folder) == []
    assert not listens(int(re.findall(r"http://127\.0\.0\.1:(\d+)", demo.done.out)[0]))


@pytest.mark.long
def test_a_second_demo_restores_everything(demo: FirstDemo) -> None:
    """As the walk in a browser does, which begins with the same cache."""
    done = run(*demo.options, cwd=demo.source, env=demo.env)
    tells_the_story(done)
    for branch in BRANCHES:
        actions = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", said(demo, branch), re.MULTILINE))
        assert {actions[stage] for stage in STAGES} <= {"restored", "unchanged"}
    for branch in BRANCHES[1:]:
        assert re.search(r"Baseline at `\w{12}`: 7 stages restored", said(demo, branch)), branch


# --- where it cannot go on ------------------------------------------------------------------------


def test_elsewhere_it_says_what_is_missing(tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "params.yaml", tmp_path / "params.yaml")
    env = environment(tmp_path / "empty")
    done = run("--folder", str(tmp_path / "here"), cwd=tmp_path, env=env)
    message, hint = done.error()
    assert done.code == 2
    assert "data/applications.parquet" in message
    assert "checkout of Mergeline" in hint
    assert not (tmp_path / "here").exists()


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.txt").write_text("years of work")
    env = environment(tmp_path / "empty")
    done = run("--folder", str(tmp_path / "thesis"), cwd=REPOSITORY, env=env)
    message, hint = done.error()
    assert done.code == 2
    assert "holds 'chapter.txt', which no demo made" in message
    assert "--folder" in hint
    assert (tmp_path / "thesis/chapter.txt").read_text() == "years of work"


def test_a_step_that_fails_ends_everything(tmp_path: Path) -> None:
    """The settings are not those that the demo changes: seen when all servers run."""
    source = tmp_path / "source"
    for name in ("data/applications.parquet", "data/contract.yaml", "requirements/main.txt"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, source / name)
    text = (REPOSITORY / "params.yaml").read_text()
    (source / "params.yaml").write_text(text.replace("promotion: {approvals: 1}\n", ""))
    done = run("--folder", str(tmp_path / "here"), cwd=source, env=environment(tmp_path / "empty"))
    message, hint = done.error()
    assert done.code == 2
    assert "the demo changes 'promotion: {approvals: 1}' in params.yaml" in message
    assert "restore params.yaml" in hint
    port = int(re.findall(r"http://127\.0\.0\.1:(\d+)", done.out)[0])
    assert (left_running(tmp_path), listens(port)) == ([], False)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)]
)
def test_ended_in_the_middle_it_ends_everything(tmp_path: Path, number: signal.Signals) -> None:
    """While stages train: only the demo itself gets the signal, as from a job that is cancelled."""
    env = environment(tmp_path / "empty")
    with started("--folder", str(tmp_path / "here"), cwd=REPOSITORY, env=env) as process:
        assert process.stdout is not None
        said = ""
        while "#1 by ada" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        limit = time.monotonic() + 120
        while not any("repro -s" in command for command in left_running(tmp_path)):
            assert time.monotonic() < limit
            time.sleep(0.05)
        process.send_signal(number)
        _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (130, "")
    port = int(re.findall(r"http://127\.0\.0\.1:(\d+)", said)[0])
    assert (left_running(tmp_path), listens(port)) == ([], False)
