"""Publishing with real DVC: what a fresh clone then restores, and what is never pushed."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from dvc_over_http import READER, WRITER, served
from mergeline.adapters.dvc_credentials import data_credential
from mergeline.adapters.git_remote import Remote
from mergeline.bundle.names import PARTS
from mergeline.bundle.outputs import made_outputs
from mergeline.bundle.pack import pack
from mergeline.bundle.read import Bundle
from mergeline.bundle.reviewed import reviewed_bundle
from mergeline.check.reproduce import reproduce
from mergeline.core import layout
from mergeline.core.answers import Answer, Name
from mergeline.core.plan import Plan
from mergeline.errors import BytesMismatch, ToolError
from mergeline.ledger.entries import Promoted, Reviewed
from mergeline.project.template import PINS
from mergeline.release.publish import Job, Nothing, publish, push_bundle
from mergeline.stages.tables import make_tables
from promote.conftest import builds, empty_line  # noqa: F401 -- fixtures
from promote.scenario import (
    PIPELINE,
    REVIEWER,
    Builds,
    Scenario,
    first_files,
    fresh,
    git,
    other_model,
    params,
    rejecting,
)
from toys import set_apart

PLOTS = """    metrics: [reports/metrics.json]
    plots: [reports/plots/roc.csv, reports/plots/precision_recall.csv]
"""
# Relative, so that every copy of the line has a remote of its own.
CONFIG = """[core]
    remote = store
['remote "store"']
    url = ../../store
"""
FILES = {
    **first_files(),
    "dvc.yaml": PIPELINE + PLOTS,
    ".dvc/config": CONFIG,
    ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
    ".gitignore": "/.mergeline/\n/data/prepared/\n/reports/\n",
}
TABLES = (layout.TRAIN_TABLE, layout.TEST_TABLE)
UNSENT = ", which are not sent"
RESTORED = {"prepare": "ran", "train": "restored", "evaluate": "restored"}


@pytest.fixture(scope="module", autouse=True)
def _apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        set_apart(patch, tmp_path_factory.mktemp("nothing"))
        yield


def handed_over(root: Path, plan: Plan) -> Plan:
    """Let DVC hash what the stages of a build made, as a check with DVC does."""
    from dvc.repo import Repo

    (root / "dvc.yaml").write_text(PIPELINE + PLOTS)
    (root / PINS).parent.mkdir(exist_ok=True)
    (root / PINS).write_text("scikit-learn==1.9.1\n")
    with chdir(root), Repo.init(os.fspath(root), no_scm=True) as repo:
        for stage in repo.index.stages:
            stage.save(run_cache=False)
            stage.dump(update_pipeline=False)
    (root / layout.OUTPUTS).write_text(made_outputs(root).model_dump_json())
    return plan


def stating(changes: Mapping[str, str]) -> Any:
    """A build that states other addresses: by path, the md5."""

    def change(root: Path, plan: Plan) -> Plan:
        handed_over(root, plan)
        stated = json.loads((root / layout.OUTPUTS).read_text())
        for outs in stated["stages"].values():
            for path, address in outs.items():
                address["md5"] = changes.get(path, address["md5"])
        (root / layout.OUTPUTS).write_text(json.dumps(stated))
        return plan

    return change


def first_model(line: Scenario, change: Any) -> None:
    number = line.open(FILES)
    line.check(number, change)
    line.world.approve(number, REVIEWER)
    line.world.merge(number)
    assert line.promote().name is Name.LIVE


@pytest.fixture(scope="module")
def promoted(
    tmp_path_factory: pytest.TempPathFactory,
    empty_line: Path,  # noqa: F811
    builds: Builds,  # noqa: F811
) -> Iterator[Scenario]:
    """A line with a first model live, its pipeline under DVC; it runs as long as the module."""
    folder = tmp_path_factory.mktemp("promoted")
    shutil.copytree(empty_line, folder, dirs_exist_ok=True, symlinks=True)
    line = Scenario.start(folder, builds)
    with line.world:
        first_model(line, handed_over)
        yield line


@pytest.fixture
def line(promoted: Scenario) -> Scenario:
    """The same with nothing published. Tests that use it leave main as it is."""
    for folder in (store(promoted), promoted.folder / "fresh"):
        shutil.rmtree(folder, ignore_errors=True)
    return promoted


@pytest.fixture
def copied(promoted: Scenario, tmp_path: Path, builds: Builds) -> Iterator[Scenario]:  # noqa: F811
    """A copy of it, to go on with; the artifacts of its runs are gone."""
    base = tmp_path / "base"
    shutil.copytree(promoted.folder, base, symlinks=True, ignore=lambda *_: {"store", "fresh"})
    yield from fresh(base, tmp_path / "line", builds, 10)


def at_main(line: Scenario) -> None:
    line.fetch()
    git(line.clone, "checkout", "--quiet", "--force", "--detach", line.main)


def run(line: Scenario, commit: str | None = None) -> Any:
    """Do the job's work on a checkout of main's tip."""
    at_main(line)
    return publish_there(line, commit)


def publish_there(line: Scenario, commit: str | None = None, rebuilt: int | None = None) -> Any:
    job = Job(
        git=line.git,
        github=line.github,
        history=line.history,
        remote=Remote(line.git, "origin"),
        commit=commit or line.main,
        make_tables=make_tables,
        rebuilt=rebuilt,
    )
    return publish(job, lambda _: None)


def fresh_clone(line: Scenario) -> Path:
    git(line.folder, "clone", "--quiet", os.fspath(line.remote), "fresh")
    return line.folder / "fresh"


def actions(root: Path) -> dict[str, str]:
    return {stage.name: stage.action for stage in reproduce(root).stages}


def store(line: Scenario) -> Path:
    return line.folder / "store"


def files_in(folder: Path) -> dict[str, tuple[bytes, int]]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in paths
    }


def test_a_fresh_clone_restores_what_was_promoted(line: Scenario) -> None:
    pushed = run(line)
    assert (pushed.remote, pushed.stages) == ("store", ("train", "evaluate"))
    assert pushed.left == {"prepare": f"{', '.join(TABLES)} holds rows of the data{UNSENT}"}
    assert (pushed.wrong, pushed.notices, pushed.runs) == ((), (), 2)
    assert pushed.sent == pushed.objects + 2
    before = files_in(store(line))
    assert not any(b"C000001" in data for data, _ in before.values())  # no row of the data
    assert not (line.clone / ".dvc/cache").exists()

    clone = fresh_clone(line)
    assert actions(clone) == RESTORED
    trained = json.loads((clone / "reports/train.json").read_text())["content"]
    assert trained["model_sha256"] == line.last(Reviewed).model

    again = run(line)
    assert (again.sent, again.objects, again.runs) == (0, pushed.objects, 2)
    assert files_in(store(line)) == before


def test_over_http_a_reader_cannot_write_and_a_committed_lock_restores(
    line: Scenario, tmp_path: Path
) -> None:
    at_main(line)
    with served(tmp_path / "web") as web:

        def credential(user: str) -> Any:
            url = f"    url = {web.url}\n"
            return data_credential(clone, {"MERGELINE_DVC_CONFIG": web.settings(user) + url})

        clone = line.clone
        with credential(READER), pytest.raises(ToolError) as raised:
            publish_there(line)
        assert "cannot be written to: 403" in raised.value.message
        assert "open-sesame" not in raised.value.message
        with credential(WRITER):
            pushed = publish_there(line)
            assert publish_there(line).sent == 0
        assert (pushed.stages, pushed.runs) == (("train", "evaluate"), 0)
        assert "a committed dvc.lock" in pushed.notices[0]

        # Somebody committed the lock that his check wrote.
        (lock,) = (line.folder / "builds").glob("*/dvc.lock")
        clone = fresh_clone(line)
        shutil.copyfile(lock, clone / "dvc.lock")
        with credential(READER):
            assert actions(clone) == RESTORED
        assert not (clone / ".dvc/config.local").exists()


class TestWrongBytes:
    def test_an_object_with_other_bytes_there_is_named(self, line: Scenario) -> None:
        run(line)
        (model,) = (
            path
            for path in (store(line) / "files/md5").rglob("*")
            if path.is_file() and b'"mlflow_version"' in path.read_bytes()
        )
        data = model.read_bytes()
        model.chmod(0o644)
        model.write_bytes(data[:-2] + b" \n")
        with pytest.raises(ToolError, match=f"{model.name} has other bytes there"):
            run(line)

    def test_an_object_that_went_away_is_sent_again(self, line: Scenario) -> None:
        run(line)
        gone = [path for path in (store(line) / "files/md5").rglob("*") if path.is_file()][:2]
        for path in gone:
            path.unlink()
        assert run(line).sent == 2
        assert all(path.is_file() for path in gone)

    def test_an_entry_whose_objects_never_came_goes(self, line: Scenario) -> None:
        """It would hide ours from a check."""
        run(line)
        (entry, *_) = (path for path in (store(line) / "runs").rglob("*") if path.is_file())
        entry.with_name("0" * 64).write_text(entry.read_text().replace("md5: ", "md5: 0"))
        pushed = run(line)
        assert (pushed.sent, pushed.notices) == (0, ())
        assert list(entry.parent.iterdir()) == [entry]
        assert actions(fresh_clone(line)) == RESTORED

    def test_damage_on_the_way_back_is_not_restored(self, line: Scenario) -> None:
        run(line)
        for path in (store(line) / "files/md5").rglob("*"):
            if path.is_file() and b'"stage": "train"' in path.read_bytes():
                data = path.read_bytes()
                path.chmod(0o644)
                path.write_bytes(data.replace(b'"train"', b'"trajn"'))
                path.chmod(0o444)
        clone = fresh_clone(line)
        assert actions(clone)["train"] == "ran"
        assert b'"trajn"' not in (clone / "reports/train.json").read_bytes()


class TestStated:
    """What the build says of tables that it keeps is held against those that are made here."""

    def started(self, empty_line: Path, folder: Path, builds: Builds) -> Iterator[Scenario]:  # noqa: F811
        yield from fresh(empty_line, folder, builds, 1)

    @pytest.mark.parametrize(
        ("table", "stages"), [(layout.TRAIN_TABLE, ()), (layout.TEST_TABLE, ("train",))]
    )
    def test_a_table_of_another_day(
        self,
        empty_line: Path,  # noqa: F811
        tmp_path: Path,
        builds: Builds,  # noqa: F811
        table: str,
        stages: tuple[str, ...],
    ) -> None:
        for line in self.started(empty_line, tmp_path / "line", builds):
            first_model(line, stating({table: "f" * 32}))
            pushed = run(line)
            assert pushed.stages == stages
            assert pushed.left["prepare"] == f"{table} as made here is not all that the stage made"
            assert pushed.left["evaluate"].endswith("rests on the build's word alone")
            wanted = {name: "restored" if name in stages else "ran" for name in RESTORED}
            assert actions(fresh_clone(line)) == wanted

    def test_nothing_stated(
        self,
        empty_line: Path,  # noqa: F811
        tmp_path: Path,
        builds: Builds,  # noqa: F811
    ) -> None:
        for line in self.started(empty_line, tmp_path / "line", builds):
            first_model(line, None)
            done = run(line)
            assert isinstance(done, Nothing)
            assert "did not hand over the addresses" in done.why
            assert not store(line).exists()


class TestAnotherResult:
    """Of the very same inputs, at the remote before us."""

    def test_it_stays_and_nothing_is_sent(self, line: Scenario) -> None:
        run(line)
        other = rival(line, "train")
        before = files_in(store(line))
        done = run(line)
        assert isinstance(done, Answer)
        assert (done.name, done.name.exit_code) == (Name.DRIFTED, 12)
        assert "holds another result of the very same inputs of train; it stays" in done.reason
        assert done.reason.endswith("Nothing is published.")
        assert other.relative_to(store(line)).as_posix() in done.next_step
        assert files_in(store(line)) == before

    def test_one_that_cannot_be_asked_about_stays(
        self, line: Scenario, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A remote that does not answer is not one that lacks the files."""
        from dvc.fs import LocalFileSystem

        run(line)
        other = rival(line, "train")
        found = LocalFileSystem.info

        def info(self: Any, path: Any, *args: Any, **options: Any) -> Any:
            if str(path).startswith(os.fspath(store(line) / "files")):
                raise TimeoutError("no answer")
            return found(self, path, *args, **options)

        monkeypatch.setattr(LocalFileSystem, "info", info)
        with pytest.raises(ToolError, match="no answer"):
            run(line)
        assert other.is_file()


def rival(line: Scenario, stage: str) -> Path:
    """Give an entry of the remote's another one beside it, with outputs that are there too."""
    entries = [path for path in (store(line) / "runs").rglob("*") if path.is_file()]
    (entry,) = (path for path in entries if f"stage {stage}" in path.read_text())
    other = entry.with_name("0" * 64)
    yaml = YAML(typ="safe", pure=True)
    said = yaml.load(entry.read_text())
    said["outs"][-1]["md5"] = said["outs"][0]["md5"]
    with other.open("w") as file:
        yaml.dump(said, file)
    entry.unlink()
    return other


class TestTables:
    """They are made by Mergeline alone, from the commit alone."""

    def pushed(self, line: Scenario, files: Mapping[str, str]) -> Any:
        """Push the reviewed bundle from a commit of main that has these files besides."""
        at_main(line)
        return self.pushed_here(line, files)

    def pushed_here(self, line: Scenario, files: Mapping[str, str]) -> Any:
        for name, text in files.items():
            path = line.clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text.startswith("-> "):
                path.unlink(missing_ok=True)
                path.symlink_to(text[3:])
            else:
                path.write_text(text)
        git(line.clone, "add", "--all", "--force")
        git(line.clone, "commit", "--quiet", "--allow-empty", "-m", "Another commit")
        bundle = reviewed_bundle(line.github, line.last(Reviewed))
        assert isinstance(bundle, Bundle)
        return push_bundle(line.git, git(line.clone, "rev-parse", "HEAD"), bundle, make_tables)

    def test_no_module_of_the_project_is_imported(self, line: Scenario, tmp_path: Path) -> None:
        mark = tmp_path / "ran"
        code = f"open({str(mark)!r}, 'a').write(__name__)\nraise SystemExit(1)\n"
        names = ("pandas", "pandera", "pyarrow", "numpy", "mergeline")
        done = self.pushed(line, {f"{name}.py": code for name in names})
        assert done.stages == ("train", "evaluate")
        assert not mark.exists(), mark.read_text()

    def test_a_prepare_of_the_projects_own_is_not_run(self, line: Scenario, tmp_path: Path) -> None:
        mark = tmp_path / "ran"
        text = FILES["dvc.yaml"].replace("mergeline stage prepare", f"touch {mark}")
        done = self.pushed(line, {"dvc.yaml": text})
        assert done.stages == ()
        assert done.left["prepare"] == f"{', '.join(TABLES)} is not handed over"
        assert "its stage prepare is not Mergeline's own" in done.notices[-1]
        assert not mark.exists()

    def test_data_that_its_contract_refuses(self, line: Scenario) -> None:
        done = self.pushed(line, {"data/customers.csv": "customer\nC1\n"})
        assert done.stages == ()
        assert "cannot be made here: " in done.notices[-1]

    def test_data_behind_a_pointer_is_fetched(self, line: Scenario) -> None:
        """From the remote; the pointer's file is not in the checkout."""
        from dvc.repo import Repo

        at_main(line)
        name = "data/customers.csv"
        git(line.clone, "rm", "--quiet", "--cached", name)
        with chdir(line.clone), Repo() as repo:
            repo.add(name)
            repo.push()
        (line.clone / name).unlink()
        shutil.rmtree(line.clone / ".dvc/cache")
        pointer = (line.clone / f"{name}.dvc").read_text()
        files = {f"{name}.dvc": pointer}
        git(line.clone, "checkout", "--quiet", "--force", "--detach", line.main)
        git(line.clone, "rm", "--quiet", name)
        done = self.pushed_here(line, files)
        assert (done.stages, done.notices) == (("train", "evaluate"), ())
        assert not (line.clone / name).exists()
        for path in (store(line) / "files").rglob("*"):
            if path.is_file() and b"C000001" in path.read_bytes():
                path.unlink()
        with pytest.raises(ToolError, match=f"the data {name} cannot be got"):
            self.pushed_here(line, files)

    @pytest.mark.parametrize("link", ["data/customers.csv", "data/prepared", "reports"])
    def test_a_link_is_not_followed(self, line: Scenario, tmp_path: Path, link: str) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        if link == "data/customers.csv":
            (outside / "secret").write_text("customer,left\nC1,yes\n")
            done = self.pushed(line, {link: f"-> {outside}/secret"})
            assert f"{link} of the commit is a link" in done.notices[-1]
        elif link == "data/prepared":
            done = self.pushed(line, {link: f"-> {outside}"})
            assert done.stages == ()
        else:
            with pytest.raises(BytesMismatch, match=r"reports/.* lies behind one"):
                self.pushed(line, {link: f"-> {outside}"})
        assert not {path.name for path in outside.iterdir()} - {"secret"}

    def test_a_committed_file_of_that_name_stays(self, line: Scenario) -> None:
        """No stage makes it, so what a build hands over under its name is not the input."""
        curve = f"{layout.PLOTS}/roc.csv"
        text = FILES["dvc.yaml"].replace(f"{curve}, ", "")
        text = text.replace("deps: [requirements", f"deps: [{curve}, requirements")
        assert text.count(curve) == 3
        done = self.pushed(line, {"dvc.yaml": text, curve: "committed\n"})
        assert done.stages == ("train", "evaluate")
        (md5,) = {
            each["md5"]
            for path in (store(line) / "runs").rglob("*")
            if path.is_file()
            for each in YAML(typ="safe", pure=True).load(path.read_text())["deps"]
            if each["path"] == curve
        }
        assert md5 == hashlib.md5(b"committed\n").hexdigest()  # noqa: S324


class TestNothing:
    def named(self, copied: Scenario, commit: str | None = None) -> Name:
        done = run(copied, commit)
        assert isinstance(done, Answer), done
        assert done.reason.endswith("Nothing is published.")
        assert not store(copied).exists()
        return done.name

    def test_no_remote(self, copied: Scenario) -> None:
        at_main(copied)
        (copied.clone / ".dvc/config").write_text("")
        done = publish_there(copied)
        assert isinstance(done, Nothing)
        assert "There is no DVC remote" in done.why

    def test_a_merge_that_changed_no_input(self, copied: Scenario) -> None:
        copied.merged({"README.md": "# More\n"})
        assert copied.promote().name is Name.ALREADY_LIVE
        assert self.named(copied) is Name.ALREADY_LIVE

    def test_a_push_that_was_refused(self, copied: Scenario) -> None:
        first = copied.main
        pushed = copied.push_to_main({"params.yaml": params(c=0.5)})
        assert self.named(copied) is Name.NO_EVIDENCE
        copied.push_to_main({"README.md": "# More\n"})
        assert self.named(copied, pushed) is Name.SUPERSEDED
        done = run(copied, first)
        assert isinstance(done, Nothing)
        assert "has no artifacts of run" in done.why

    def test_a_model_that_the_server_refused(self, copied: Scenario) -> None:
        copied.merged({"params.yaml": params(c=0.5)})
        assert copied.promote(rejecting).name is Name.REJECTED
        assert self.named(copied) is Name.REJECTED

    def test_a_strangers_run(self, copied: Scenario) -> None:
        reviewed_in_a_fork(copied)
        done = run(copied)
        assert isinstance(done, Nothing)
        assert "of eve/credit: a stranger's outputs are not published" in done.why


class TestSecondBuild:
    """What main's own build made stands in for what may not be published."""

    def built(self, line: Scenario, change: Any = handed_over, commit: str | None = None) -> int:
        root = line.rebuilt(change)
        parts = {part: pack(root, part) for part in PARTS}
        return line.world.add_run(commit or line.main, event="push", artifacts=parts)

    def test_of_a_forks_model(self, copied: Scenario) -> None:
        reviewed_in_a_fork(copied)
        at_main(copied)
        pushed = publish_there(copied, rebuilt=self.built(copied))
        assert pushed.stages == ("train", "evaluate")
        assert actions(fresh_clone(copied)) == RESTORED

    def test_that_came_to_another_model(self, copied: Scenario) -> None:
        reviewed_in_a_fork(copied)
        at_main(copied)
        done = publish_there(copied, rebuilt=self.built(copied, other_model))
        assert isinstance(done, Nothing)
        assert done.why.endswith("The second build is of something else than the release.")

    def test_that_was_not_wanted(self, copied: Scenario) -> None:
        """The run of a promotion that built nothing has no artifacts."""
        reviewed_in_a_fork(copied)
        at_main(copied)
        done = publish_there(copied, rebuilt=copied.world.add_run(copied.main, event="push"))
        assert isinstance(done, Nothing)
        assert done.why.endswith("a stranger's outputs are not published.")


def reviewed_in_a_fork(line: Scenario) -> None:
    """Let the last promotion rest on a review of a fork's run."""
    stranger = {"head_repository": "eve/credit"}
    line.ledger.append(lambda _: line.last(Reviewed).model_copy(update=stranger))
    number = line.last(Reviewed).number
    line.ledger.append(lambda _: line.last(Promoted).model_copy(update={"reviewed": number}))


def mergeline(line: Scenario, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    hidden = ("GITHUB_", "MLFLOW_", "MERGELINE_")
    plain = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
    return subprocess.run(
        [sys.executable, "-m", "mergeline", "publish"],
        cwd=line.clone,
        env={**plain, **line.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_verb(line: Scenario, tmp_path: Path) -> None:
    at_main(line)
    summary, moved = tmp_path / "summary.md", tmp_path / "elsewhere"
    config = f"['remote \"store\"']\n    url = {moved}\n"
    done = mergeline(line, {"MERGELINE_DVC_CONFIG": config, "GITHUB_STEP_SUMMARY": str(summary)})
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Published to the DVC remote 'store': train, evaluate; ")
    assert "Not published, it runs again: prepare: " in done.stdout
    assert "train, evaluate" in summary.read_text()
    assert (moved / "runs").is_dir()
    assert not (line.clone / ".dvc/config.local").exists()
    assert line.git.dirty() == ()


def test_the_verb_refuses(copied: Scenario) -> None:
    unpromoted = copied.push_to_main({"params.yaml": params(c=0.5)})
    at_main(copied)
    refused = mergeline(copied, {})
    assert (refused.returncode, refused.stdout.split(":")[0]) == (12, "NO_EVIDENCE")
    assert unpromoted[:12] in refused.stdout
