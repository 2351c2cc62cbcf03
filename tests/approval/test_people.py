"""Who wrote a pull request: by account, by trailer, by name and address."""

import pytest

from mergeline.adapters.github_types import Pull, PullCommit
from mergeline.approval.people import Person, writers_of

HEAD = "a" * 40


def pull(author: str | None = "ann") -> Pull:
    return Pull(
        number=7,
        title="A better model",
        author=author,
        state="closed",
        merged=True,
        merge_commit="c" * 40,
        base_ref="main",
        head_sha=HEAD,
        head_ref="better",
        head_repository="acme/credit",
        created="2026-11-20T10:00:00Z",
    )


def commit(
    author: str | None = "ann",
    committer: str | None = "ann",
    name: str = "Ann",
    email: str = "ann@example.org",
    message: str = "Better",
) -> PullCommit:
    return PullCommit(
        sha=HEAD,
        author=author,
        committer=committer,
        author_name=name,
        author_email=email,
        message=message,
    )


@pytest.mark.parametrize(
    ("by", "writer"),
    [
        (commit(), "ann"),
        (commit(author="bob"), "bob"),
        (commit(committer="bob"), "bob"),
        (commit(author="BOB"), "bob"),
        (commit(message="Better\n\nCo-authored-by: B <12345+bob@users.noreply.github.com>"), "bob"),
        (commit(message="Better\n\nCo-authored-by: B <bob@users.noreply.github.com>"), "bob"),
        (commit(message="x\r\n\r\nco-AUTHORED-by:B<1+Bob@users.noreply.ghe.example>\r\n"), "bob"),
        (commit(message="Co-authored-by: B <b@x.org>\nCo-authored-by: <bob@y.org>"), "bob"),
        (commit(author=None, name="Robert  Tables"), "bob"),
        (commit(author=None, email="BOB@Y.org"), "bob"),
        (commit(message="Better\n\nCo-authored-by: robert tables <other@z.org>"), "bob"),
    ],
)
def test_who_had_a_hand_in_a_commit_is_a_writer(by: PullCommit, writer: str) -> None:
    people = {
        "ann": Person("ann", "Ann", "ann@example.org"),
        "bob": Person("Bob", "Robert Tables", "bob@y.org"),
    }
    writers = writers_of(pull(), [by])
    assert writers.include(people[writer])


@pytest.mark.parametrize(
    "by",
    [
        commit(),
        commit(committer="web-flow"),
        # The account is known: its name is anybody's.
        commit(author="ann", name="Robert Tables"),
        commit(author=None, name="Robert Tables II", email="bob@y.org.example"),
        commit(message="Thanks to Robert Tables <bob@y.org>"),
        commit(message="Reviewed-by: Robert Tables <bob@y.org>"),
    ],
)
def test_others_are_not(by: PullCommit) -> None:
    writers = writers_of(pull(), [by])
    assert not writers.include(Person("bob", "Robert Tables", "bob@y.org"))


def test_what_is_hidden_is_nobodys_name() -> None:
    writers = writers_of(pull(None), [commit(author=None, committer=None, name=" ", email="")])
    assert not writers.include(Person("bob", "", ""))
    assert not writers.include(Person("bob", None, None))


def test_who_opened_it_is_a_writer_without_a_commit() -> None:
    assert writers_of(pull("Bob"), []).include(Person("bob"))
