"""What a DVC remote's failures come to, and that no credential is in the words for them."""

import socket
from contextlib import chdir
from pathlib import Path

import pytest

from dvc_over_http import PASSWORD, served
from mergeline.adapters.dvc import Settled, settle
from mergeline.adapters.dvc_missing import MissingData
from mergeline.adapters.dvc_trouble import trouble, without_secrets
from mergeline.check.reproduce import reproduce
from mergeline.errors import DataUnavailable
from toys import Toy, make, run

CONFIG = "[core]\n    remote = store\n['remote \"store\"']\n    url = "

pytestmark = pytest.mark.usefixtures("apart")


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """A project whose data is at no place but in `objects`, beside it."""
    from dvc.repo import Repo

    toy = make(tmp_path / "toy", ("prepare", "train"))
    run(toy.root, "git", "rm", "-q", "--cached", "data/source.csv")
    with chdir(toy.root), Repo() as repo:
        repo.add("data/source.csv")
    toy.commit("pointer")
    (toy.root / ".dvc/cache").rename(tmp_path / "objects")
    (toy.root / "data/source.csv").unlink()
    return toy


def asked(toy: Toy, url: str, local: str = "") -> Settled:
    toy.write(".dvc/config", CONFIG + url + "\n")
    toy.write(".dvc/config.local", local)
    return settle(toy.root, remote=True, fetch=True)


def missing(toy: Toy, url: str, local: str = "") -> MissingData:
    found = asked(toy, url, local).missing
    assert found is not None
    assert found.files == ("data/source.csv",)
    assert PASSWORD not in found.error().message
    return found


class TestOverHttp:
    def test_a_reader_has_the_data(self, toy: Toy, tmp_path: Path) -> None:
        with served(tmp_path / "objects") as web:
            settled = asked(toy, web.url, web.settings())
        assert (settled.missing, settled.notices) == (None, ())
        assert (toy.root / "data/source.csv").is_file()

    @pytest.mark.parametrize("local", ["none", "wrong"])
    def test_no_or_a_wrong_password_is_refused(self, toy: Toy, tmp_path: Path, local: str) -> None:
        with served(tmp_path / "objects") as web:
            wrong = web.settings(password="guessed") if local == "wrong" else ""  # noqa: S106
            settled = asked(toy, web.url, wrong)
            found = settled.missing
        assert found is not None
        assert (found.kind, found.remote, found.address) == ("refused", "store", web.url)
        assert "refuses access: 401" in found.error().message
        assert "MERGELINE_DVC_CONFIG" in found.error().hint
        assert "guessed" not in found.error().message
        # Also where nothing is missing it is told: what is trained again could have been had.
        assert settled.notices[0].startswith("The DVC remote 'store' cannot be used (401")

    def test_one_that_answers_and_lacks_it(self, toy: Toy, tmp_path: Path) -> None:
        with served(tmp_path / "void") as web:
            settled = asked(toy, web.url, web.settings())
        assert settled.notices == ()
        assert settled.missing is not None
        assert settled.missing.kind == "absent"
        assert "answers, and does not hold it" in settled.missing.error().message

    def test_nobody_there(self, toy: Toy, tmp_path: Path) -> None:
        with served(tmp_path / "void") as web:
            url = web.url
        found = missing(toy, url.replace("//", f"//me:{PASSWORD}@"))
        assert (found.kind, found.address) == ("unreachable", url)
        assert "run this again" in found.error().hint

    def test_one_that_takes_its_time(self, toy: Toy) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            quick = "['remote \"store\"']\n    read_timeout = 0.1\n"
            found = missing(toy, url, quick)
        assert found.kind == "slow"
        assert "did not answer in time" in found.error().message


class TestOthers:
    def test_no_remote(self, toy: Toy) -> None:
        toy.write(".dvc/config", "")
        found = settle(toy.root).missing
        assert found is not None
        assert found.error().message.endswith("in no cache here, and there is no DVC remote")

    def test_a_folder_that_is_not_there(self, toy: Toy) -> None:
        found = missing(toy, "../../nowhere")
        assert found.kind == "failed"
        assert "there is no folder" in found.error().message

    def test_a_kind_that_dvc_has_no_part_for(self, toy: Toy) -> None:
        found = missing(toy, "oss://bucket/path")
        assert found.kind == "no plugin"
        assert "dvc-oss" in found.error().message


def test_nothing_runs_before_it_is_told(toy: Toy) -> None:
    """The stage that reads the data would wait for another one, which could run."""
    pipeline = (toy.root / "dvc.yaml").read_text()
    toy.write("early.txt", "x\n")
    early = (
        "  early:\n    cmd: cp early.txt seen.txt\n    deps: [early.txt]\n    outs: [seen.txt]\n"
    )
    toy.write(
        "dvc.yaml",
        pipeline.replace("deps: [data/source.csv", "deps: [data/source.csv, seen.txt") + early,
    )
    toy.write(".dvc/config", "")
    with pytest.raises(DataUnavailable, match=r"data/source\.csv cannot be had"):
        reproduce(toy.root)
    assert not (toy.root / "seen.txt").exists()


def test_outputs_that_are_restored_need_no_data(toy: Toy, tmp_path: Path) -> None:
    (tmp_path / "objects").rename(toy.root / ".dvc/cache")
    assert toy.actions() == {"prepare": "ran", "train": "ran"}
    toy.commit("lock")
    (toy.root / "data/source.csv").unlink()
    pointer = (toy.root / "data/source.csv.dvc").read_text()
    md5 = pointer.partition("md5: ")[2].split()[0]
    (toy.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).unlink()
    assert settle(toy.root).missing is None
    assert settle(toy.root).left == ()


# --- errors of libraries that are not here ----------------------------------------------


class ClientError(Exception):
    """As botocore raises it."""


class ExpiredTokenTimeout(Exception):
    """Its name holds nothing of ours but `Timeout`."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PermissionError("no"), "refused"),
        (ClientError("An error occurred (AccessDenied) when calling HeadObject"), "refused"),
        (ClientError("An error occurred (ExpiredToken): the token"), "refused"),
        (ClientError("Unable to locate credentials"), "refused"),
        (FileNotFoundError("x"), "absent"),
        (TimeoutError("x"), "slow"),
        (ExpiredTokenTimeout("x"), "slow"),
        (ConnectionResetError("x"), "unreachable"),
        (socket.gaierror(-2, "Name or service not known"), "unreachable"),
        (ImportError("s3 is supported, but requires 'dvc-s3'"), "no plugin"),
        (ValueError("odd"), "failed"),
    ],
)
def test_kinds(error: Exception, kind: str) -> None:
    assert trouble(error, {}).kind == kind


def test_the_cause_counts() -> None:
    error = FileNotFoundError("x")
    error.__cause__ = PermissionError("not you")
    assert (trouble(error, {}).kind, trouble(error, {}).said) == ("refused", "not you")
    error.__cause__ = ValueError("odd")
    assert trouble(error, {}).kind == "failed"


def test_secrets_are_blotted_out() -> None:
    config = {
        "url": "https://data.example/x",
        "password": "hunter2",
        "sas_token": "sv=2024",
        "timeout": 5,
    }
    text = "GET https://me:word@data.example/x?sig=abc#d failed with hunter2 for sv=2024"
    assert without_secrets(text, config) == "GET https://data.example/x failed with *** for ***"
