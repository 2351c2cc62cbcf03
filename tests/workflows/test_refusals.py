"""What the workflows do when something is wrong: nothing changes, and the reason is said."""

import re
from collections.abc import Callable, Iterable

import pytest

from workflows.hosted import Ran
from workflows.line import AUTHOR, GATES, REVIEWER, STRANGER, Project, git

Begun = Callable[..., Project]
REQUIRED = {
    "type": "required_status_checks",
    "parameters": {"required_status_checks": [{"context": "mergeline"}]},
}
CHECK = "      - run: mergeline check\n"
FORGE = """\
      - run: |
          python3 - <<'END'
          import json, pathlib
          path = pathlib.Path("reports/evaluate.json")
          text = path.read_text()
          path.write_text(text.replace('"value": 0.', '"value": 0.9', 1))
          assert path.read_text() != text
          END
"""


def said(runs: Iterable[Ran], name: str) -> str:
    """Return what the last run of a workflow printed in its steps."""
    log = [ran.log for ran in runs if ran.name == name][-1]
    return "\n".join(line.partition("  | ")[2] for line in log.splitlines() if "  | " in line)


def ended(runs: Iterable[Ran]) -> dict[str, str]:
    """Return how each workflow ended."""
    return {ran.name: ran.ended.conclusion for ran in runs}


def edited(project: Project, old: str, new: str) -> dict[str, str]:
    """Return the build's workflow with a text replaced."""
    name = ".github/workflows/pull-request.yml"
    text = project.text(name)
    assert old in text
    return {name: text.replace(old, new)}


def test_a_gate_that_fails_is_commented_and_keeps_the_merge_shut(begun: Begun) -> None:
    gates = {**GATES, "auc-high": {"metric": "roc_auc", "at_least": 0.99}}
    project = begun(gates=gates)
    project.world.add_ruleset("main", [REQUIRED])
    number = project.change("first")
    runs = project.hosted.opened(number)
    assert ended(runs) == {"pull-request": "failure", "comment": "success"}
    (comment,) = project.comments(number)
    assert "## ❌" in comment
    assert "auc-high" in comment
    assert project.status(project.world.pull(number).head_sha).startswith("failure: ")
    with pytest.raises(ValueError, match="mergeline is not green"):
        project.world.merge(number, "squash", login=REVIEWER)
    # The build's own last job fails too.
    assert "mergeline build] 🏁  Job failed" in runs[0].log


def test_a_fork_gets_a_comment_and_no_secret(begun: Begun) -> None:
    project = begun()
    project.hosted.secrets["MERGELINE_DVC_CONFIG"] = "no fork may read this"
    fork = project.world.add_fork(STRANGER)
    # A fork may change its own workflow: it tries to see the secret and to write.
    try_it = """\
      - run: |
          echo "credential: [$DATA] ${#DATA}"
          curl --silent --cacert "$SSL_CERT_FILE" --write-out ' -> %{http_code}' --request POST \\
            --header "Authorization: token $TOKEN" --data '{"body": "bought by eve"}' \\
            "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues/1/comments"
        env:
          DATA: ${{ secrets.MERGELINE_DVC_CONFIG }}
          TOKEN: ${{ github.token }}
"""
    project.push("first", edited(project, CHECK, try_it + CHECK), to=fork)
    number = project.world.open_pull(f"{STRANGER}:first", login=STRANGER)
    runs = project.hosted.opened(number)
    assert ended(runs) == {"pull-request": "success", "comment": "success"}
    assert "credential: [] 0" in said(runs, "pull-request")
    assert "-> 403" in said(runs, "pull-request")
    (comment,) = project.comments(number)
    assert "bought by eve" not in comment
    assert ".github/" in comment  # the banner
    assert project.ledger() == ["reviewed"]


def test_a_forged_artifact_is_refused_and_nothing_is_posted(begun: Begun) -> None:
    project = begun()
    check = project.text(".github/workflows/pull-request.yml")
    block = re.search(r"      - run: mergeline check\n(?:        .*\n)*", check)
    assert block is not None
    number = project.change("first", edited(project, block[0], block[0] + FORGE))
    runs = project.hosted.opened(number)
    assert ended(runs) == {"pull-request": "success", "comment": "failure"}
    assert "EVIDENCE_INVALID" in said(runs, "comment")
    assert "exit status 12" in runs[-1].log
    assert project.comments(number) == []
    assert project.ledger() == []
    status = project.status(project.world.pull(number).head_sha)
    assert status.startswith("failure: EVIDENCE_INVALID")


def test_a_workflow_edited_in_the_pull_request_is_named_and_built_again(begun: Begun) -> None:
    project = begun()
    number = project.change("first", edited(project, CHECK, "      - run: echo\n" + CHECK))
    project.hosted.opened(number)
    (comment,) = project.comments(number)
    assert "> [!WARNING]" in comment
    assert ".github/" in comment
    project.world.approve(number, REVIEWER)
    runs = project.merge(number)
    (promotion,) = [ran for ran in runs if ran.name == "promote"]
    # The plan asks for a second build, on main, which has the same bytes.
    assert "promote/build] 🏁  Job succeeded" in promotion.log
    assert "DRIFTED" not in promotion.log
    # No registry answers: that is as far as it comes.
    assert "REGISTRY_UNAVAILABLE" in promotion.log
    assert "promoted" not in project.ledger()


def test_a_force_push_after_the_approval_needs_a_new_one(begun: Begun) -> None:
    project = begun()
    number = project.change("first")
    project.world.approve(number, REVIEWER)
    project.push("first", {"README.md": "something else\n"})
    runs = project.hosted.opened(number, "synchronize")
    assert ended(runs) == {"pull-request": "success", "comment": "success"}
    assert "STALE_APPROVAL" in project.comments(number)[0]
    runs = project.merge(number)
    assert ended(runs) == {"promote": "failure"}
    assert "STALE_APPROVAL" in said(runs, "promote")
    assert "exit status 12" in runs[0].log
    assert "promoted" not in project.ledger()


def test_the_re_run_of_an_old_promotion_changes_nothing(begun: Begun) -> None:
    project = begun()
    (first,) = project.merge(project.change("first"))
    assert "NO_EVIDENCE" in first.log  # nobody built it
    project.merge(project.change("second", {"README.md": "two\n"}))
    before = project.ledger()
    (again,) = project.hosted.again(first)
    assert (again.id, again.attempt) == (first.id, 2)
    assert again.ok
    assert "SUPERSEDED" in again.log
    assert project.ledger() == before


def test_a_direct_push_blocks_the_line_with_its_reason(begun: Begun) -> None:
    project = begun()
    project.merge(project.change("first"))
    project.push("main", {"README.md": "straight to main\n"})
    (ran,) = project.hosted.pushed()
    assert not ran.ok
    assert "DIRECT_PUSH" in said([ran], "promote")
    assert project.world.repo.pulls.keys() == {1}
    assert AUTHOR in git(project.clone, "log", "-1", "--format=%ae")


def test_a_main_that_has_no_project_yet_promotes_nothing(begun: Begun) -> None:
    project = begun()
    (ran,) = project.hosted.pushed()
    assert ran.ok
    assert "nothing" in said([ran], "promote")
    assert "mergeline promote --rebuilt-run" not in ran.log
