"""The demo as a user runs it: four pull requests, their comments, and what can be tried next."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.conftest import REPOSITORY, Done, Project, environment
from mergeline.core.evidence import STAGES

pytestmark = pytest.mark.timeout(1300)  # two demos, on a machine that may be busy

CLAIMS = {
    "better-model": (0, "PROMOTE"),
    "biased-model": (10, "POLICY_FAILED"),
    "lowered-gate": (10, "POLICY_WEAKENED"),
    "policy-only": (0, "POLICY_ONLY"),
}
LIMIT = 0.10  # of the gate on equalized odds


@dataclass(frozen=True)
class Demo:
    """The demo after its second run.

    Attributes:
        folder: Where it lives.
        first: The first run, from nothing.
        second: The second run in the same folder.
        project: The project as the second run left it.
    """

    folder: Path
    first: Done
    second: Done
    project: Project

    def comment(self, branch: str) -> str:
        return (self.folder / "comments" / f"{branch}.md").read_text()


def run(*arguments: str, cwd: Path, env: dict[str, str]) -> Done:
    done = subprocess.run(
        [sys.executable, "-m", "mergeline", "demo", *arguments],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=580,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    env = environment(folder / "empty")
    options = ("--folder", str(folder / "here"), "--example", str(folder / "example"))
    first = run(*options, cwd=REPOSITORY, env=env)
    assert first.code == 0, first.out + first.err
    second = run(*options, cwd=REPOSITORY, env=env)
    return Demo(folder / "here", first, second, Project(folder / "here/project", env))


def test_each_pull_request_is_shown_with_its_answer(demo: Demo) -> None:
    for done in (demo.first, demo.second):
        assert done.code == 0, done.err
        shown = re.findall(r"\(exit code (\d+); a merge would get (\w+)\)", done.out)
        assert [(int(code), answer) for code, answer in shown] == list(CLAIMS.values())
        assert done.out.count("<!-- mergeline: credit-default -->") == len(CLAIMS)


@pytest.mark.parametrize("branch", CLAIMS)
def test_the_claims_hold_when_the_user_checks_the_branch(branch: str, demo: Demo) -> None:
    """The demo's project is checked by hand, as "try next" says; nothing runs again."""
    code, answer = CLAIMS[branch]
    demo.project.git("switch", "--quiet", branch)
    done = demo.project.check("--base", "main")
    assert done.code == code, done.err
    verdict = demo.project.json("verdict")
    assert verdict["judgement"]["answer"] == answer
    assert "ran" not in demo.project.actions().values()
    assert verdict["candidate"]["dirty"] == []
    assert f"**{answer}**" in demo.comment(branch)


def test_the_better_model_is_better(demo: Demo) -> None:
    comment = demo.comment("better-model")
    assert "**Better than the baseline.**" in comment
    low, high = re.findall(r"`roc_auc` \| [\d.]+ \| [\d.]+ \| \S+ \((\S+) to (\S+)\)", comment)[0]
    assert 0.01 < float(low) < float(high) < 0.06


def test_the_biased_model_says_who_how_much_and_what_would_help(demo: Demo) -> None:
    """The rates by sex, and a gap that a remedy brings under the gate's limit."""
    comment = demo.comment("biased-model")
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


def test_the_lowered_gate_is_still_refused_and_has_the_banner(demo: Demo) -> None:
    comment = demo.comment("lowered-gate")
    assert "> [!WARNING]\n> This pull request changes the policy: it changes the gate" in comment
    assert "equal-odds" in comment.partition("> [!WARNING]")[2].partition("\n\n")[0]
    assert "at most 0.3" in comment


def test_the_policy_alone_is_no_model(demo: Demo) -> None:
    comment = demo.comment("policy-only")
    assert "> [!IMPORTANT]" in comment
    assert "promotes nothing" in comment


def test_the_second_run_restores_everything(demo: Demo) -> None:
    for branch in CLAIMS:
        comment = demo.comment(branch)
        actions = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", comment, re.MULTILINE))
        assert {actions[stage] for stage in STAGES} <= {"restored", "unchanged"}
        assert re.search(r"Baseline at `\w{12}`: 7 stages restored", comment)
    seconds = [
        int(re.findall(r"done in (\d+) s", done.out)[0]) for done in (demo.first, demo.second)
    ]
    assert seconds[1] < seconds[0]


def test_the_example_is_the_first_report_without_rows(demo: Demo) -> None:
    example = demo.folder.parent / "example"
    names = {path.name for path in example.iterdir()}
    evidence = {f"{stage}.json" for stage in STAGES}
    assert names == evidence | {"candidate.json", "verdict.json", "metrics.json", "comment.md"}
    assert (example / "comment.md").read_text() == demo.comment("better-model")


def test_what_the_demo_says_to_try_works(demo: Demo) -> None:
    demo.project.git("switch", "--quiet", "better-model")
    assert "roc_auc" in demo.project.dvc("metrics", "diff", "main", "better-model")
    assert "index.html" in demo.project.dvc("plots", "show")
    assert demo.project.git("status", "--short") == ""
    assert (demo.project.root / ".mergeline/registry.db").is_file()


def test_elsewhere_it_says_what_is_missing(demo: Demo, tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "params.yaml", tmp_path / "params.yaml")
    done = run("--folder", str(tmp_path / "here"), cwd=tmp_path, env=dict(demo.project.env))
    message, hint = done.error()
    assert done.code == 2
    assert "data/applications.parquet" in message
    assert "checkout of Mergeline" in hint
    assert not (tmp_path / "here").exists()
