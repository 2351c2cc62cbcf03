import numpy as np
import pandas as pd
import pytest

from mergeline.core.evidence import PROXY_FLOOR
from mergeline.stages.shapley.proxies import find_proxies

ROWS = 3_000


def table(seed: int = 0) -> pd.DataFrame:
    """Titles tell the sex, heights some of it, incomes nothing."""
    draw = np.random.default_rng(seed)
    women = draw.random(ROWS) < 0.5
    title = np.where(women, "Ms", "Mr")
    other = draw.random(ROWS) < 0.05
    return pd.DataFrame(
        {
            "sex": np.where(women, "female", "male"),
            "title": np.where(other, "Dr", title),
            "height": draw.normal(np.where(women, 166, 179), 8),
            "income": draw.normal(3_000, 500, ROWS),
            "age": draw.integers(18, 80, ROWS),
        }
    )


def found(*features: str, sensitive: tuple[str, ...] = ("sex",), **bins: list[float]):
    return find_proxies(table(), table(1), features, sensitive, bins)


def test_what_tells_a_sensitive_column_is_named_best_first() -> None:
    proxies = found("income", "height", "title")
    assert [(proxy.column, proxy.of) for proxy in proxies] == [("title", "sex"), ("height", "sex")]
    assert proxies[0].score == pytest.approx(0.9975, abs=0.002)
    assert PROXY_FLOOR < proxies[1].score < proxies[0].score


def test_a_column_is_no_proxy_of_itself() -> None:
    assert found("sex", "age", sensitive=("sex", "age"), age=[18, 40, 60, 80]) == ()


def test_of_several_groups_the_one_it_tells_best_is_named() -> None:
    frame, other = table(), table(1)
    for each in (frame, other):
        each["decade"] = each["age"] // 10
    (proxy,) = find_proxies(frame, other, ["decade", "income"], ["age"], {"age": [18, 40, 60, 80]})
    assert (proxy.column, proxy.of) == ("decade", "age")
    assert proxy.group in ("[18, 40)", "[40, 60)", "[60, 80)")


def test_missing_values_and_flags_count() -> None:
    frame, other = table(), table(1)
    for each in (frame, other):
        each["known"] = pd.array(np.where(each["sex"] == "male", True, None), dtype="boolean")
        each["note"] = each["income"].where(each["sex"] == "male", np.inf)
    proxies = find_proxies(frame, other, ["known", "note"], ["sex"], {})
    assert [proxy.column for proxy in proxies] == ["known", "note"]
    assert proxies[0].score == pytest.approx(1.0, abs=0.01)


def test_chance_makes_no_proxy() -> None:
    small = table().head(60)
    assert find_proxies(small, table(1).head(60), ["income"], ["sex"], {}) == ()


def test_a_column_of_one_group_or_of_a_hundred_has_none() -> None:
    frame = table().assign(sex="female")
    assert find_proxies(frame, frame, ["title"], ["sex"], {}) == ()
    many = table().assign(sex=[str(number % 100) for number in range(ROWS)])
    assert find_proxies(many, many, ["income"], ["sex"], {}) == ()
