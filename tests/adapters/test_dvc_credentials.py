"""The data credential: from the environment to DVC, and gone at the end; never repeated."""

import os
import stat
import traceback
from contextlib import chdir
from pathlib import Path

import pytest

from mergeline.adapters.dvc import adopt
from mergeline.adapters.dvc_credentials import LOCAL, VARIABLE, data_credential
from mergeline.adapters.dvc_run import child_environment
from mergeline.adapters.git import Git
from mergeline.errors import ConfigError
from toys import Toy, make, run

SECRET = "hunter2"  # noqa: S105
GIVEN = f"['remote \"store\"']\n    url = https://data.example/x\n    password = {SECRET}\n"

pytestmark = pytest.mark.usefixtures("apart")


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return make(tmp_path / "toy", ("prepare",))


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, GIVEN)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("given")
def test_dvc_has_it_and_stages_do_not(toy: Toy) -> None:
    from dvc.config import Config

    path = toy.root / LOCAL
    with data_credential(toy.root):
        assert (path.read_text(), mode(path)) == (GIVEN, 0o600)
        assert Config(os.fspath(toy.root / ".dvc"))["remote"]["store"]["password"] == SECRET
        assert VARIABLE not in os.environ
        assert VARIABLE not in child_environment({})
        assert toy.git.dirty() == ()
    assert not path.exists()
    assert VARIABLE not in os.environ


@pytest.mark.usefixtures("given")
def test_it_goes_also_after_a_failure(toy: Toy) -> None:
    with pytest.raises(KeyboardInterrupt), data_credential(toy.root):
        raise KeyboardInterrupt
    assert not (toy.root / LOCAL).exists()


@pytest.mark.usefixtures("given")
def test_the_worktree_of_the_baseline_has_it_for_its_owner_alone(toy: Toy) -> None:
    from dvc.config import Config

    tree = toy.root / ".mergeline/worktrees/1-x"
    toy.git.add_worktree(tree, toy.git.head())
    with data_credential(toy.root):
        adopt(toy.root, tree)
        assert Config(os.fspath(tree / ".dvc"))["remote"]["store"]["password"] == SECRET
        assert mode(tree / LOCAL) == 0o600
        assert Git(tree).dirty() == ()
    toy.git.remove_worktree(tree)
    assert not tree.exists()


@pytest.mark.parametrize("empty", [None, "", " \n"])
def test_none(toy: Toy, monkeypatch: pytest.MonkeyPatch, empty: str | None) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if empty is not None:  # as a workflow gives a secret that is not there
        monkeypatch.setenv(VARIABLE, empty)
    with data_credential(toy.root):
        assert not (toy.root / LOCAL).exists()
        assert VARIABLE not in os.environ


class TestAnotherFile:
    @pytest.mark.usefixtures("given")
    def test_a_different_one_is_kept(self, toy: Toy) -> None:
        toy.write(LOCAL, "['remote \"store\"']\n    jobs = 2\n")
        with (
            pytest.raises(ConfigError, match="is there already, and says something else"),
            data_credential(toy.root),
        ):
            pass
        assert "jobs" in (toy.root / LOCAL).read_text()

    @pytest.mark.usefixtures("given")
    def test_the_same_one_is_somebody_elses_to_remove(self, toy: Toy) -> None:
        toy.write(LOCAL, GIVEN)
        with data_credential(toy.root):
            pass
        assert (toy.root / LOCAL).read_text() == GIVEN

    @pytest.mark.usefixtures("given")
    def test_a_link_is_not_written_through(self, toy: Toy, tmp_path: Path) -> None:
        (tmp_path / "other").write_text("mine")
        (toy.root / LOCAL).symlink_to(tmp_path / "other")
        with pytest.raises(ConfigError, match="is there already"), data_credential(toy.root):
            pass
        assert (tmp_path / "other").read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SECRET, "line 1 of it cannot be read"),
        (f"password = {SECRET}", "entry 1 of it stands before the first section"),
        (GIVEN + f"{SECRET}\n", "line 4 of it cannot be read"),
        (GIVEN + "[core]\n    remote = other\n", "section 2 of it is not of a remote"),
        (GIVEN + "[CORE]\n    remote = other\n", "section 2 of it is not of a remote"),
        (GIVEN + f"[cache]\n    dir = {SECRET}\n", "section 2 of it is not of a remote"),
        (GIVEN + f"[[{SECRET}]]\n    x = 1\n", "section 1 of it holds a section of its own"),
        (GIVEN + GIVEN, "line 4 of it cannot be read"),
        (GIVEN.replace(SECRET, f"%({SECRET})s"), "it cannot be read"),
        (GIVEN.replace(SECRET, f"{SECRET}, x"), "DVC refuses it"),
        (GIVEN.replace("password", SECRET), "DVC refuses it"),
        (GIVEN.replace("https", SECRET), "DVC refuses it"),
        ("\udcff\udcfe[", "it is not UTF-8"),
    ],
)
def test_what_is_wrong_is_said_without_its_content(toy: Toy, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised, data_credential(toy.root, {VARIABLE: text}):
        pytest.fail("it was taken")
    assert f"{VARIABLE}: {said}" in raised.value.message
    assert SECRET not in raised.value.message + raised.value.hint
    shown = "".join(traceback.format_exception(raised.value))
    assert SECRET not in shown
    assert not (toy.root / LOCAL).exists()


def test_variables_of_a_cloud_reach_dvc(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the clouds' own login actions leave for the steps after them."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS")
    for name in (*names, "AZURE_CLIENT_ID"):
        monkeypatch.setenv(name, "given")
        assert child_environment({})[name] == "given"
    toy.write("dvc.yaml", "stages:\n  x:\n    cmd: env > seen\n    outs: [seen]\n")
    with chdir(toy.root):
        run(toy.root, "git", "add", "dvc.yaml")
    from mergeline.adapters.dvc_run import run_stage

    run_stage(toy.root, "x", {})
    seen = (toy.root / "seen").read_text()
    assert all(f"{name}=given" in seen for name in names)
