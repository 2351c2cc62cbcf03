"""`mergeline check` as a user meets it: real processes, real Git, real DVC."""

import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from cli.conftest import (
    FIRST_MODEL,
    RESTORED,
    SECOND_MODEL,
    UNCHANGED,
    Checked,
    Done,
    Journal,
    Project,
    only,
)
from mergeline.core.evidence import STAGES
from mergeline.project.template import PINS

LOOSE, STRICT = "roc_auc, at_least: 0.6", "roc_auc, at_least: 0.99"
WAIVER = (
    "\nwaivers:\n  - {{gate: auc-floor, reason: no better data yet, owner: risk, expires: '{}'}}\n"
)


class TestFirst:
    """The first pull request: there is nothing to compare with."""

    def test_all_stages_run_and_it_passes(self, first: Checked) -> None:
        assert first.done.code == 0, first.done.err
        assert first.project.actions() == dict.fromkeys(STAGES, "ran")
        said = first.done.err.splitlines()
        for stage in STAGES:
            assert f"running {stage}" in said

    def test_there_is_no_baseline(self, first: Checked) -> None:
        verdict = first.project.json("verdict")
        assert verdict["baseline"]["status"] == "none"
        assert verdict["baseline"]["commit"] is None
        assert verdict["comparison"] is None
        assert verdict["candidate"]["base"] is None

    def test_what_needs_one_is_skipped_and_new_only_never_fails(self, first: Checked) -> None:
        gates = first.project.gates()
        assert gates["auc-baseline"]["outcome"] == "SKIPPED"
        assert gates["auc-floor"]["outcome"] == "PASSED"
        for name in ("data-checks", "model-checks"):
            failed = "not known whether new" in gates[name]["reason"]
            assert gates[name]["outcome"] == ("WARNED" if failed else "PASSED")

    def test_terminal_and_comment_say_it(self, first: Checked) -> None:
        assert "Good enough" in first.done.out
        assert "If merged now: PROMOTE" in first.done.out
        comment = first.project.read("reports/comment.md")
        assert comment.startswith("<!-- mergeline: loans -->")
        assert "**PROMOTE**" in comment
        assert "dvc.lock is not committed" in comment

    def test_the_page_and_the_card_are_written(self, first: Checked) -> None:
        page = first.project.read("reports/report.html")
        assert first.project.json("candidate")["commit"] in page
        assert 300_000 < len(page) < 2_000_000
        assert first.project.read("reports/card.md").startswith("---\n")


class TestSecond:
    """A pull request against a main that has been checked."""

    def test_only_what_depends_on_the_model_runs(self, second: Checked) -> None:
        assert second.done.code == 0, second.done.err
        ran = dict.fromkeys(STAGES, "ran")
        kept = {"prepare": "unchanged", "check_data": "unchanged"}
        assert second.project.actions() == ran | kept

    def test_the_baseline_is_restored_not_trained(self, second: Checked) -> None:
        baseline = second.project.json("verdict")["baseline"]
        assert baseline["status"] == "available"
        assert baseline["commit"] == second.project.git("rev-parse", "main")
        assert sorted(baseline["restored"]) == sorted(STAGES)
        assert baseline["ran"] == []

    def test_the_models_are_compared_in_pairs(self, second: Checked) -> None:
        """The difference is that of the two AUCs, as both were scored on the same rows."""
        comparison = second.project.json("verdict")["comparison"]
        test_rows = second.project.json("prepare")["content"]["split"]["test_rows"]
        assert comparison["n"] == test_rows
        assert comparison["unit"] == "id"
        auc = comparison["metrics"]["roc_auc"]
        now = second.project.json("evaluate")["content"]["metrics"]["roc_auc"]["value"]
        before = metrics_of_base(second.project)
        assert auc["candidate"] == pytest.approx(now, abs=1e-12)
        assert auc["baseline"] == pytest.approx(before["roc_auc"], abs=1e-12)
        assert auc["delta"]["value"] == pytest.approx(now - before["roc_auc"], abs=1e-12)
        assert auc["delta"]["low"] < auc["delta"]["value"] < auc["delta"]["high"]
        assert set(comparison["fairness"]["sex"]) >= {"equalized_odds_difference"}

    def test_the_comment_compares(self, second: Checked) -> None:
        comment = second.project.read("reports/comment.md")
        assert "held-out rows that neither model was trained on" in comment
        assert "C 1.0 → 0.01" in comment

    def test_digests_follow_from_the_files(self, second: Checked) -> None:
        """E, M and K, computed again with nothing but hashlib and json."""
        candidate = second.project.json("candidate")
        reports = second.project.root / "reports"
        folder = reports / "model"
        files = [
            [path.relative_to(folder).as_posix(), sha256(path.read_bytes()).hexdigest()]
            for path in folder.rglob("*")
            if path.is_file()
        ]
        model = digest(sorted(files))
        contents = {stage: second.project.json(stage)["content"] for stage in STAGES}
        assert candidate["model"] == model
        assert second.project.json("train")["content"]["model_sha256"] == model
        assert candidate["evidence"] == digest(contents)
        assert candidate["key"] == digest(["loans", candidate["inputs"], model])
        assert candidate["commit"] == second.project.git("rev-parse", "HEAD")
        assert candidate["tree"] == second.project.git("rev-parse", "HEAD^{tree}")
        assert candidate["base"] == second.project.git("rev-parse", "main")
        assert candidate["dirty"] == []
        assert second.project.json("verdict")["candidate"] == candidate

    def test_evidence_names_the_files_that_it_speaks_of(self, second: Checked) -> None:
        root = second.project.root
        evaluate, prepare = (second.project.json(n)["content"] for n in ("evaluate", "prepare"))
        for name, digest_ in (
            ("reports/predictions.parquet", evaluate["predictions_sha256"]),
            ("reports/probes.json", evaluate["probes_sha256"]),
            ("data/loans.csv", prepare["sha256"]),
            ("data/contract.yaml", prepare["contract_sha256"]),
        ):
            assert sha256((root / name).read_bytes()).hexdigest() == digest_

    def test_the_lock_is_behind(self, second: Checked) -> None:
        assert "The committed dvc.lock is behind" in second.done.out


def digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


def metrics_of_base(project: Project) -> dict[str, float]:
    """Return what the one remembered baseline measured."""
    (path,) = project.root.glob(".mergeline/baselines/*/reports/evaluate.json")
    metrics = json.loads(path.read_text())["content"]["metrics"]
    return {name: metric["value"] for name, metric in metrics.items()}


@dataclass(frozen=True)
class Again:
    """A check with nothing changed: what it printed, and what there was before."""

    project: Project
    done: Done
    before: dict[str, bytes]
    inodes: tuple[int, ...]
    started: list[str]


def inodes(project: Project) -> tuple[int, ...]:
    """Return what identifies the remembered files: one that is written anew has another."""
    state = project.root / ".mergeline"
    return tuple(path.stat().st_ino for path in sorted(state.rglob("*")) if path.is_file())


@pytest.fixture(scope="module")
def again(second: Checked, tmp_path_factory: pytest.TempPathFactory) -> Again:
    folder = tmp_path_factory.mktemp("again")
    project = second.project.copy(folder / "project")
    journal = Journal(folder / "journal")
    before, remembered = project.written(), inodes(project)
    (folder / "summary.md").write_text("what was there\n")
    summary = {"GITHUB_STEP_SUMMARY": os.fspath(folder / "summary.md")}
    done = project.check("--json", env={**journal.env, **summary})
    return Again(project, done, before, remembered, journal.lines())


class TestNothingChanged:
    def test_no_stage_runs_and_no_second_process_starts(self, again: Again) -> None:
        assert again.done.code == 0, again.done.err
        assert again.done.err == ""
        assert again.project.actions() == UNCHANGED
        assert again.started == ["-m mergeline check --json"]
        reports = ("reports/candidate.json", "reports/verdict.json", "reports/comment.md")
        same = {name: data for name, data in again.before.items() if name not in reports}
        now = again.project.written()
        assert {name: now[name] for name in same} == same
        assert now["reports/candidate.json"] == again.before["reports/candidate.json"]

    def test_baseline_and_comparison_are_remembered(self, again: Again) -> None:
        assert len(again.inodes) >= 3
        assert inodes(again.project) == again.inodes
        verdict = json.loads(again.before["reports/verdict.json"])
        assert again.project.json("verdict")["comparison"] == verdict["comparison"]

    def test_stdout_is_the_verdict_alone(self, again: Again) -> None:
        assert json.loads(again.done.out) == again.project.json("verdict")

    def test_the_summary_of_the_job_gets_the_comment(self, again: Again) -> None:
        summary = (again.project.root.parent / "summary.md").read_text()
        assert summary == "what was there\n" + again.project.read("reports/comment.md")


class TestWhatRuns:
    """A change runs what depends on it, and nothing else."""

    def test_a_byte_of_the_data_that_changes_no_table(self, project: Project) -> None:
        project.write("data/loans.csv", project.read("data/loans.csv") + "\n")
        project.commit("A line feed")
        done = project.check()
        assert done.code == 0, done.err
        assert project.actions() == UNCHANGED | {"prepare": "ran"}
        content = project.json("prepare")["content"]
        data = (project.root / "data/loans.csv").read_bytes()
        assert content["sha256"] == sha256(data).hexdigest()
        assert project.json("candidate")["dirty"] == []

    def test_a_value_of_the_data(self, project: Project) -> None:
        table = project.read("data/loans.csv").splitlines(keepends=True)
        project.write("data/loans.csv", "".join(table[:-1]))
        before = project.json("train")["content"]["model_sha256"]
        done = project.check("--only", "train")
        assert only(done.out) == {"prepare": "ran", "train": "ran"}
        assert project.json("train")["content"]["model_sha256"] != before

    def test_the_pins(self, project: Project) -> None:
        """All of it: the model is the same, and yet nobody knew before."""
        project.edit("mergeline==0.1.0", "mergeline==0.1.0\nscipy==1.17.1", PINS)
        before = project.json("candidate")
        done = project.check("--only", "train")
        assert only(done.out) == {"prepare": "ran", "train": "ran"}
        assert project.json("train")["content"]["model_sha256"] == before["model"]

    def test_a_parameter(self, project: Project, tmp_path: Path) -> None:
        project.edit("min_group: 30", "min_group: 31")
        project.commit("Groups")
        journal = Journal(tmp_path / "journal")
        done = project.check(env=journal.env)
        assert done.code == 0, done.err
        assert project.actions() == UNCHANGED | dict.fromkeys(
            ("train", "fairness", "explain"), "ran"
        )
        dvcs = [line.rpartition(" ")[2] for line in journal.lines() if " -m dvc " in line]
        assert sorted(dvcs) == ["explain", "fairness", "train"]
        (banner,) = project.json("verdict")["judgement"]["banners"]
        assert "fairness.min_group from 30 to 31" in banner["text"]

    def test_the_base(self, project: Project) -> None:
        """No stage of the candidate runs; the comparison is another."""
        before = project.json("candidate")
        project.commit("Nothing")
        done = project.check("--base", "main~1")
        assert done.code == 0, done.err
        verdict = project.json("verdict")
        assert project.actions() == UNCHANGED
        assert verdict["baseline"]["commit"] == project.git("rev-parse", "main~1")
        assert verdict["baseline"]["ran"] == []
        assert len(verdict["baseline"]["restored"]) == len(STAGES)
        now = project.json("candidate")
        assert now["base"] != before["base"]
        assert [now[name] for name in ("inputs", "model", "evidence", "key")] == [
            before[name] for name in ("inputs", "model", "evidence", "key")
        ]


class TestOptions:
    def test_a_base_that_does_not_exist(self, project: Project) -> None:
        before = project.written()
        done = project.check("--base", "mian")
        message, hint = done.error()
        assert done.code == 2
        assert "there is no commit 'mian'" in message
        assert "git branch --all" in hint
        assert project.written() == before

    def test_a_stage_that_does_not_exist(self, project: Project) -> None:
        done = project.check("--only", "trian")
        message, hint = done.error()
        assert done.code == 2
        assert message == "dvc.yaml has no stage 'trian'"
        assert hint == "did you mean train?"

    def test_only_judges_nothing(self, project: Project) -> None:
        (project.root / "reports/verdict.json").unlink()
        done = project.check("--only", "evaluate")
        assert done.code == 0, done.err
        assert only(done.out) == dict.fromkeys(("prepare", "train", "evaluate"), "unchanged")
        assert not (project.root / "reports/verdict.json").exists()

    @pytest.mark.parametrize(
        "options",
        [
            ["--only", "train", "--json"],
            ["--only=train", "--base=main"],
            ["--only=train", "--fresh"],
        ],
    )
    def test_only_does_not_go_with_what_needs_a_verdict(
        self, project: Project, options: list[str]
    ) -> None:
        done = project.check(*options)
        message, _ = done.error()
        assert done.code == 2
        assert "--only" in message

    def test_from_a_folder_inside(self, project: Project) -> None:
        done = project.check(cwd="data")
        assert done.code == 0, done.err
        assert project.actions() == UNCHANGED
        assert not (project.root / "data/reports").exists()
        assert not (project.root / "data/.mergeline").exists()

    def test_a_dirty_tree_is_tried_and_not_promotable(self, project: Project) -> None:
        project.write("notes.txt", "an idea\n")
        project.edit("at_least: 0.6", "at_least: 0.61")
        done = project.check()
        assert done.code == 0, done.err
        assert project.json("candidate")["dirty"] == ["notes.txt", "params.yaml"]
        assert project.json("verdict")["judgement"]["answer"] == "NOT_PROMOTABLE"
        comment = project.read("reports/comment.md")
        for text in (comment, done.out):
            assert "notes.txt" in text
            assert "params.yaml" in text
            assert "NOT_PROMOTABLE" in text
        project.git("stash", "--include-untracked", "--quiet")
        assert project.check().code == 0
        assert project.json("candidate")["dirty"] == []
        assert project.json("verdict")["judgement"]["answer"] == "PROMOTE"


class TestPolicy:
    """What base and head say about the same numbers. No stage runs for any of it."""

    @staticmethod
    def branch(project: Project, *on_main: tuple[str, str]) -> None:
        """Change the policy on main, and bring the pull request's model back on top of it."""
        project.git("stash", "--quiet")  # dvc.lock
        project.git("switch", "--quiet", "main")
        for old, new in on_main:
            project.edit(old, new)
        project.commit("Policy")
        project.git("switch", "--quiet", "--create", "on-top")
        project.edit(FIRST_MODEL, SECOND_MODEL)
        project.git("stash", "pop", "--quiet")
        project.commit("A simpler model")

    def test_a_gate_that_fails(self, project: Project) -> None:
        self.branch(project, (LOOSE, STRICT))
        done = project.check()
        assert done.code == 10, done.err
        assert project.actions() == UNCHANGED
        assert project.gates()["auc-floor"]["outcome"] == "FAILED"
        assert project.json("verdict")["judgement"]["answer"] == "POLICY_FAILED"
        assert "FAILED" in done.out

    def test_a_waiver_of_the_base_counts(self, project: Project) -> None:
        self.branch(
            project, (LOOSE, STRICT), ("\nreport:", WAIVER.format("2999-12-31") + "\nreport:")
        )
        done = project.check()
        assert done.code == 0, done.err
        gate = project.gates()["auc-floor"]
        assert gate["outcome"] == "WAIVED"
        assert gate["waiver"] == "no better data yet (risk, until 2999-12-31)"
        assert project.json("verdict")["judgement"]["answer"] == "PROMOTE"
        assert "no better data yet" in project.read("reports/comment.md")

    def test_a_waiver_that_has_expired_does_not(self, project: Project) -> None:
        self.branch(
            project, (LOOSE, STRICT), ("\nreport:", WAIVER.format("2020-02-29") + "\nreport:")
        )
        done = project.check()
        assert done.code == 10, done.err
        gate = project.gates()["auc-floor"]
        assert gate["outcome"] == "FAILED"
        assert gate["reason"].endswith("Its waiver expired on 2020-02-29.")

    def test_a_waiver_that_the_pull_request_brings_itself(self, project: Project) -> None:
        self.branch(project, (LOOSE, STRICT))
        project.edit("\nreport:", WAIVER.format("2999-12-31") + "\nreport:")
        project.commit("Waive it")
        done = project.check()
        assert done.code == 10, done.err
        assert project.json("verdict")["judgement"]["answer"] == "POLICY_WEAKENED"

    def test_a_gate_lowered_by_the_pull_request(self, project: Project) -> None:
        self.branch(project, (LOOSE, STRICT))
        project.edit(STRICT, LOOSE)
        project.commit("Lower the gate")
        done = project.check()
        assert done.code == 10, done.err
        judgement = project.json("verdict")["judgement"]
        assert judgement["answer"] == "POLICY_WEAKENED"
        assert judgement["verdict"]["outcome"] == "FAILED"
        assert judgement["proposed"]["outcome"] in ("PASSED", "WARNED")
        assert [banner["kind"] for banner in judgement["banners"]] == ["policy-changed"]
        assert "> [!WARNING]\n> This pull request changes the policy" in project.read(
            "reports/comment.md"
        )
        assert "changes the gate auc-floor" in done.out.replace("\n", " ")

    def test_a_gate_raised_counts_at_once(self, project: Project) -> None:
        project.edit(LOOSE, STRICT)
        project.commit("Raise the gate")
        done = project.check()
        assert done.code == 10, done.err
        judgement = project.json("verdict")["judgement"]
        assert judgement["answer"] == "POLICY_FAILED"
        assert judgement["verdict"]["outcome"] in ("PASSED", "WARNED")
        assert judgement["proposed"]["outcome"] == "FAILED"

    def test_policy_alone_promotes_nothing_and_is_not_stuck(self, project: Project) -> None:
        """What fails on main already only warns, so that it can be loosened in the open."""
        self.branch(project, (LOOSE, STRICT))
        project.git("switch", "--quiet", "--create", "policy", "main")
        project.edit(STRICT, LOOSE)
        project.commit("Allow less")
        done = project.check()
        assert done.code == 0, done.err
        judgement = project.json("verdict")["judgement"]
        assert judgement["answer"] == "POLICY_ONLY"
        assert project.gates()["auc-floor"]["outcome"] == "WARNED"
        assert "> [!IMPORTANT]" in project.read("reports/comment.md")

    def test_no_gates_at_all(self, project: Project) -> None:
        text = project.read("params.yaml")
        start, end = text.index("gates:\n"), text.index("report:")
        self.branch(project, (text[start:end], ""))
        done = project.check()
        assert done.code == 11, done.err
        assert project.json("verdict")["judgement"]["outcome"] == "ERRORED"


class TestAtOnce:
    """Another check at work, or one that was killed, costs time and nothing else."""

    def test_two_checks(self, project: Project) -> None:
        """One makes it; the other does too, or says who is at work."""
        project.edit("rows: 100", "rows: 90")
        project.commit("Fewer rows")
        checks = [project.start(), project.start()]
        texts = [check.communicate() for check in checks]
        done = [Done(check.returncode, *said) for check, said in zip(checks, texts, strict=True)]
        for other in done:
            if other.code != 0:
                assert other.code == 4
                assert "at work here" in " ".join(other.error())
        assert 0 in [one.code for one in done]
        assert project.json("explain")["content"]["rows"] == 90
        assert_settled(project)

    def test_a_check_that_is_killed_while_it_trains(self, project: Project) -> None:
        """What DVC started goes on without it: the next check waits for it, or says so."""
        project.edit(SECOND_MODEL, "{C: 0.5}")
        project.commit("Another model")
        with project.start() as check:
            assert check.stderr is not None
            assert any(line == "running train\n" for line in check.stderr)
            check.kill()
        end = time.monotonic() + 300
        while (done := project.check("--only", "train")).code == 4 and time.monotonic() < end:
            assert "at work" in "".join(done.error())
            time.sleep(0.5)
        assert done.code == 0, done.err
        assert project.json("train")["content"]["params"] == {"C": 0.5}
        # The model before is measured already; a check of all of it has to run nothing.
        project.edit("{C: 0.5}", SECOND_MODEL)
        project.commit("Back")
        assert project.check().code == 0
        assert "ran" not in project.actions().values()
        assert_settled(project)

    @pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
    def test_a_check_that_is_stopped_while_it_trains(self, project: Project, name: str) -> None:
        """Ctrl-C, or a job that is cancelled: its stages end with it, files are as they were."""
        before = project.written()
        project.edit(SECOND_MODEL, "{C: 0.7}")
        with project.start("--only", "train") as check:
            assert check.stderr is not None
            assert any(line == "running train\n" for line in check.stderr)
            time.sleep(1)  # DVC has started, and takes the old outputs away
            check.send_signal(signal.Signals[name])
            assert check.wait(timeout=20) == 130
            assert "Traceback" not in check.stderr.read()
        assert project.written() == before
        project.git("checkout", "--quiet", "params.yaml")
        assert_settled(project)


def assert_settled(project: Project) -> None:
    """The next check has nothing to do, and there are no leftovers."""
    done = project.check()
    assert done.code == 0, done.err
    assert project.actions() == UNCHANGED
    assert project.json("candidate")["dirty"] == []
    assert project.git("worktree", "list").count("\n") == 0
    assert not list(project.root.glob(".mergeline/worktrees/*"))
    assert not list(project.root.glob("reports/.*.*"))


class TestDvc:
    """DVC's own commands, once the lock of a checked pull request is committed."""

    @pytest.fixture
    def locked(self, project: Project) -> Project:
        project.commit("The lock")
        return project

    def test_metrics(self, locked: Project) -> None:
        shown = json.loads(locked.dvc("metrics", "show", "--json"))
        measured = locked.json("evaluate")["content"]["metrics"]
        values = {name: metric["value"] for name, metric in measured.items()}
        assert shown[""]["data"]["reports/metrics.json"]["data"] == values
        diff = json.loads(locked.dvc("metrics", "diff", "main", "--json"))
        before = metrics_of_base(locked)
        changed = diff["reports/metrics.json"]["roc_auc"]
        assert (changed["old"], changed["new"]) == (before["roc_auc"], values["roc_auc"])

    def test_plots(self, locked: Project) -> None:
        locked.dvc("plots", "show", "--out", "shown")
        locked.dvc("plots", "diff", "main", "--out", "compared")
        for folder, revisions in (("shown", ("workspace",)), ("compared", ("main", "workspace"))):
            page = locked.read(f"{folder}/index.html")
            for word in ("false_positive_rate", "precision_recall", *revisions):
                assert word in page

    def test_experiments(self, locked: Project) -> None:
        lines = locked.dvc("exp", "show", "--csv").splitlines()
        table = [dict(zip(lines[0].split(","), line.split(","), strict=False)) for line in lines]
        assert [row["rev"] for row in table[1:]] == ["workspace", "simpler"]
        value = locked.json("evaluate")["content"]["metrics"]["roc_auc"]["value"]
        assert [float(row["roc_auc"]) for row in table[1:]] == [value, value]

    def test_nothing_is_left_to_do(self, locked: Project) -> None:
        assert "up to date" in locked.dvc("status")


class TestClone:
    """A clone on another machine: nothing but Git and a DVC remote."""

    @pytest.fixture(scope="class")
    @classmethod
    def pushed(cls, second: Checked, tmp_path_factory: pytest.TempPathFactory) -> Project:
        """Main and the pull request with their locks, both pushed to a local remote."""
        folder = tmp_path_factory.mktemp("pushed")
        project = second.project.copy(folder / "project")
        (folder / "store").mkdir()
        project.commit("The lock")
        project.git("switch", "--quiet", "main")
        project.dvc("remote", "add", "--default", "store", os.fspath(folder / "store"))
        project.commit("A remote")
        for branch in ("main", "simpler"):
            project.git("switch", "--quiet", branch)
            project.git("merge", "--quiet", "--no-edit", "main")
            project.dvc("checkout", "--quiet")
            project.dvc("push", "--quiet", "--run-cache")
        return project

    @staticmethod
    def clone(pushed: Project, folder: Path) -> Project:
        pushed.git("clone", "--quiet", os.fspath(pushed.root), os.fspath(folder))
        return Project(folder, pushed.env)

    def test_after_a_pull_everything_is_there(self, pushed: Project, tmp_path: Path) -> None:
        clone = self.clone(pushed, tmp_path / "clone")
        clone.dvc("pull", "--quiet")
        diff = json.loads(clone.dvc("metrics", "diff", "origin/main", "--json"))
        assert set(diff["reports/metrics.json"]) == {"roc_auc", "brier_score", "precision"}
        clone.dvc("plots", "show", "--out", "shown")
        assert "false_positive_rate" in clone.read("shown/index.html")
        assert clone.json("evaluate") == pushed.json("evaluate")

    def test_without_a_lock_everything_is_restored(self, pushed: Project, tmp_path: Path) -> None:
        """Candidate and baseline come out of the remote's list of runs."""
        clone = self.clone(pushed, tmp_path / "clone")
        (clone.root / "dvc.lock").unlink()
        clone.commit("No lock")
        done = clone.check("--base", "origin/main")
        assert done.code == 0, done.err
        verdict = clone.json("verdict")
        assert clone.actions() == RESTORED
        assert verdict["baseline"]["ran"] == []
        assert verdict["baseline"]["status"] == "available"
        for name in ("model", "evidence"):
            assert clone.json("candidate")[name] == pushed.json("candidate")[name]
        assert verdict["comparison"] == pushed.json("verdict")["comparison"]


class TestBase:
    """What a workflow hands on: an empty option, and the name of a merge queue's branch."""

    def test_an_empty_base_is_none_given(self, project: Project) -> None:
        assert project.check("--base", "").code == 0
        verdict = project.json("verdict")
        assert verdict["baseline"]["commit"] == project.git("rev-parse", "main")

    def test_in_a_merge_queue_it_is_what_the_group_is_on(self, project: Project) -> None:
        parent = project.git("rev-parse", "main~1")
        ref = f"refs/heads/gh-readonly-queue/main/pr-7-{parent}"
        job = {"GITHUB_EVENT_NAME": "merge_group", "GITHUB_REF": ref}
        done = project.run(sys.executable, "-m", "mergeline", "check", env=job)
        assert done.code == 0, done.err
        assert project.json("verdict")["baseline"]["commit"] == parent
