"""`mergeline report`: what a real check left, in every form, and what no longer holds."""

import json
import os
import sys
from pathlib import Path

import pytest

from mergeline.core.plan import Plan

from .conftest import Done, Project


def report(project: Project, *options: str, **more: object) -> Done:
    return project.run(sys.executable, "-m", "mergeline", "report", *options, **more)


def written(project: Project, form: str) -> str:
    """Return the report in one of its forms, from a file in a folder of its own."""
    path = project.root.parent / f"report.{form}"
    done = report(project, "--format", form, "--output", str(path))
    assert (done.code, done.out) == (0, ""), done.err
    assert f"written to {path}" in done.err
    return path.read_text()


def test_the_comment_is_the_one_that_the_check_wrote(project: Project) -> None:
    assert written(project, "md") == project.read("reports/comment.md")
    printed = report(project, "--format", "md")
    assert (printed.code, printed.out) == (0, project.read("reports/comment.md"))


def test_json_is_the_whole_plan(project: Project) -> None:
    before = project.written()
    text = written(project, "json")
    plan = Plan.model_validate_json(text)
    document = json.loads(text)
    assert document["schema_version"] == 1
    assert document.pop("evidence")["train"] == project.json("train")
    assert document == project.json("verdict")
    assert (
        plan.evidence.digest() == plan.candidate.evidence == project.json("candidate")["evidence"]
    )
    assert project.written() == before


def test_the_other_forms(project: Project) -> None:
    shown = report(project)
    assert shown.code == 0
    assert "Files: reports/comment.md" in shown.out
    assert "stale" not in shown.err
    assert written(project, "card").startswith("---\nlibrary_name: ")
    assert "</html>" in written(project, "html")


def test_what_changed_since_is_said(project: Project) -> None:
    project.edit("bootstrap: 200", "bootstrap: 300")
    done = report(project)
    assert done.code == 0
    assert "stale: what stages read has changed since; `mergeline check` makes it" in done.err
    project.commit("Another number of draws")
    assert f"HEAD is {project.git('rev-parse', 'HEAD')[:12]}" in report(project).err


def test_a_verdict_of_a_failed_gate_ends_as_the_check_did(project: Project) -> None:
    verdict = project.json("verdict")
    verdict["judgement"]["outcome"] = "FAILED"
    project.write("reports/verdict.json", json.dumps(verdict))
    assert report(project, "--format", "json").code == 10


def test_no_check_yet(project: Project) -> None:
    (project.root / "reports/verdict.json").unlink()
    done = report(project)
    message, hint = done.error()
    assert (done.code, hint) == (2, "run `mergeline check`")
    assert "reports/verdict.json is not there" in message


def test_evidence_that_was_not_judged(project: Project) -> None:
    train = project.json("train")
    train["content"]["rows"] += 1
    project.write("reports/train.json", json.dumps(train))
    (project.root / "reports/explain.json").unlink()
    done = report(project)
    message, hint = done.error()
    assert (done.code, hint) == (4, "make it again: `mergeline check`")
    assert "a stage ran since, or a file was changed; not there: reports/explain.json" in message


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("verdict", "{", "reports/verdict.json is not a verdict of this version"),
        ("verdict", "[]", "reports/verdict.json is not a verdict of this version"),
        ("candidate", "{}", "reports/candidate.json is not there, or cannot be read"),
    ],
)
def test_files_that_are_not_of_one_check(project: Project, name: str, text: str, said: str) -> None:
    project.write(f"reports/{name}.json", text)
    done = report(project)
    assert done.code == 4
    assert said in done.error()[0]


def test_a_folder_that_is_not_there(project: Project, tmp_path: Path) -> None:
    done = report(project, "--output", str(tmp_path / "no/report.md"))
    assert done.code == 2
    assert "there is no folder" in done.error()[0]


def test_what_is_there_and_no_file_stays(project: Project, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe"):
        done = report(project, "--output", str(place))
        assert done.code == 2
        assert done.error()[0] == f"--output {place} is there and is no file"
    assert (tmp_path / "pipe").is_fifo()
