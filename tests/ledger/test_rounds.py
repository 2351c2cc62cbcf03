"""Random lives of a line: what History says must hold after every entry.

The expectations are kept beside it step by step, as the follower and a person would keep
them, not derived from the entries.
"""

import random
from dataclasses import dataclass, field

import pytest

from ledger.made import Book, chained, live, promoted, rejected, rolled_back, settled
from mergeline.ledger.chain import read_lines
from mergeline.ledger.entries import Declared, Live

ROUNDS, STEPS = 60, 80
ENVIRONMENTS = ("production", "staging")


@dataclass
class Person:
    """Somebody who watches one environment and remembers."""

    name: str
    stack: list[Declared] = field(default_factory=list)  # not rejected, the oldest first
    told: dict[int, str] = field(default_factory=dict)
    bars: list[tuple[int, str]] = field(default_factory=list)  # by the rollback's number
    done: list[tuple[int, str]] = field(default_factory=list)  # merges by declaration
    waiting: dict[int, str] = field(default_factory=dict)

    @property
    def desired(self) -> Declared | None:
        return self.stack[-1] if self.stack else None

    @property
    def position(self) -> str | None:
        return max(self.done)[1] if self.done else None

    @property
    def barred(self) -> set[str]:
        """Models that a rollback replaced and that nobody declared again, so that it stood."""
        return {
            model
            for number, model in self.bars
            if (self.desired is None or self.desired.release.model != model)
            and all(e.release.model != model for e in self.stack if e.number > number)
        }


def step(person: Person, book: Book, rng: random.Random, clock: int) -> None:
    environment, position = person.name, f"{clock:040x}"
    open_ones = [entry for entry in person.stack if entry.number not in person.told]
    once_live = [entry for entry in person.stack if person.told.get(entry.number) == "live"]
    choice = rng.random()
    if choice < 0.3 or not person.stack:
        model = rng.choice("ABCDE")
        entry = promoted(model, str(ord(model)), position=position, environment=environment)
        placed = book.add(entry)
        person.stack.append(placed)
        person.waiting[placed.number] = position
    elif choice < 0.45 and once_live:
        to, replaces = rng.choice(once_live), person.stack[-1]
        back = rolled_back(to=to, replaces=replaces, position=person.position)
        placed = book.add(back)
        person.stack.append(placed)
        person.bars.append((placed.number, replaces.release.model))
    elif choice < 0.55:
        placed = book.add(settled(position, environment=environment))
        person.done.append((placed.number, position))
    elif choice < 0.8 and open_ones:
        entry = rng.choice(open_ones)
        book.add(live(entry))
        person.told[entry.number] = "live"
        if entry.number in person.waiting:
            person.done.append((entry.number, person.waiting[entry.number]))
    elif open_ones:
        entry = rng.choice(open_ones)
        book.add(rejected(entry))
        person.told[entry.number] = "rejected"
        person.stack.remove(entry)


def check(person: Person, book: Book) -> None:
    history, name = book.history, person.name
    assert history.desired(name) == person.desired
    assert history.position(name) == person.position
    for entry in person.stack:
        outcome = history.outcome(entry)
        assert (outcome is not None) == (entry.number in person.told)
    reported = history.live(name)
    assert reported is None or reported.of in {entry.number for entry in person.stack}
    desired = person.desired
    barred = history.barred(name)
    assert barred == person.barred
    target = history.rollback_target(name)
    if target is not None:
        assert target in person.stack
        assert isinstance(history.outcome(target), Live)
        assert target.release.model not in barred
        assert desired is not None
        assert target.release.model != desired.release.model


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_what_is_said_holds_after_every_entry(seed: int) -> None:
    rng, book = random.Random(seed), Book()  # noqa: S311
    people = [Person(name) for name in ENVIRONMENTS]
    for clock in range(1, STEPS + 1):
        step(rng.choice(people), book, rng, clock)
        for person in people:
            check(person, book)
    assert len(read_lines(chained(*book.history.entries)).entries) == len(book.history.entries)
    assert len({entry.kind for entry in book.history.entries}) >= 4
