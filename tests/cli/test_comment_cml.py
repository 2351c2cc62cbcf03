"""`mergeline comment` with `cml` on its PATH, as its workflow runs it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundle.commits import BASE
from cmls import KINDS, install, tls_environ
from mergeline.rehearsal import Rehearsal
from report import plans
from review.lines import SmallLine, commit_files, git


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLine]:
    folder = tmp_path_factory.mktemp("comment")
    with Rehearsal.start(folder / "github", tls=True) as world:
        world.add_user("ann", permission="write")
        commit_files(Path(world.remote), "main", BASE)
        git(folder, "clone", "--quiet", world.remote, "clone")
        yield SmallLine(world, folder / "clone")


def comment(line: SmallLine, path: str) -> tuple[int, str, str]:
    """Exit code, what went to the log, and the comment on a new pull request."""
    branch = line.push()
    number = line.world.open_pull(branch, login="ann")
    head = git(line.remote, "rev-parse", branch)
    run = line.run(branch, line.parts(plans.better(), head))
    environ = line.environ() | tls_environ(line.world) | {"PATH": path, "CI": "true"}
    done = subprocess.run(
        [sys.executable, "-m", "mergeline", "comment", "--run", str(run)],
        cwd=line.clone,
        env={"HOME": str(line.clone.parent), **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    (said,) = line.job().github.comments(number)
    return done.returncode, done.stderr, said.body


@pytest.mark.parametrize("kind", KINDS)
def test_cml_writes_the_comment(line: SmallLine, tmp_path: Path, kind: str) -> None:
    code, log, body = comment(line, install(tmp_path, kind).path)
    assert (code, "CML" in log) == (0, False)
    assert body.endswith('"CML watermark mergeline: credit-default")')


def test_when_it_fails_the_log_says_so_and_the_comment_is_there(
    line: SmallLine, tmp_path: Path
) -> None:
    broken = install(tmp_path)
    broken.fault("crash")
    code, log, body = comment(line, broken.path)
    assert code == 0
    said = "warning: the comment goes by GitHub's API, not through CML: it ended with exit code 1"
    assert said in log
    assert body.startswith("<!-- mergeline: credit-default -->\n")
