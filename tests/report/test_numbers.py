import pytest

from mergeline.core.base import Estimate
from mergeline.report.numbers import (
    bar,
    change,
    estimate,
    exact,
    joined,
    number,
    percent,
    plural,
    points,
    seconds,
    signed,
    size,
    sparkline,
)


@pytest.mark.parametrize(
    ("value", "limit", "expected"),
    [
        (0.8123, None, "0.812"),
        (0.0, None, "0"),
        (1.0, None, "1"),
        (4.0, 4.0, "4"),
        (-0.0, None, "0"),
        (0.0004, None, "0.0004"),
        (-0.0004, None, "-0.0004"),
        (0.00000012, None, "1.2e-07"),
        (0.7497, 0.75, "0.7497"),
        (0.75004, 0.75, "0.75004"),
        (0.75, 0.75, "0.750"),
        (-0.0101, -0.01, "-0.0101"),
        (123.456, None, "123.5"),
        (12_345.6, None, "12,346"),
        (13_270.42, None, "13,270"),
        (13_270.42, 13_270.0, "13,270.4"),
        (13_269.98, 13_270.0, "13,269.98"),
        (-2_999.6, -3_000.0, "-2,999.6"),
        (99.9999, 100.0, "99.9999"),
        (100.04, 100.0, "100.04"),
        (3_000.0, 3_000.0, "3,000"),
        (1e300, None, "1e+300"),
        (0.1 + 0.2, 0.3, "0.30000000000000004"),
    ],
)
def test_number(value, limit, expected):
    assert number(value, limit=limit) == expected


def test_a_number_is_never_rounded_onto_its_limit():
    for step in range(1, 200):
        value = 0.75 - step * 1e-5
        assert float(number(value, limit=0.75)) < 0.75


def test_a_large_number_is_never_rounded_onto_its_limit():
    for step in range(1, 200):
        value = 13_270 - step * 1e-3
        assert float(number(value, limit=13_270.0).replace(",", "")) < 13_270


def test_signs():
    assert (signed(0.0182), signed(-0.0041), signed(0.0)) == ("+0.018", "-0.004", "0")
    assert (change(0.5, 0.4), change(0.5, 0.5), change(None, 0.5)) == ("+0.100", "no change", "")
    assert change(11_230.2, 11_226.9) == "+3"
    assert change(18_236.0, 18_236.0 + 3.6e-12) == "no change"
    assert change(18_236.2, 18_236.0) == "+0.2"


@pytest.mark.parametrize(
    ("value", "sign", "expected"),
    [
        (0.75, False, "0.75"),
        (2_600.0, False, "2,600"),
        (1_234_567.5, False, "1,234,567.5"),
        (100.0, True, "+100"),
        (-0.01, True, "-0.01"),
    ],
)
def test_limits_stand_as_they_were_written(value, sign, expected):
    assert exact(value, sign=sign) == expected


def test_estimates():
    measured = Estimate(value=0.8123, low=0.797, high=0.8259, n=10)
    assert estimate(measured) == "0.812 (0.797 to 0.826)"
    assert estimate(measured, sign=True) == "+0.812 (+0.797 to +0.826)"
    assert estimate(Estimate(value=0.5, n=3)) == "0.500"
    # All three get as many decimals as the largest.
    large = Estimate(value=-271.12, low=-461.62, high=0.52, n=10)
    assert estimate(large, sign=True) == "-271.1 (-461.6 to +0.5)"
    near = Estimate(value=2600.32, low=2290.0, high=2910.7, n=10)
    assert estimate(near, limit=2600) == "2,600.3 (2,290 to 2,911)"
    assert estimate(Estimate(value=None, n=0, reason="one class")) == "not measured"


def test_an_interval_that_only_just_leaves_zero_does_not_seem_to_hold_it():
    measured = Estimate(value=0.004, low=0.0002, high=0.008, n=10)
    assert estimate(measured, sign=True) == "+0.004 (+0.0002 to +0.008)"


def test_words():
    assert (plural(1, "row"), plural(2_000, "row")) == ("1 row", "2,000 rows")
    assert (joined([]), joined(["a"]), joined(["a", "b", "c"])) == ("", "a", "a, b and c")
    assert (percent(1, 3), percent(0, 0)) == ("33.3 %", "0.0 %")
    assert (seconds(3.21), seconds(125.0)) == ("3.2 s", "2 min 5 s")
    assert (size(812), size(1_234), size(3_400_000)) == ("812 B", "1.2 kB", "3.4 MB")


def test_bars():
    assert (bar(1.0), bar(0.5), bar(0.25), bar(0.0)) == ("█" * 10, "█" * 5, "██▌", "▏")
    assert (bar(7.0), bar(-1.0)) == ("█" * 10, "▏")
    lengths = [len(bar(share / 100)) for share in range(101)]
    assert lengths == sorted(lengths)


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ((0, 1, 2, 4), "▁▃▅█"),
        ((5, 5), "██"),
        ((0, 0), "▁▁"),
        ((-3, 7), "▁█"),
        ((), ""),
    ],
)
def test_sparkline(values, drawn):
    assert sparkline(values) == drawn


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [(0.41, 0.1, "+31.0 points"), (0.1, 0.134, "-3.4 points"), (0.2, 0.20001, "same")],
)
def test_points(now, before, expected):
    assert points(now, before) == expected
