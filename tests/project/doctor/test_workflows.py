"""What is said of the workflow files: of the repository's own, and of changed ones."""

from pathlib import Path

import pytest

from mergeline.project.callers import Framework
from mergeline.project.callers import workflows as callers
from mergeline.project.doctor import project
from mergeline.project.doctor.finding import Finding
from mergeline.project.doctor.workflows import NEEDED, read_workflows, workflows

from .conftest import REPOSITORY, change, git, write

COMMIT, OTHER = "0123456789" * 4, "abcdef0123" * 4
FOLDER = ".github/workflows"


def findings(folder: Path) -> dict[str, Finding]:
    return {one.name: one for one in workflows(folder, None).findings}


def test_the_repositorys_own() -> None:
    found = findings(REPOSITORY)
    assert [one for one in found.values() if not one.ok] == []
    assert {"files", "pinned", "follows", *NEEDED} - {"review.yml"} == set(found)


def test_what_is_needed_is_what_the_workflows_say() -> None:
    """Callers grant what the called jobs take: no more is asked for, and no less."""
    for name, file in read_workflows(REPOSITORY)[0].items():
        if name in NEEDED:
            assert file.granted() == NEEDED[name], name


def test_the_job_that_waits_for_a_release() -> None:
    job = read_workflows(REPOSITORY)[0]["promote.yml"].jobs["promote"]
    assert job["timeout-minutes"] * 60 == project.JOB_SECONDS


def test_none(tmp_path: Path) -> None:
    (found,) = workflows(tmp_path, None).findings
    assert (found.state, found.detail.count(".yml")) == ("missing", len(NEEDED))
    assert "mergeline init" in found.next_step


def test_one_is_not_there(folder: Path) -> None:
    (folder / FOLDER / "rollback.yml").unlink()
    assert findings(folder)["files"].detail.endswith("lacks rollback.yml")


CASES: dict[str, tuple[str, str, str, str, str, str, str]] = {
    "a tag": (
        "pull-request.yml",
        "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1",
        "actions/checkout@v7",
        *("pinned", "missing", "git ls-remote https://github.com/actions/checkout 'v7*'"),
    ),
    "a short commit": (
        "comment.yml",
        "@3d3c42e5aac5ba805825da76410c181273ba90b1",
        "@3d3c42e",
        *("pinned", "missing", "@COMMIT # 3d3c42e"),
    ),
    "another name": (
        "pull-request.yml",
        "name: pull-request",
        "name: plan",
        *("follows", "missing", "workflows: [plan, review]"),
    ),
    "nothing is followed": (
        "comment.yml",
        "workflows: [pull-request, review]",
        "branches: [main]",
        *("follows", "missing", "workflows: [pull-request, review]"),
    ),
    "a permission less": (
        "comment.yml",
        "      statuses: write",
        "      statuses: read",
        *("comment.yml", "missing", "`permissions:`"),
    ),
    "a build that may write": (
        "pull-request.yml",
        "      contents: read # to check out",
        "      contents: write",
        *("pull-request.yml", "missing", "take those out"),
    ),
    "no permissions": (
        "pull-request.yml",
        "    permissions:\n      contents: read # to check out\n",
        "",
        *("pull-request.yml", "missing", "`permissions:`"),
    ),
    "no YAML": (
        "promote.yml",
        "name: promote",
        "name: [",
        *("promote.yml", "missing", "mend promote.yml"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong(folder: Path, case: str) -> None:
    file, old, new, name, state, step = CASES[case][:6]
    change(folder / FOLDER / file, old, new)
    found = findings(folder)[name]
    assert found.state == state, found
    assert step in found.next_step, found


def test_the_repositorys_default_permissions(folder: Path) -> None:
    path = folder / FOLDER / "pull-request.yml"
    change(path, "    permissions:\n      contents: read # to check out\n", "")
    change(path, "permissions: {}\n\njobs", "\njobs")
    found = findings(folder)["pull-request.yml"]
    assert (found.state, "permissions: {}" in found.next_step) == ("warn", True)


def test_all_permissions_at_once(folder: Path) -> None:
    change(
        folder / FOLDER / "pull-request.yml",
        "permissions: {}\n\njobs",
        "permissions: write-all\n\njobs",
    )
    assert findings(folder)["pull-request.yml"].ok, "each of its jobs says less"
    path = folder / FOLDER / "pull-request.yml"
    change(path, "    permissions:\n      contents: read # to check out\n", "")
    assert "may write" in findings(folder)["pull-request.yml"].detail


def test_an_action_of_its_own_that_uses_a_tag(folder: Path) -> None:
    write(folder / ".github/actions/x/action.yml", "runs:\n  steps:\n    - uses: a/b@main\n")
    found = findings(folder)["pinned"]
    assert (found.state, '"a/b@main" in x/action.yml' in found.detail) == ("missing", True)


def test_what_names_a_tag_is_shown_harmlessly(folder: Path) -> None:
    text = 'jobs:\n  a:\n    uses: "a/b@x\\e[31m"\n'
    write(folder / FOLDER / "more.yml", text)
    assert "\x1b" not in findings(folder)["pinned"].detail


# --- workflows that call those of the framework ---------------------------------------------


@pytest.fixture
def calling(folder: Path) -> Path:
    for name, text in callers(Framework("acme/mergeline", COMMIT), "main").items():
        write(folder / name, text)
    return folder


def pin(folder: Path, line: str) -> None:
    write(folder / "requirements/mergeline.txt", f"{line}\n")
    git(folder, "add", ".")


def test_what_init_writes(calling: Path) -> None:
    pin(calling, f"mergeline @ git+https://github.com/acme/mergeline@{COMMIT}")
    found = findings(calling)
    assert [one for one in found.values() if not one.ok] == []
    assert found["framework"].detail == f"acme/mergeline at {COMMIT[:12]}, as the pins say"


def test_a_call_without_the_lines_key(calling: Path) -> None:
    path = calling / FOLDER / "comment.yml"
    line = "    secrets:\n      MERGELINE_TOKEN: ${{ secrets.MERGELINE_TOKEN }}\n"
    change(path, line, "")
    found = findings(calling)["secrets"]
    assert (found.state, found.detail.startswith("comment.yml passes no")) == ("warn", True)
    assert "`MERGELINE_TOKEN: ${{ secrets.MERGELINE_TOKEN }}`" in found.next_step
    with path.open("a") as file:
        file.write("    secrets: inherit\n")
    assert findings(calling)["secrets"].ok


@pytest.mark.parametrize("more", ["inherit", "{MERGELINE_TOKEN: x}"])
def test_a_build_that_is_passed_too_much(calling: Path, more: str) -> None:
    line = "secrets:\n      MERGELINE_DVC_CONFIG: ${{ secrets.MERGELINE_DVC_CONFIG }}\n"
    change(calling / FOLDER / "pull-request.yml", line, f"secrets: {more}\n")
    found = findings(calling)["secrets"]
    assert (found.state, "runs a pull request's code" in found.detail) == ("warn", True)


def test_pins_of_another_commit(calling: Path) -> None:
    pin(calling, f"mergeline @ git+https://github.com/acme/mergeline@{OTHER}")
    found = findings(calling)["framework"]
    assert (found.state, COMMIT in found.next_step) == ("missing", True)


def test_pins_without_a_commit(calling: Path) -> None:
    found = findings(calling)["framework"]
    assert (found.state, "the pins name no commit" in found.detail) == ("unknown", True)


def test_two_commits(calling: Path) -> None:
    change(calling / FOLDER / "promote.yml", COMMIT, OTHER)
    found = findings(calling)["framework"]
    assert found.state == "missing"
    assert COMMIT[:12] in found.detail
    assert OTHER[:12] in found.detail
