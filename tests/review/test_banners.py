"""What Git alone says of a pull request: names of files that steer its build."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bundle.commits import BASE, settings
from mergeline.adapters.git import Git
from mergeline.config.problem import shown
from mergeline.report.comment import render_comment
from mergeline.review.banners import banners, other_base_banner
from report import plans
from report.nasty import NASTY
from report.reading import problems, visible
from review.lines import commit_files, git


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--bare", ".")
    commit_files(tmp_path, "main", BASE)
    return tmp_path


def said(remote: Path, files: Mapping[str, str], onto: str = "main") -> dict[str, str]:
    """Text by kind."""
    head = commit_files(remote, "change", files, onto=onto)
    found = banners(Git(remote), head, git(remote, "rev-parse", "main"), "main")
    return {one.kind: one.text for one in found}


AGAIN = "a second build is made on main"


@pytest.mark.parametrize(
    ("files", "kind", "words"),
    [
        ({".github/workflows/x.yml": "on: push"}, "workflows-changed", AGAIN),
        ({".github/CODEOWNERS": "* @ann"}, "workflows-changed", AGAIN),
        ({"requirements/main.txt": "numpy"}, "requirements-changed", AGAIN),
        ({"requirements.txt": "numpy"}, "requirements-changed", AGAIN),
        ({"dvc.yaml": "stages: {}"}, "pipeline-changed", "Read the commands"),
        ({".dvc/config": "[core]"}, "pipeline-changed", "Read the commands"),
    ],
)
def test_what_steers_a_build(remote: Path, files: Mapping[str, str], kind: str, words: str) -> None:
    found = said(remote, files)
    assert found.keys() == {kind}
    (name,) = files
    assert f'"{name}"' in found[kind]
    assert words in found[kind]
    assert "the status mergeline comes from those of main" in found[kind]


@pytest.mark.parametrize("name", ["README.md", "src/a.py", "github/x.yml", "docs/dvc.yaml"])
def test_other_files_do_not(remote: Path, name: str) -> None:
    assert said(remote, {name: "text"}) == {}


def test_what_main_changed_meanwhile_is_not_the_pull_requests(remote: Path) -> None:
    began = git(remote, "rev-parse", "main")
    commit_files(remote, "main", {".github/workflows/x.yml": "on: push"}, onto="main")
    assert said(remote, {"README.md": "text"}, onto=began) == {}


def test_many_names_are_counted(remote: Path) -> None:
    files = {f".github/workflows/{number}.yml": "on: push" for number in range(9)}
    (text,) = said(remote, files).values()
    assert text.count(".yml") == 3
    assert "and 6 more" in text


@pytest.mark.parametrize(
    ("base", "head", "reuse"),
    [("reuse", "reuse", True), ("auto", "reuse", False), ("reuse", "rebuild", False)],
)
def test_no_second_build_is_promised_where_none_is_made(
    remote: Path, base: str, head: str, *, reuse: bool
) -> None:
    commit_files(remote, "main", {"params.yaml": settings(promotion={"build": base})}, onto="main")
    files = {
        "params.yaml": settings(promotion={"build": head}),
        ".github/workflows/x.yml": "on: push",
    }
    text = said(remote, files)["workflows-changed"]
    assert ("promotion.build is reuse" in text) is reuse
    assert (AGAIN in text) is not reuse


def test_main_that_moved(remote: Path) -> None:
    began = git(remote, "rev-parse", "main")
    commit_files(remote, "main", {"data/applications.parquet": "others"}, onto="main")
    assert said(remote, {"README.md": "text"}, onto=began).keys() == {"main-moved"}


def test_without_a_base_nothing_is_said(remote: Path) -> None:
    assert banners(Git(remote), git(remote, "rev-parse", "main"), None, "main") == ()


@pytest.mark.parametrize("nasty", NASTY)
def test_no_name_acts(remote: Path, nasty: str) -> None:
    name = nasty.replace("/", "-").replace("\0", "").encode("ascii", "ignore").decode().strip()
    quoted = '"' + "".join(f"\\{ord(each):03o}" for each in f".github/{name}.yml") + '"'
    found = said(remote, {quoted: "on: push"})
    found_banners = banners(
        Git(remote), git(remote, "rev-parse", "change"), git(remote, "rev-parse", "main"), "main"
    )
    assert found.keys() == {"workflows-changed"}
    comment = render_comment(plans.plan(plans.evidence(), base=None, banners=found_banners))
    assert problems(comment) == []
    assert "This pull request changes what GitHub runs" in visible(comment)
    assert len(found["workflows-changed"]) < 600


@pytest.mark.parametrize("name", ["side", "x" * 250])
def test_another_branchs_workflows_are_told_whole(name: str) -> None:
    told = other_base_banner(f"#{10**8} takes the same branch to {shown(name)}")
    comment = render_comment(plans.plan(plans.evidence(), base=None, banners=(told,)))
    assert "only the same bytes pass." in comment
