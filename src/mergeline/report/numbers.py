"""Numbers as a reader wants them: three decimals, more only where rounding would mislead."""

from collections.abc import Iterable, Sequence
from math import isclose

from mergeline.core.base import Estimate

_MOST_DECIMALS = 6
_THOUSAND, _MEGA, _HUNDRED = 1000, 1_000_000, 100
_ABSURD = 1e12
_MINUTE = 60
_SAME = 1e-12
_EIGHTHS = " ▏▎▍▌▋▊▉"
_COLUMNS = "▁▂▃▄▅▆▇█"


def number(value: float, *, limit: float | None = None, among: float = 0.0) -> str:
    """Return a number with three decimals; from 100 on with one, from 1,000 on with none.

    More are given where it would read as zero, or as the limit that it is beside: a
    metric of 0.7497 under a floor of 0.75 must not read 0.750.

    Args:
        value: The number.
        limit: It stands beside this one.
        among: The largest of the numbers that it stands with: they get as many decimals.
    """
    value = value or 0.0  # no minus zero
    if abs(value) >= _ABSURD:
        return f"{value:.3g}"
    if float(value).is_integer():
        return f"{value:,.0f}"
    near = (0.0,) if limit is None else (0.0, limit)
    for decimals in range(_decimals(max(abs(value), among)), _MOST_DECIMALS + 1):
        if not any(_rounds_onto(value, other, decimals) for other in near):
            return f"{value:,.{decimals}f}"
    beside = limit is not None and _rounds_onto(value, limit, _MOST_DECIMALS)
    return repr(value) if beside else f"{value:.2g}"


def _decimals(value: float) -> int:
    if abs(value) >= _HUNDRED:
        return 0 if abs(value) >= _THOUSAND else 1
    return 3


def signed(value: float, *, limit: float | None = None, among: float = 0.0) -> str:
    """Return a difference: a number with its sign."""
    return f"{'+' if value > 0 else ''}{number(value, limit=limit, among=among)}"


def exact(value: float, *, sign: bool = False) -> str:
    """Return a number as somebody wrote it into the settings: `0.75`, `2,600`."""
    return f"{value:{'+' if sign else ''},.12g}"


def estimate(measured: Estimate, *, limit: float | None = None, sign: bool = False) -> str:
    """Return value and interval: `0.812 (0.797 to 0.826)`; `not measured` without a value."""
    if measured.value is None:
        return "not measured"
    show = signed if sign else number
    if measured.low is None or measured.high is None:
        return show(measured.value, limit=limit)
    found = (measured.value, measured.low, measured.high)
    among = max(map(abs, found))
    value, low, high = (show(each, limit=limit, among=among) for each in found)
    return f"{value} ({low} to {high})"


def change(now: float | None, before: float | None) -> str:
    """Return the difference of two numbers, empty where one is missing."""
    if now is None or before is None:
        return ""
    # Sums of the same numbers in another order differ in their last bits.
    if isclose(now, before, rel_tol=_SAME):
        return "no change"
    return signed(now - before, among=max(abs(now), abs(before)))


def percent(part: float, whole: float, *, decimals: int = 1) -> str:
    """Return a share: `22.0 %`."""
    return f"{100 * part / whole if whole else 0.0:.{decimals}f} %"


def points(now: float, before: float) -> str:
    """Return the difference of two shares of one: `+3.1 points`, `same`."""
    moved = f"{100 * (now - before):+.1f}"
    return "same" if float(moved) == 0 else f"{moved} points"


def plural(count: int, noun: str, several: str = "") -> str:
    """Return `1 row`, `2,000 rows`; `several` is the plural where it takes more than an s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {several or f'{noun}s'}"


def joined(words: Iterable[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    *most, last = tuple(words) or ("",)
    return f"{', '.join(most)} and {last}" if most else last


def seconds(value: float) -> str:
    """Return a duration: `3.2 s`, `2 min 5 s`."""
    if value < _MINUTE:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), _MINUTE)
    return f"{minutes} min {rest} s"


def size(count: int) -> str:
    """Return bytes as `812 B`, `1.2 kB`, `3.4 MB`."""
    if count < _THOUSAND:
        return f"{count} B"
    if count < _MEGA:
        return f"{count / _THOUSAND:.1f} kB"
    return f"{count / _MEGA:.1f} MB"


def bar(share: float, *, width: int = 10) -> str:
    """Return a bar for a share of one: ten characters are the whole."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).strip() or "▏"


def sparkline(values: Sequence[float]) -> str:
    """Return a column of one character for each value; the largest fills it, zero is the least.

    Negative values are drawn as zero.
    """
    most = max(values, default=0.0)
    last = len(_COLUMNS) - 1
    return "".join(
        _COLUMNS[round(last * max(value, 0.0) / most) if most > 0 else 0] for value in values
    )


def _rounds_onto(value: float, other: float, decimals: int) -> bool:
    return value != other and round(value, decimals) == round(other, decimals)
