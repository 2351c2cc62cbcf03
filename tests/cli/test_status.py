"""`mergeline status` on real repositories: what somebody on call reads."""

import json
import re
import shutil
from pathlib import Path

import pytest

from cli.lines import LATER, SETTINGS, Line, make_line, mergeline
from ledger.made import clone, commit, git, live, promoted, rejected, reviewed, rolled_back, sha
from mergeline.adapters.git_remote import Remote
from mergeline.ledger.report import FILE, branch_of
from mergeline.ledger.status import Status


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return make_line(tmp_path)


def status(line: Line, *options: str) -> str:
    done = mergeline(line.git.root, "status", *options)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def block(text: str, name: str) -> list[str]:
    """Return the lines under a name."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{name} "))
    end = next(
        (i for i in range(start + 1, len(lines)) if not lines[i].startswith(" ")), len(lines)
    )
    return [line[10:] for line in lines[start:end]]


def test_before_the_first_promotion(line: Line) -> None:
    text = status(line)
    assert text.splitlines()[0] == "NOTHING  production: nothing is desired: nothing ever was"
    assert block(text, "position") == ["none yet"]
    assert block(text, "waits")[1:] == [
        f"{line.first[:12]} params.yaml",
        "  the ledger holds no review of it: it came past review, or its comment job did not run",
    ]


def test_all_is_well(line: Line, golden) -> None:
    old = line.append(promoted("A", "1", position=line.first))
    line.append(live(old))
    tip = line.merge("better")
    new = line.append(promoted("B", "2", position=tip, pull_request=14))
    line.append(live(new))
    line.report(new)
    text = status(line)
    assert (
        text.splitlines()[0] == f"OK       production: version 2 is live, as desired, since {LATER}"
    )
    assert block(text, "position") == [tip]
    assert block(text, "waits") == ["nothing: main is where the line is"]
    assert "version 1" in block(text, "rollback")[0]
    stable = re.sub(r"\([^()]*(ago|ours)\)", "(AGE)", text).replace(tip, "TIP")
    golden("status/well.txt", stable)


def test_a_rejection_and_what_waits(line: Line) -> None:
    old = line.append(promoted("A", "1", position=line.first))
    line.append(live(old))
    line.report(old)
    direct = line.merge("direct", "Pushed \x1b[31mat night")
    failed = line.merge("failed", "Unfair (#15)")
    line.append(reviewed(15, outcome="FAILED", answer="POLICY_FAILED"))
    tip = line.merge("better")
    new = line.append(promoted("B", "2", position=tip, pull_request=16))
    waits = block(status(line), "waits")
    assert waits[0] == "3 commits of main, the oldest first"
    assert waits[1] == f"{direct[:12]} Pushed ⟨U+001B⟩[31mat night"
    assert waits[3:5] == [f"{failed[:12]} Unfair (#15)", "  #15: its gates FAILED (entry 3)"]
    assert waits[5] == f"{tip[:12]} better"
    assert waits[6].startswith("  #16: declared as version 2 (entry 4), not confirmed")
    line.report(new, serving=old)
    text = status(line)
    assert text.startswith("DIFFERS  production: version 1 answers, not version 2")
    assert text.splitlines()[0].endswith("the follower rejected it: row 3 ⟨U+001B⟩[31mdiffers")
    line.append(rejected(new, reason="row 3 differs"))
    text = status(line)
    assert text.startswith("OK       production: version 1 is live, as desired")
    assert "rejected by the follower: row 3 differs" in block(text, "waits")[6]
    assert "Version 2 (entry 4) was rejected" in block(text, "note")[0]
    assert "\x1b" not in text


def test_after_a_rollback(line: Line) -> None:
    old = line.append(promoted("A", "1", position=line.first))
    line.append(live(old))
    tip = line.merge("better")
    new = line.append(promoted("B", "2", position=tip))
    line.append(live(new))
    back = line.append(rolled_back(to=old, replaces=new, position=tip, main=tip))
    line.report(back)
    docs = line.merge("docs", "Docs (#17)")
    line.append(reviewed(17, model="B", tree=line.git.tree(docs)))
    text = status(line)
    assert text.startswith("OK       production: version 1 is live, as desired")
    assert "a rollback" in block(text, "desired")[1]
    assert block(text, "position") == [tip]
    assert block(text, "waits")[2].startswith("  #17: its model is barred: rolled back from")
    assert block(text, "rollback") == ["has nothing to return to"]
    assert block(text, "barred")[0].startswith(f"{sha('B')[:12]} rolled back from version 2 to 1")
    line.merge("params.yaml", "Reinstate")
    (line.git.root / "params.yaml").write_text(
        SETTINGS + f"promotion: {{reinstate: [{sha('B')}]}}\n"
    )
    commit(line.git.root, "more", message="Reinstate B")
    git(line.git.root, "push", "-q", "origin", "HEAD:main")
    assert block(status(line), "waits")[2].startswith("  #17: reviewed, PASSED")


def test_a_report_that_is_none_does_not_hide_the_rest(line: Line) -> None:
    old = line.append(promoted("A", "1", position=line.first))
    line.append(live(old))
    remote = Remote(line.git)
    rubbish = remote.commit_files({FILE: b"\x1b[2J{}"}, None, "x")
    assert remote.push(branch_of("production"), rubbish, None)
    text = status(line)
    assert text.startswith("UNKNOWN  production: version 1 is desired since")
    assert "is no report" in text.splitlines()[0]
    assert "\x1b" not in text


def test_json_is_the_status(line: Line) -> None:
    old = line.append(promoted("A", "1", position=line.first))
    line.report(old)
    found = Status.model_validate_json(status(line, "--json"))
    assert (found.state, found.environment) == ("agrees", "production")
    assert found.desired == old
    assert json.loads(status(line, "--json"))["schema_version"] == 1


class TestEnvironment:
    def test_it_is_that_of_mains_settings(self, tmp_path: Path) -> None:
        line = make_line(tmp_path, SETTINGS + "deploy: {environment: EU}\n")
        line.append(promoted("A", "1"))
        assert status(line).startswith("NOTHING  EU: nothing is desired: the ledger declares")
        assert status(line, "--environment", "production").startswith("UNKNOWN  production:")

    def test_with_broken_settings_it_is_the_only_one_that_there_is(self, tmp_path: Path) -> None:
        line = make_line(tmp_path, "project: [\n")
        entry = line.append(promoted("A", "1", environment="staging"))
        line.report(entry)
        text = status(line)
        assert text.startswith("OK       staging: version 1 is live")
        assert "params.yaml" in block(text, "waits")[0]


class TestPosition:
    def test_main_that_was_rewritten_is_said(self, line: Line) -> None:
        old = line.append(promoted("A", "1", position=line.merge("lost")))
        line.append(live(old))
        git(line.git.root, "push", "-q", "--force", "origin", f"{line.first}:main")
        assert "is not on the line of first parents" in block(status(line), "waits")[0]

    def test_without_one_it_is_where_the_policy_says(self, tmp_path: Path) -> None:
        line = make_line(tmp_path)
        second = line.merge("second")
        (line.git.root / "params.yaml").write_text(
            SETTINGS + f"promotion: {{since: {line.first}}}\n"
        )
        line.merge("third")
        waits = block(status(line), "waits")
        assert waits[0] == "2 commits of main, the oldest first"
        assert waits[1] == f"{second[:12]} second"

    def test_of_many_commits_the_last_are_shown(self, line: Line) -> None:
        old = line.append(promoted("A", "1", position=line.first))
        line.append(live(old))
        for number in range(52):
            commit(line.git.root, "file", f"{number}\n")
        git(line.git.root, "push", "-q", "origin", "HEAD:main")
        waits = block(status(line), "waits")
        assert waits[0] == "52 commits of main, the oldest first, the last 50 of them"
        assert len(waits) == 101


class TestClones:
    def test_a_bare_clone_tells_the_same(self, line: Line, tmp_path: Path) -> None:
        line.report(line.append(promoted("A", "1", position=line.first)))
        other = clone(line.origin, tmp_path / "other.git", "--bare")
        assert mergeline(other.root, "status").stdout == status(line)

    def test_a_shallow_clone_tells_what_it_can(self, line: Line, tmp_path: Path) -> None:
        old = line.append(promoted("A", "1", position=line.first))
        line.append(live(old))
        line.report(old)
        for name in ("one", "two"):
            line.merge(name)
        other = clone(line.origin, tmp_path / "other", "--depth", "1")
        text = mergeline(other.root, "status").stdout
        assert text.startswith("OK       production: version 1 is live")
        assert "git fetch --unshallow" in block(text, "waits")[0]

    def test_without_its_remote_it_is_exit_code_4(self, line: Line) -> None:
        status(line)
        shutil.rmtree(line.origin)
        done = mergeline(line.git.root, "status")
        assert (done.returncode, done.stdout) == (4, "")
        assert "the remote 'origin' is not there" in done.stderr
        assert "TIP" in done.stderr
