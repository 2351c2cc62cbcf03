"""Ways to draw rows whose truth is known: outcomes, and what one or two models say of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, logit, softmax

Random = np.random.Generator

POSITIVES, CHANGED, BETTER = 0.4, 0.1, 0.7


def two_classes(rate: float, apart: float, random: Random, n: int) -> Any:
    """Outcomes, and calibrated scores: normal evidence that lies `apart` for the classes."""
    positive = random.random(n) < rate
    evidence = random.normal(size=n) + apart * positive
    return positive, expit(logit(rate) + apart * evidence - apart**2 / 2)


def two_models(rate: float, apart: float, gain: float, random: Random, n: int) -> Any:
    """Outcomes, and the scores of two models whose evidence is much alike."""
    positive = random.random(n) < rate
    common = random.normal(size=n)
    other = 0.9 * common + np.sqrt(1 - 0.81) * random.normal(size=n)
    lean, more = common + apart * positive, other + (apart + gain) * positive
    return (
        positive,
        expit(logit(rate) + apart * lean - apart**2 / 2),
        expit(logit(rate) + (apart + gain) * more - (apart + gain) ** 2 / 2),
    )


def repeated(rows: int, draw: Callable[[Random, int], Any], random: Random, n: int) -> Any:
    """The same person several times: outcome and score alike, and whose row it is."""
    people = -(-n // rows)
    drawn = draw(random, people)
    units = np.repeat(np.arange(people), rows)[:n]
    return (*(part[units] for part in drawn), units)


def three_classes(random: Random, n: int) -> Any:
    actual = random.choice(3, size=n, p=[0.6, 0.3, 0.1])
    evidence = random.normal(size=(n, 3)) + 1.5 * np.eye(3)[actual]
    return actual, softmax(1.5 * evidence + np.log([0.6, 0.3, 0.1]), axis=1)


def three_classes_twice(random: Random, n: int) -> Any:
    """Of two models: the second one sees a little more, much of it the same."""
    actual = random.choice(3, size=n, p=[0.6, 0.3, 0.1])
    common, own = random.normal(size=(2, n, 3))
    other = 0.9 * common + np.sqrt(1 - 0.81) * own
    first, second = common + 1.5 * np.eye(3)[actual], other + 1.7 * np.eye(3)[actual]
    prior = np.log([0.6, 0.3, 0.1])
    return actual, softmax(1.5 * first + prior, axis=1), softmax(1.7 * second + prior, axis=1)


def long_tail(spread: float, random: Random, n: int) -> Any:
    """A skewed target, and predictions that err more where it is large."""
    actual = np.exp(spread * random.normal(size=n))
    return actual, actual * np.exp(0.3 * random.normal(size=n))


def normal(random: Random, n: int) -> Any:
    score = random.normal(size=n)
    return score + 0.5 * random.normal(size=n), score


def two_scores(spread: float, random: Random, n: int) -> Any:
    """A target, normal or skewed by `spread`, and predictions of two models, much alike."""
    evidence, *own, error = random.normal(size=(4, n))
    actual = evidence + 0.5 * error
    sides = [evidence + size * side for size, side in zip((0.3, 0.2), own, strict=True)]
    if not spread:
        return actual, *sides
    return tuple(np.exp(spread * side) for side in (actual, *sides))


def groups(count: int, gap: float, random: Random, n: int) -> Any:
    """Outcome, prediction and group; the last group is predicted positive more often."""
    group = random.integers(0, count, size=n)
    positive = random.random(n) < POSITIVES
    rate = np.where(positive, 0.7, 0.2) + gap * (group == count - 1)
    names = np.array([f"group {number:02}" for number in range(count)])
    return positive, random.random(n) < rate, names[group]


def groups_of_classes(count: int, gap: float, random: Random, n: int) -> Any:
    """Three classes; of the last group a class is found more often."""
    group = random.integers(0, count, size=n)
    actual = random.choice(3, size=n, p=[0.4, 0.35, 0.25])
    right = random.random(n) < 0.6 + gap * ((group == count - 1) & (actual == 1))
    other = (actual + random.integers(1, 3, size=n)) % 3
    names = np.array([f"group {number:02}" for number in range(count)])
    return actual, np.where(right, actual, other), names[group]


def groups_of_numbers(count: int, gap: float, random: Random, n: int) -> Any:
    """A number, predicted too high and less exactly in the last group."""
    group = random.integers(0, count, size=n)
    last = group == count - 1
    actual = random.gamma(4, 0.5, size=n)
    score = actual + gap * last + (0.5 + gap * last) * random.normal(size=n)
    names = np.array([f"group {number:02}" for number in range(count)])
    return actual, score, names[group]


def twice_by_group(draw: Callable[[Random, int], Any], random: Random, n: int) -> Any:
    """Two predictions of the same rows: in one row of three the second one is another draw's."""
    actual, before, group = draw(random, n)
    if actual.dtype.kind == "f":
        return actual, before, (before + actual + 0.2 * random.normal(size=n)) / 2, group
    changed = random.random(n) < 1 / 3
    return actual, before, np.where(changed & (random.random(n) < BETTER), actual, before), group


def two_predictions(count: int, gap: float, random: Random, n: int) -> Any:
    positive, before, group = groups(count, 0.0, random, n)
    changed = random.random(n) < CHANGED
    more = group == f"group {count - 1:02}"
    after = np.where(changed, random.random(n) < np.where(more, 0.45 + gap, 0.45), before)
    return positive, before, after, group
