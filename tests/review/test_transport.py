"""Whether a comment goes through CML: main's settings say it, never the pull request's."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bundle.commits import BASE, HEAD, more_iterations, settings
from mergeline.adapters.cml import connect_cml
from mergeline.core.plan import Plan
from mergeline.review.run import Reviewing, review
from report import plans
from review.lines import SmallLine, commit_files, git

CML, API = {"transport": "cml"}, {"transport": "api"}


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLine]:
    made = SmallLine.start(tmp_path_factory.mktemp("transport"))
    with made.world:
        yield made


def told(line: SmallLine, files: Mapping[str, Any], plan: Plan, nowhere: Path) -> list[str]:
    """What the log is told of a CML that is nowhere: something, where it is asked for."""
    branch = line.push(files)
    head = git(line.remote, "rev-parse", branch)
    number = line.world.open_pull(branch, login="ann")
    job, said = line.job(), []
    cml = connect_cml({"PATH": str(nowhere)}, job.github.client.place, said.append)
    done = review(line.job(cml=cml), line.run(branch, line.parts(plan, head)))
    assert isinstance(done, Reviewing), done
    (comment,) = job.github.comments(number)
    assert (f"watermark.png#{head}" in comment.body) == bool(said), "written as CML would"
    return said


@pytest.mark.parametrize(
    ("base", "head", "asked"),
    [
        ({}, {}, True),
        ({}, API, True),
        (CML, API, True),
        (API, {}, False),
        (API, CML, False),
    ],
)
def test_the_bases_settings_decide(
    line: SmallLine, tmp_path: Path, base: dict, head: dict, asked: bool
) -> None:
    files = BASE | {"params.yaml": settings(report=base)}
    commit_files(line.remote, "main", files, onto="main")
    said = told(
        line, HEAD | {"params.yaml": more_iterations(report=head)}, plans.better(), tmp_path
    )
    assert bool(said) == asked
    assert all("there is no `cml` on PATH" in each for each in said)


def test_a_first_pull_request_does_not_decide_it(tmp_path: Path) -> None:
    line = SmallLine.start(tmp_path, {"README.md": "before"})
    with line.world:
        files = BASE | {"params.yaml": settings(report=API)}
        assert len(told(line, files, plans.first(), tmp_path)) == 1
