import pytest

from mergeline.core.base import Estimate
from mergeline.core.verdict import GateResult, Judgement, Outcome, Verdict
from mergeline.ledger.chain import line_of, read_lines
from mergeline.ledger.history import History
from mergeline.ledger.seen import GATES, NAME, gates_seen, kept_name, last_lines, push_before

from . import made


def judged(*gates: GateResult) -> Judgement:
    return Judgement(
        outcome=Outcome.PASSED,
        verdict=Verdict(outcome=Outcome.PASSED, gates=gates),
        proposed=None,
        answer="PROMOTE",
        banners=(),
    )


def gate(name: str, outcome: Outcome = Outcome.PASSED, value: float | None = 0.5) -> GateResult:
    measured = None if value is None else Estimate(value=value, n=9)
    return GateResult(name=name, rule="r", outcome=outcome, measured=measured)


def test_outcome_and_value_are_kept() -> None:
    found = gates_seen(judged(gate("a"), gate("b", Outcome.FAILED, None)))
    assert {name: (seen.outcome, seen.value) for name, seen in found.items()} == {
        "b": (Outcome.FAILED, None),
        "a": (Outcome.PASSED, 0.5),
    }


@pytest.mark.parametrize("letter", ["x", "é", "漢", "😀", "\\", '"', "\x01", "\ud800"])
def test_a_line_stays_small_whatever_gates_are_called(letter: str) -> None:
    many = [gate(f"{letter * 5_000}{number}") for number in range(500)]
    worst = gate("the worst", Outcome.ERRORED)
    kept = gates_seen(judged(*many, worst))
    assert len(kept) == GATES
    assert next(iter(kept)) == "the worst"
    assert all(len(name.encode()) <= NAME for name in kept)
    line = line_of(made.reviewed(gates=kept))
    assert len(line.encode()) < 12_000
    assert read_lines(f"{line}\n".encode()).entries == (made.reviewed(gates=kept),)


def test_long_names_that_begin_alike_stay_two() -> None:
    assert kept_name("x" * 200 + "a") != kept_name("x" * 200 + "b")
    assert kept_name("x" * NAME) == "x" * NAME


def test_a_line_of_before_is_what_it_was() -> None:
    assert '"gates"' not in line_of(made.reviewed())


def test_the_push_before_is_the_last_other_head() -> None:
    first = made.reviewed(
        12, "A", commit=made.commit_id("one"), gates=gates_seen(judged(gate("a")))
    )
    other = made.reviewed(13, "C", commit=made.commit_id("three"))
    group = made.reviewed(12, "B", commit=made.commit_id("g"), head=made.commit_id("two"))
    again = made.reviewed(12, "B", commit=made.commit_id("two"))
    history = History((first, other, group, again))
    found = push_before(history, 12, made.commit_id("two"))
    assert found is not None
    assert (found.commit, found.model, found.gates) == (first.commit, first.model, first.gates)
    later = push_before(history, 12, made.commit_id("new"))
    assert later is not None
    assert (later.commit, later.gates) == (again.commit, None)
    assert push_before(history, 14, made.commit_id("two")) is None


def test_the_last_entries_carry_the_hashes_of_their_lines() -> None:
    entries = [made.reviewed(number, "A") for number in range(1, 26)]
    history = read_lines(made.chained(*entries))
    lines = last_lines(history, lambda entry: f"said {entry.number}")
    assert [line.number for line in lines] == list(range(25, 5, -1))
    assert lines[0].said == "said 25"
    for entry, line in zip(history.entries[1:][::-1], lines[1:], strict=False):
        assert line.sha256 == entry.previous
    assert last_lines(History(), str) == ()
