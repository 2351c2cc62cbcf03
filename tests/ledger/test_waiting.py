"""Why commits of main wait, from the ledger and from Git."""

from pathlib import Path

import pytest

from ledger.made import Book, commit, git, live, promoted, rejected, reviewed, rolled_back, sha
from mergeline.adapters.git import Git
from mergeline.ledger.waiting import Line, Waiting

SETTINGS = """project: leavers
data: {source: a.csv, target: left, positive: 1}
model: {estimator: sklearn.linear_model.LogisticRegression}
"""
REINSTATED = f"{SETTINGS}promotion: {{reinstate: [{sha('B')}]}}\n"
WHO = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")


@pytest.fixture
def repository(tmp_path: Path) -> Git:
    git(tmp_path, "init", "-q", "-b", "main", "project")
    commit(tmp_path / "project", "first")
    return Git(tmp_path / "project")


@pytest.fixture
def book() -> Book:
    return Book()


def waiting(repository: Git, book: Book, commit: str) -> Waiting:
    main = repository.head()
    return Line(repository, book.history, "production", main).waiting((commit,))[0]


def branch(repository: Git, name: str) -> str:
    """Commit on a branch of its own, and go back to main."""
    git(repository.root, "checkout", "-q", "-b", name)
    head = commit(repository.root, name)
    git(repository.root, "checkout", "-q", "main")
    return head


class TestReview:
    def test_a_merge_is_found_by_the_head_that_it_names(self, repository: Git, book: Book) -> None:
        head = branch(repository, "side")
        commit(repository.root, "meanwhile")
        git(repository.root, *WHO, "merge", "-q", "--no-ff", "-m", "whatever", "side")
        book.add(reviewed(21, commit=head))
        found = waiting(repository, book, repository.head())
        assert (found.pull_request, found.subject) == (21, "whatever")
        assert "reviewed, PASSED (entry 1)" in found.why

    def test_a_squash_is_found_by_its_tree(self, repository: Git, book: Book) -> None:
        head = branch(repository, "side")
        git(repository.root, "merge", "-q", "--squash", "side")
        git(repository.root, *WHO, "commit", "-q", "-m", "no number")
        book.add(reviewed(22, tree=repository.tree(head)))
        assert waiting(repository, book, repository.head()).pull_request == 22

    @pytest.mark.parametrize(
        ("subject", "number"),
        [
            ("Better (#23)", 23),
            ("Merge pull request #23 from fork/branch", 23),
            ("Better (#24)", None),
            ("Reverts (#23) for now", None),
            ("Better", None),
        ],
    )
    def test_else_the_subject_may_name_one_that_was_reviewed(
        self, repository: Git, book: Book, subject: str, number: int | None
    ) -> None:
        book.add(reviewed(23))
        made = commit(repository.root, "file", message=subject)
        assert waiting(repository, book, made).pull_request == number

    def test_the_last_review_counts(self, repository: Git, book: Book) -> None:
        tree = repository.tree("HEAD")
        book.add(reviewed(12, tree=tree, outcome="FAILED", answer="POLICY_FAILED"))
        book.add(reviewed(12, tree=tree))
        assert "reviewed, PASSED (entry 2)" in waiting(repository, book, repository.head()).why

    def test_without_one_that_is_said(self, repository: Git, book: Book) -> None:
        found = waiting(repository, book, repository.head())
        assert found.pull_request is None
        assert found.why.startswith("the ledger holds no review of it")


@pytest.mark.parametrize(
    ("outcome", "answer", "why"),
    [
        ("FAILED", "POLICY_FAILED", "its gates FAILED (entry 1)"),
        ("ERRORED", "NOT_PROMOTABLE", "its gates ERRORED (entry 1)"),
        ("WARNED", "NOT_PROMOTABLE", "its review came to NOT_PROMOTABLE (entry 1)"),
        ("WARNED", "POLICY_ONLY", "changes policy only, WARNED (entry 1)"),
    ],
)
def test_a_verdict_that_would_be_refused_is_named(
    repository: Git, book: Book, outcome: str, answer: str, why: str
) -> None:
    tree = repository.tree("HEAD")
    book.add(reviewed(12, tree=tree, outcome=outcome, answer=answer))
    assert waiting(repository, book, repository.head()).why.startswith(why)


def test_a_barred_model_waits_until_it_is_reinstated(repository: Git, book: Book) -> None:
    first = book.goes_live(promoted("A", "1"))
    second = book.goes_live(promoted("B", "2"))
    tip = commit(repository.root, "params.yaml", SETTINGS)
    book.goes_live(rolled_back(to=first, replaces=second, main=tip))
    book.add(reviewed(12, model="B", tree=repository.tree("HEAD")))
    why = waiting(repository, book, tip).why
    assert why.startswith("its model is barred: rolled back from version 2 to 1")
    assert why.endswith("complaints")
    commit(repository.root, "params.yaml", REINSTATED)
    assert "reviewed, PASSED" in waiting(repository, book, tip).why
    other = commit(repository.root, "README.md")
    book.goes_live(rolled_back(to=first, replaces=second, main=other))
    assert waiting(repository, book, tip).why.startswith("its model is barred: ")


class TestDeclared:
    def test_not_confirmed(self, repository: Git, book: Book) -> None:
        book.add(promoted("A", "1", position=repository.head()))
        found = waiting(repository, book, repository.head())
        assert found.pull_request == 12
        assert found.why.startswith("declared as version 1 (entry 1), not confirmed")

    def test_rejected_with_its_reason(self, repository: Git, book: Book) -> None:
        entry = book.add(promoted("A", "1", position=repository.head()))
        book.add(rejected(entry, reason="no room"))
        why = waiting(repository, book, repository.head()).why
        assert why == "declared as version 1 (entry 1) and rejected by the follower: no room"

    def test_overtaken(self, repository: Git, book: Book) -> None:
        book.add(promoted("A", "1", position=repository.head()))
        book.add(promoted("B", "2"))
        assert "overtaken by entry 2" in waiting(repository, book, repository.head()).why

    def test_the_last_declaration_of_it_counts(self, repository: Git, book: Book) -> None:
        for _ in range(2):
            entry = book.add(promoted("A", "1", position=repository.head()))
        book.add(live(entry))
        assert "(entry 2) and live" in waiting(repository, book, repository.head()).why
