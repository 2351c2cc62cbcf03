"""Distances of columns: against SciPy, by the definition, and how seldom chance is above."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from mergeline.stats.distance import (
    CUTS,
    Sketch,
    distance,
    noise,
    sketch_categories,
    sketch_numbers,
)


def apart(before: np.ndarray, after: np.ndarray) -> float:
    sketch = sketch_numbers(before)
    return distance(sketch, sketch_numbers(after, np.array(sketch.cuts)))


def named(values: list[object]) -> Sketch:
    return sketch_categories(pd.Series(values, dtype=object))


@pytest.mark.parametrize("decimals", [0, 1, 9])
@pytest.mark.parametrize("shift", [0, 0.3, 5])
def test_the_distance_of_numbers_is_scipys(decimals: int, shift: float) -> None:
    random = np.random.default_rng(3)
    before = random.normal(size=CUTS).round(decimals)
    after = (random.normal(size=700) + shift).round(decimals)
    expected = ks_2samp(before, after).statistic
    assert apart(before, after) == pytest.approx(expected, abs=1e-12)


def test_of_many_values_it_is_a_little_smaller() -> None:
    random = np.random.default_rng(3)
    before, after = random.normal(size=30_000), random.normal(size=20_000) * 1.3
    expected = ks_2samp(before, after).statistic
    assert expected - 1 / CUTS <= apart(before, after) <= expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([1.0, 1.0], [1.0, 1.0], 0),
        ([1.0, 1.0], [0.5, 0.5], 1),
        ([1.0, 1.0], [1.5, 1.5], 1),
        ([1.0, 2.0], [1.0, np.nan], 0.5),
        ([np.nan, np.nan], [np.nan, np.nan], 0),
        ([np.nan, np.nan], [1.0, 2.0], 1),
        ([np.inf, 1.0], [1.0, -np.inf], 0.5),
    ],
)
def test_missing_and_endless_numbers(
    before: list[float], after: list[float], expected: float
) -> None:
    assert apart(np.array(before), np.array(after)) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (["a", "b"], ["b", "a"], 0),
        (["a", "b"], ["a", "a"], 0.5),
        (["a", "b"], ["c", "d"], 1),
        (["a", "a", "b", "b"], ["a", "b", "c", None], 0.5),
        (["a", None], [None, "a"], 0),
        ([1, 2], [1.0, 2.0], 0),
        ([True, False], ["true", "false"], 0),
    ],
)
def test_the_distance_of_categories_is_half_the_differences(
    before: list[object], after: list[object], expected: float
) -> None:
    assert distance(named(before), named(after)) == pytest.approx(expected, abs=1e-12)


def test_many_categories_are_put_together_and_none_is_lost() -> None:
    before = named([f"c{number}" for number in range(5000)])
    assert len(before.counts) <= 1000
    assert sum(before.counts.values()) == 5000
    assert distance(before, before) == 0
    few = named(["new"] * 10)
    assert distance(before, few) == pytest.approx(distance(few, before), abs=1e-12)
    assert distance(before, few) > 0.9


@pytest.mark.parametrize("sizes", [(4000, 4000), (4000, 900)])
def test_chance_stays_under_the_noise_of_thousands_of_categories(sizes: tuple[int, int]) -> None:
    """Whichever are kept, they are not those that happen to be frequent in one sample."""
    random = np.random.default_rng(5)
    for _ in range(5):
        old, new = (
            sketch_categories(pd.Series(random.integers(0, 3000, rows)).astype(str))
            for rows in sizes
        )
        assert distance(old, new) <= noise(old, new, 1)


@pytest.mark.parametrize("kind", ["numbers", "few values", "categories", "many categories"])
def test_chance_stays_under_the_noise(kind: str) -> None:
    """95 of 100 pairs of samples from one table, whatever its values are."""
    random = np.random.default_rng(5)

    def sample(rows: int) -> "np.ndarray":
        if kind == "numbers":
            return random.normal(size=rows)
        most = {"few values": 4, "categories": 4, "many categories": 300}[kind]
        return random.integers(0, most, rows).astype(float)

    above = 0
    for _ in range(300):
        first, second = sample(400), sample(250)
        if "categories" in kind:
            old, new = (sketch_categories(pd.Series(side)) for side in (first, second))
        else:
            old = sketch_numbers(first)
            new = sketch_numbers(second, np.array(old.cuts))
        above += distance(old, new) > noise(old, new, 1)
    assert above <= 0.05 * 300 + 8


def test_noise_grows_with_comparisons_and_falls_with_rows() -> None:
    small, large = (sketch_numbers(np.arange(float(rows))) for rows in (100, 10_000))
    assert noise(small, small, 1) < noise(small, small, 20) < 1
    assert noise(large, large, 20) < noise(small, small, 1)
    assert noise(small, small, 1) == pytest.approx(1.3581 * (2 / 100) ** 0.5, abs=1e-4)
    assert noise(sketch_numbers(np.array([])), small, 1) == 1


def test_a_sketch_comes_back_from_its_file() -> None:
    for sketch in (sketch_numbers(np.array([1.0, np.nan, np.inf])), named(["a", None, 'q"\n'])):
        assert Sketch.model_validate_json(sketch.model_dump_json()) == sketch
