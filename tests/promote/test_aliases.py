"""The aliases, made from the ledger; against real MLflow."""

import pytest

from ledger.made import Book, live, promoted, rejected, rolled_back, settled, sha
from mergeline.errors import RegistryMismatch, RegistryUnavailable, ToolError
from mergeline.ledger.history import History
from mergeline.promote.aliases import aliases_of, follow_ledger, set_aliases
from registries import Place

FILES = {"model/MLmodel": b"{}"}


def tell(*steps):
    """A ledger, told in short.

    `1`: version 1 went live; `-2`: version 2 was rejected; `(1, 3)`: back to 1 from 3.
    """
    book, found = Book(), {}
    for step in steps:
        if isinstance(step, tuple):
            back, replaced = (found[version] for version in step)
            book.goes_live(rolled_back(back, replaced))
        else:
            version = abs(step)
            declared = promoted(f"model {version}", str(version))
            found[version] = book.add(declared)
            book.add((live if step > 0 else rejected)(found[version]))
    return book


@pytest.fixture
def registry(place):
    """Three versions."""
    found = place.registry()
    for number in (1, 2, 3):
        found.create(sha(str(number)), FILES, {})
    return found


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), {}),
        ((-1,), {}),
        ((1,), {"champion": "1"}),
        ((1, 2), {"champion": "2", "previous": "1"}),
        ((1, 2, 3), {"champion": "3", "previous": "2"}),
        ((1, 2, -3), {"champion": "2", "previous": "1"}),
        ((1, -2, 3), {"champion": "3", "previous": "1"}),
        ((1, 2, 3, (2, 3)), {"champion": "2", "previous": "1"}),
        ((1, 2, (1, 2)), {"champion": "1"}),
        ((1, 2, (1, 2), 3), {"champion": "3", "previous": "1"}),
        ((1, 2, (1, 2), 2), {"champion": "2", "previous": "1"}),
    ],
)
def test_the_aliases_are_what_the_ledger_says(steps, expected):
    assert aliases_of(tell(*steps).history, "production") == expected


def test_another_environment_and_a_settled_merge_change_nothing():
    book = tell(1, 2)
    book.add(settled("c" * 40))
    book.goes_live(promoted("model 3", "3", environment="staging"))
    assert aliases_of(book.history, "production") == {"champion": "2", "previous": "1"}
    assert aliases_of(book.history, "staging") == {"champion": "3"}
    assert aliases_of(book.history, "nowhere") == {}


def test_what_waits_for_the_server_is_not_champion():
    book = tell(1, 2)
    book.add(promoted("model 3", "3"))
    # A rollback now returns to what answers requests.
    assert aliases_of(book.history, "production") == {"champion": "2", "previous": "2"}


def test_aliases_follow_the_ledger_step_by_step(registry):
    registry.set_alias("theirs", "1")
    for steps, champion, previous in (
        ((1,), "1", None),
        ((1, 2), "2", "1"),
        ((1, 2, 3), "3", "2"),
        ((1, 2, 3, (2, 3)), "2", "1"),
        ((1, 2, 3, (2, 3), (1, 2)), "1", None),
    ):
        history = tell(*steps).history
        wanted = {"champion": champion} | ({"previous": previous} if previous else {})
        assert set_aliases(registry, history, "production") == wanted
        assert registry.aliases() == wanted | {"theirs": "1"}


def test_doing_it_again_writes_nothing(proxy, tmp_path):
    registry = Place(proxy.uri, tmp_path).registry()
    for number in (1, 2):
        registry.create(sha(str(number)), FILES, {})
    history = tell(1, 2).history
    set_aliases(registry, history, "production")
    before = len(proxy.seen)
    set_aliases(registry, history, "production")
    assert [answer.method for answer in proxy.seen[before:]] == ["GET"]


def test_wrong_and_old_aliases_are_corrected(registry):
    registry.set_alias("champion", "3")
    registry.set_alias("previous", "2")
    set_aliases(registry, tell(1).history, "production")
    assert registry.aliases() == {"champion": "1"}
    set_aliases(registry, History(), "production")
    assert registry.aliases() == {}


def test_a_version_that_is_gone_is_named(registry):
    registry.delete("2")
    with pytest.raises(RegistryMismatch, match="version 2 the champion"):
        set_aliases(registry, tell(1, 2).history, "production")
    assert registry.aliases() == {}


def test_a_registry_that_is_away_is_an_error_and_is_mended(proxy, tmp_path):
    registry = Place(proxy.uri, tmp_path).registry()
    for number in (1, 2):
        registry.create(sha(str(number)), FILES, {})
    # Done, and not answered.
    proxy.change = lambda answer: (503, b"") if answer.method == "POST" else None
    with pytest.raises(RegistryUnavailable):
        set_aliases(registry, tell(1, 2).history, "production")
    proxy.change = lambda _: None
    set_aliases(registry, tell(1, 2).history, "production")
    assert registry.aliases() == {"champion": "2", "previous": "1"}


def test_a_ledger_that_moved_on_meanwhile_is_followed(registry):
    told = [tell(1).history, tell(1, 2).history, tell(1, 2, 3).history, tell(1, 2, 3).history]
    assert follow_ledger(registry, lambda: told.pop(0), "production") == {
        "champion": "3",
        "previous": "2",
    }
    assert told == []
    assert registry.aliases() == {"champion": "3", "previous": "2"}


def test_a_ledger_that_never_rests_is_given_up(registry):
    turns = iter(range(1000))
    with pytest.raises(ToolError, match="changed 10 times"):
        follow_ledger(registry, lambda: tell(1 + next(turns) % 2).history, "production")
