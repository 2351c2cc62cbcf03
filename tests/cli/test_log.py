"""`mergeline log` on real repositories."""

import json
from pathlib import Path

import pytest

from cli.lines import Line, make_line, mergeline
from ledger.made import TIME, bare, clone, git, live, promoted, rejected, reviewed, rolled_back, sha
from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.core.policy import Accept
from mergeline.ledger.entries import ENTRY
from mergeline.ledger.store import BRANCH, FILE, Ledger

HOSTILE = "bad \x1b[2J\x1b]0;title\x07 \u202e news\nsecond line"


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return make_line(tmp_path)


def fill(line: Line) -> None:
    accepted = (Accept(commit="c" * 40, reason="typo", owner="ada"),)
    line.append(reviewed(12))
    first = line.append(
        promoted("A", "1", waivers=("auc-floor: small town (grace)",), accepted=accepted)
    )
    line.append(live(first))
    second = line.append(promoted("B", "2", pull_request=14, approvers=()))
    line.append(rejected(second, reason=HOSTILE))
    line.append(rolled_back(to=first, replaces=second))
    line.append(promoted("C", "3", environment="staging"))


def test_an_empty_ledger_is_said(line: Line) -> None:
    done = mergeline(line.git.root, "log")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "chain verified: 0 entries, no mergeline/ledger yet\n"
    assert mergeline(line.git.root, "log", "--json").stdout == "[]\n"


def test_a_line_an_entry_the_newest_first(line: Line, golden) -> None:
    fill(line)
    done = mergeline(line.git.root, "log")
    assert (done.returncode, done.stderr) == (0, "")
    *entries, last = done.stdout.splitlines()
    golden("log/entries.txt", "\n".join(entries) + "\n")
    tip = git(line.origin, "rev-parse", BRANCH)
    assert last == f"chain verified: 7 entries, {BRANCH} at {tip[:12]}"
    assert len(entries) == 7
    assert [entry.split()[1] for entry in entries] == list("7654321")
    assert all(entry.startswith(TIME) for entry in entries)
    assert sha("B")[:12] in entries[3]
    assert "#14" in entries[3]
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


def test_fewer_entries_and_those_of_one_environment(line: Line) -> None:
    fill(line)
    few = mergeline(line.git.root, "log", "-n", "2").stdout.splitlines()
    assert [entry.split()[1] for entry in few[:-1]] == ["7", "6"]
    assert few[-1].startswith("chain verified: 7 entries")
    staging = mergeline(line.git.root, "log", "--environment", "staging", "-n", "5").stdout
    assert [entry.split()[1] for entry in staging.splitlines()[:-1]] == ["7"]
    assert mergeline(line.git.root, "log", "-n", "0").returncode == 2


def test_json_is_the_entries_themselves(line: Line) -> None:
    fill(line)
    done = mergeline(line.git.root, "log", "--json")
    entries = tuple(ENTRY.validate_json(json.dumps(each)) for each in json.loads(done.stdout))
    assert entries[::-1] == Ledger(line.git).read().entries


def test_a_tampered_ledger_is_an_error(line: Line, tmp_path: Path) -> None:
    fill(line)
    remote = Remote(line.git)
    tip = remote.tip(BRANCH)
    data = line.git.read(str(tip), FILE)
    assert data is not None
    tampered = remote.commit_files({FILE: data.replace(b"small town", b"no reason")}, None, "x")
    assert remote.push(BRANCH, tampered, tip)
    done = mergeline(clone(line.origin, tmp_path / "other").root, "log")
    assert done.returncode == 4
    assert done.stdout == ""
    assert "ERROR line 3 of the ledger cannot be believed" in done.stderr
    again = mergeline(line.git.root, "log")
    assert again.returncode == 4
    assert f"at {tip}" in again.stderr
    assert f"at {tampered}" in again.stderr


@pytest.mark.parametrize("options", [["--bare"], ["--depth", "1"]])
def test_any_clone_will_do(line: Line, tmp_path: Path, options: list[str]) -> None:
    fill(line)
    other = clone(line.origin, tmp_path / "other", *options)
    assert mergeline(other.root, "log").stdout == mergeline(line.git.root, "log").stdout


def test_another_remote_can_be_asked(line: Line, tmp_path: Path) -> None:
    fork = bare(tmp_path / "fork.git")
    Ledger(Git(fork), str(fork)).append(lambda _: reviewed(99))
    done = mergeline(line.git.root, "log", "--remote", str(fork))
    assert "#99" in done.stdout
    assert "1 entry," in done.stdout


def test_a_remote_that_cannot_be_read_is_exit_code_4(line: Line, tmp_path: Path) -> None:
    done = mergeline(line.git.root, "log", "--remote", str(tmp_path / "absent.git"))
    assert done.returncode == 4
    assert "TIP" in done.stderr
    assert "Traceback" not in done.stderr
    assert mergeline(tmp_path, "log").returncode == 4
