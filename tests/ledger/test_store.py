"""The ledger against real Git remotes: races, broken pushes, rewritten branches."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.made import PRODUCTION, bare, chained, clone, commit, git, live, promoted, settled
from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.errors import LedgerInvalid, MergelineError, RemoteRefused, ToolError
from mergeline.ledger.chain import read_lines
from mergeline.ledger.entries import Settled
from mergeline.ledger.history import History
from mergeline.ledger.store import BRANCH, FILE, Ledger

TESTS = Path(__file__).parents[1]
TWO, APPENDS, KILLS = 2, 20, 10


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which Git knows no user."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return bare(tmp_path / "origin.git")


@pytest.fixture
def ledger(origin: Path, tmp_path: Path) -> Ledger:
    return Ledger(clone(origin, tmp_path / "clone"))


def entry(number: int) -> Settled:
    return settled(f"{number:040x}", pull_request=number)


def append(ledger: Ledger, *numbers: int) -> History:
    history = History()
    for number in numbers:
        history = ledger.append(lambda _, number=number: entry(number))
    return history


def numbers(history: History) -> list[int]:
    return [each.pull_request for each in history.entries if isinstance(each, Settled)]


def in_origin(origin: Path) -> bytes:
    return subprocess.run(
        ["git", "show", f"{BRANCH}:{FILE}"], cwd=origin, check=True, capture_output=True
    ).stdout


def rewrite(origin: Path, data: bytes, *, on_top: bool) -> str:
    """Put a file of somebody else's making on the ledger's branch; return the commit."""
    remote = Remote(Git(origin), str(origin))
    parent = git(origin, "rev-parse", BRANCH) if on_top else None
    made = remote.commit_files({FILE: data}, parent, "by hand")
    git(origin, "update-ref", f"refs/heads/{BRANCH}", made)
    return made


def hook(origin: Path, name: str, script: str) -> None:
    path = origin / "hooks" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_without_a_branch_it_is_empty(ledger: Ledger) -> None:
    assert ledger.read() == History()


def test_entries_are_appended_and_read_by_others(
    ledger: Ledger, origin: Path, tmp_path: Path
) -> None:
    history = append(ledger, 1, 2)
    assert numbers(history) == [1, 2]
    other = Ledger(clone(origin, tmp_path / "other"))
    assert other.read() == history == ledger.read()
    assert numbers(append(other, 3)) == numbers(ledger.read()) == [1, 2, 3]
    assert read_lines(in_origin(origin)) == ledger.read()


def test_a_commit_is_mergelines_own_and_says_what_happened(ledger: Ledger, origin: Path) -> None:
    append(ledger, 1)
    first = ledger.append(lambda _: promoted("A", "3", reviewed=1)).entries[-1]
    ledger.append(lambda _: live(first))
    log = git(origin, "log", "--format=%an <%ae> | %cn <%ce> | %s", BRANCH).splitlines()
    who = "Mergeline <mergeline@noreply.invalid>"
    assert log == [
        f"{who} | {who} | live: credit-default version 3",
        f"{who} | {who} | promoted: credit-default version 3 (#12)",
        f"{who} | {who} | settled: credit-default ALREADY_LIVE (#1)",
    ]


def test_the_working_tree_and_the_index_stay_as_they_were(ledger: Ledger) -> None:
    commit(ledger.git.root, "file")
    (ledger.git.root / "file").write_text("changed\n")
    (ledger.git.root / "new").write_text("new\n")
    git(ledger.git.root, "add", "new")
    before = (git(ledger.git.root, "status", "--porcelain"), ledger.git.head())
    append(ledger, 1, 2)
    assert (git(ledger.git.root, "status", "--porcelain"), ledger.git.head()) == before
    assert git(ledger.git.root, "branch", "--list") == "* main"
    assert not (ledger.git.root / ".git/FETCH_HEAD").exists()


def test_nothing_to_append_leaves_all_as_it_was(ledger: Ledger, origin: Path) -> None:
    append(ledger, 1)
    before = in_origin(origin)
    assert numbers(ledger.append(lambda _: None)) == [1]
    assert in_origin(origin) == before


def test_what_cannot_follow_is_a_mistake_of_the_caller(ledger: Ledger) -> None:
    with pytest.raises(MergelineError, match="entry 1 declares nothing") as raised:
        ledger.append(lambda _: live(promoted("A", "1")))
    assert raised.value.exit_code == 1
    assert ledger.read() == History()


def test_a_lost_race_asks_again_with_the_new_history(
    ledger: Ledger, origin: Path, tmp_path: Path
) -> None:
    rival = Ledger(clone(origin, tmp_path / "rival"))
    seen: list[list[int]] = []

    def make(history: History) -> Settled:
        seen.append(numbers(history))
        if len(seen) <= TWO:  # between reading and pushing
            append(rival, 10 + len(seen))
        return entry(1)

    assert numbers(ledger.append(make)) == [11, 12, 1]
    assert seen == [[], [11], [11, 12]]
    assert numbers(rival.read()) == [11, 12, 1]


def test_equal_entries_of_two_are_both_kept(ledger: Ledger, origin: Path, tmp_path: Path) -> None:
    rival = Ledger(clone(origin, tmp_path / "rival"))
    asked = []

    def make(history: History) -> Settled:
        asked.append(history)
        if len(asked) == 1:
            append(rival, 1)
        return entry(1)

    assert numbers(ledger.append(make)) == [1, 1]


class TestClones:
    @pytest.mark.parametrize("options", [["--bare"], ["--mirror"], ["--depth", "1"]])
    def test_a_bare_or_shallow_clone_is_enough(
        self, ledger: Ledger, origin: Path, tmp_path: Path, options: list[str]
    ) -> None:
        for name in ("one", "two"):
            commit(ledger.git.root, name)
        git(ledger.git.root, "push", "-q", "origin", "HEAD:main")
        git(ledger.git.root, "push", "-q", "origin", "HEAD:other")
        append(ledger, 1)
        other = Ledger(clone(origin, tmp_path / "other", *options))
        assert numbers(append(other, 2)) == [1, 2]
        append(ledger, 3)
        assert numbers(other.read()) == [1, 2, 3]
        assert git(origin, "branch", "--list", "--format=%(refname:short)").split() == [
            "main",
            BRANCH,
            "other",
        ]

    def test_an_empty_repository_and_an_address_are_enough(
        self, ledger: Ledger, origin: Path, tmp_path: Path
    ) -> None:
        append(ledger, 1)
        empty = bare(tmp_path / "empty.git")
        assert numbers(append(Ledger(Git(empty), str(origin)), 2)) == [1, 2]

    def test_a_ledger_that_was_fetched_in_part_is_read_in_whole(
        self, ledger: Ledger, tmp_path: Path, origin: Path
    ) -> None:
        append(ledger, 1, 2, 3)
        other = Ledger(Git(bare(tmp_path / "other.git")), origin.as_uri())
        git(other.git.root, "fetch", "-q", "--depth", "1", origin.as_uri(), BRANCH)
        assert numbers(other.read()) == [1, 2, 3]
        append(ledger, 4)
        assert numbers(append(other, 5)) == [1, 2, 3, 4, 5]

    def test_what_a_killed_fetch_left_is_no_obstacle(
        self, ledger: Ledger, origin: Path, tmp_path: Path
    ) -> None:
        """The commit is here, the file is not."""
        append(ledger, 1, 2)
        other = Ledger(Git(bare(tmp_path / "other.git")), str(origin))
        tip = git(origin, "cat-file", "commit", BRANCH) + "\n"
        made = git(
            *(other.git.root, "hash-object", "-t", "commit", "-w", "--stdin"), given=tip.encode()
        )
        assert made == git(origin, "rev-parse", BRANCH)
        assert numbers(other.read()) == [1, 2]

    def test_two_remotes_have_two_ledgers(self, ledger: Ledger, tmp_path: Path) -> None:
        append(ledger, 1, 2)
        fork = bare(tmp_path / "fork.git")
        git(ledger.git.root, "remote", "add", "fork", str(fork))
        assert numbers(append(Ledger(ledger.git, "fork"), 3)) == [3]
        assert numbers(ledger.read()) == [1, 2]


def test_an_unchanged_ledger_is_not_parsed_again(ledger: Ledger, origin: Path) -> None:
    append(ledger, 1)
    first = ledger.read()
    assert ledger.read() is first
    append(ledger, 2)
    assert ledger.read() is not first


def test_the_file_is_packed_as_it_grows(ledger: Ledger) -> None:
    git(ledger.git.root, "config", "maintenance.loose-objects.auto", "9")
    append(ledger, *range(1, 9))
    counts = dict(
        line.split(": ") for line in git(ledger.git.root, "count-objects", "--verbose").splitlines()
    )
    assert int(counts["in-pack"]) > 0
    assert numbers(Ledger(ledger.git).read()) == list(range(1, 9))


class TestNotBelieved:
    def test_a_branch_that_went_back_names_both_commits(self, ledger: Ledger, origin: Path) -> None:
        append(ledger, 1, 2)
        old = git(origin, "rev-parse", BRANCH)
        new = git(origin, "rev-parse", f"{BRANCH}^")
        git(origin, "update-ref", f"refs/heads/{BRANCH}", new)
        for reader in (ledger, Ledger(ledger.git)):
            with pytest.raises(LedgerInvalid, match=f"was rewritten.*at {old}, now it is at {new}"):
                reader.read()

    def test_other_entries_in_the_place_of_ours_are_noticed(
        self, ledger: Ledger, origin: Path
    ) -> None:
        append(ledger, 1, 2)
        data = chained(entry(1), entry(7), entry(8))
        rewrite(origin, data, on_top=True)
        with pytest.raises(LedgerInvalid, match="does not begin with the same lines"):
            ledger.read()

    def test_a_branch_that_is_gone_is_noticed_until_it_is_forgotten(
        self, ledger: Ledger, origin: Path
    ) -> None:
        append(ledger, 1)
        git(origin, "update-ref", "-d", f"refs/heads/{BRANCH}")
        with pytest.raises(LedgerInvalid, match=r"was rewritten.* is gone") as raised:
            append(ledger, 2)
        command = raised.value.hint.split("`git ")[1].split("`")[0]
        git(ledger.git.root, *command.split())
        assert numbers(append(ledger, 3)) == [3]

    @pytest.mark.parametrize("known", [True, False])
    def test_lines_that_a_commit_took_away_are_noticed(
        self, ledger: Ledger, origin: Path, tmp_path: Path, known: bool
    ) -> None:
        append(ledger, 1, 2, 3)
        data = in_origin(origin)
        rewrite(origin, b"".join(data.splitlines(keepends=True)[:2]), on_top=True)
        reader = ledger if known else Ledger(clone(origin, tmp_path / "other"))
        with pytest.raises(LedgerInvalid, match="was rewritten"):
            reader.read()

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            (lambda data: data[:-20], "line 3 .* it is cut"),
            (lambda data: data + data.splitlines(keepends=True)[-1], "line 4 .*number is 3"),
            (lambda data: data.replace(b"grace", b"edith", 1), "line 2 .*follows a line"),
            (lambda _: b"", "holds no ledger.jsonl, or an empty one"),
        ],
    )
    def test_a_changed_file_is_not_appended_to(
        self, ledger: Ledger, origin: Path, change: Callable[[bytes], bytes], problem: str
    ) -> None:
        append(ledger, 1, 2, 3)
        made = rewrite(origin, change(in_origin(origin)), on_top=False)
        stranger = Ledger(Git(bare(origin.parent / "stranger.git")), str(origin))
        with pytest.raises(LedgerInvalid, match=problem):
            append(stranger, 4)
        assert git(origin, "rev-parse", BRANCH) == made

    def test_what_was_not_believed_is_not_remembered(self, ledger: Ledger, origin: Path) -> None:
        append(ledger, 1, 2)
        good = git(origin, "rev-parse", BRANCH)
        rewrite(origin, in_origin(origin)[:-20], on_top=True)
        with pytest.raises(LedgerInvalid):
            ledger.read()
        git(origin, "update-ref", f"refs/heads/{BRANCH}", good)
        assert numbers(append(ledger, 3)) == [1, 2, 3]

    def test_a_branch_without_the_file_is_no_ledger(self, ledger: Ledger, origin: Path) -> None:
        remote = Remote(Git(origin), str(origin))
        made = remote.commit_files({"README": b"x"}, None, "x")
        git(origin, "update-ref", f"refs/heads/{BRANCH}", made)
        with pytest.raises(LedgerInvalid, match=f"{made[:12]} on {BRANCH} .* holds no {FILE}"):
            ledger.read()


class TestFailures:
    def test_a_protected_branch_is_said_at_once(self, ledger: Ledger, origin: Path) -> None:
        append(ledger, 1)
        hook(origin, "pre-receive", 'echo "GH006: Protected branch update failed" >&2; exit 1')
        asked: list[History] = []
        with pytest.raises(RemoteRefused, match="GH006: Protected branch") as raised:
            ledger.append(lambda history: asked.append(history) or entry(2))
        assert len(asked) == 1
        assert "contents: write" in raised.value.hint
        assert "rule that protects" in raised.value.hint
        assert numbers(ledger.read()) == [1]

    def test_a_remote_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        ledger = Ledger(Git(bare(tmp_path / "empty.git")), str(tmp_path / "absent.git"))
        with pytest.raises(RemoteRefused, match=r"absent\.git' is not there") as raised:
            ledger.read()
        assert "git remote -v" in raised.value.hint
        with pytest.raises(RemoteRefused):
            append(ledger, 1)

    def test_a_push_that_arrived_though_it_broke_is_not_repeated(
        self, ledger: Ledger, origin: Path
    ) -> None:
        """The branch is written, then the connection ends before the answer."""
        hook(origin, "post-update", "kill -9 $PPID")
        git(ledger.git.root, "config", "remote.origin.url", str(origin))
        asked: list[History] = []
        history = ledger.append(lambda history: asked.append(history) or entry(1))
        assert len(asked) == 1
        assert numbers(history) == [1]
        assert numbers(read_lines(in_origin(origin))) == [1]

    def test_one_that_arrived_with_others_on_top_is_not_repeated(
        self, ledger: Ledger, origin: Path, tmp_path: Path
    ) -> None:
        append(ledger, 1)
        rival = tmp_path / "rival"
        clone(origin, rival)
        script = (
            f"rm hooks/post-update; unset GIT_DIR GIT_QUARANTINE_PATH; cd {TESTS}; "
            f"{sys.executable} -m ledger.appender {rival} rival 2 >&2; kill -9 $PPID"
        )
        hook(origin, "post-update", script)
        history = append(ledger, 2)
        assert numbers(history) == [1, 2, 1, 2]
        assert [each.by for each in history.entries[1:]] == ["run 77", "rival", "rival"]

    def test_one_that_never_arrives_is_given_up(self, ledger: Ledger, origin: Path) -> None:
        append(ledger, 1)
        hook(origin, "pre-receive", "kill -9 $PPID")
        with pytest.raises(ToolError, match="nothing was appended to the ledger in 4 attempts"):
            append(ledger, 2)
        (origin / "hooks/pre-receive").unlink()
        assert numbers(append(ledger, 3)) == [1, 3]

    def test_a_lock_that_a_dead_process_left_is_no_obstacle(self, ledger: Ledger) -> None:
        append(ledger, 1)
        ref = git(ledger.git.root, "for-each-ref", "--format=%(refname)", "refs/mergeline")
        lock = ledger.git.root / f".git/{ref}.lock"
        lock.touch()
        os.utime(lock, (0, 0))
        assert numbers(append(ledger, 2)) == [1, 2]
        assert not lock.exists()


def start(clone: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ledger.appender", os.fspath(clone), name, str(count)],
        cwd=TESTS,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("shared", [False, True], ids=["two clones", "one clone"])
def test_two_processes_race_and_nothing_is_lost_or_doubled(
    origin: Path, tmp_path: Path, shared: bool
) -> None:
    first = clone(origin, tmp_path / "first").root
    second = first if shared else clone(origin, tmp_path / "second").root
    running = [start(first, "first", APPENDS), start(second, "second", APPENDS)]
    for process in running:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
    history = read_lines(in_origin(origin))
    assert len(history.entries) == 2 * APPENDS
    for name in ("first", "second"):
        mine = [each for each in history.entries if each.by == name]
        assert numbers(History(tuple(mine))) == list(range(1, APPENDS + 1))


def test_an_appender_that_is_killed_at_any_moment_loses_and_doubles_nothing(
    origin: Path, tmp_path: Path
) -> None:
    folder = clone(origin, tmp_path / "clone").root
    for name in ("receivepack", "uploadpack"):  # the server is not killed along
        program = f"setsid git-{name.replace('pack', '-pack')}"
        git(folder, "config", f"remote.origin.{name}", program)
    rng = random.Random(0)  # noqa: S311
    for kill in range(KILLS):
        process = start(folder, "killed", APPENDS)
        assert process.stdout is not None
        if kill:
            process.stdout.readline()  # it is at work, and has found what is there already
        time.sleep(rng.uniform(0, 0.15))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    process = start(folder, "killed", APPENDS)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert numbers(read_lines(in_origin(origin))) == list(range(1, APPENDS + 1))
    assert PRODUCTION in read_lines(in_origin(origin)).environments()
