"""Make the example's data: applications for a loan, and whether each was paid back.

Run it with `python data/generate.py [--rows 20000] [--seed 7] [--out data/applications.parquet]`.

What is true in this world
--------------------------
Five traits of an applicant, each N(0, 1) and independent of each other, of sex, of age and
of everything else: debts D, affordability A (how large the loan is for the income), history
H (how short), employment E (how short) and lateness L. With the weights `WEIGHTS` (their
squares add up to 1) they make the risk r = sum of b_k * trait_k, and

    u = RHO * r + sqrt(1 - RHO^2) * noise,     default = 1 if u > t,     t = z(1 - BASE_RATE).

So sex and age are not related to default at all: every group has the base rate 22 %.
`purpose` and `region` are not related to anything.

What is recorded
----------------
    debt_ratio            0.3 * exp(0.5 * (D + BIAS * [female]))
    loan_amount           0.4 * income * exp(0.45 * A)
    credit_history_years  (age - 17) * Phi(-H)
    years_employed        (age - 16) * Phi(-E)^2
    late_payments         0 to 6, by cutting L at `LATE_CUTS`

**The bias** is in one column. Joint loans are booked in full on the file of a woman and
not on the file of a man: at equal debts D a woman's recorded debt ratio is
exp(0.5 * BIAS) = 1.57 times as high. A model that reads `debt_ratio` therefore
overestimates the risk of women, though it never sees their sex.

What follows, in closed form
----------------------------
Take the score of a lender who believes what is recorded and knows the weights: with the
traits that can be read back exactly from the columns (all but L), m = sum of b_k * trait_k
over them, q^2 = sum of their b_k^2, and

    P(default | m) = Phi((RHO * m - t) / sqrt(1 - RHO^2 * q^2)).

It reaches a threshold s where m >= c(s) = (t + sqrt(1 - RHO^2 * q^2) * z(s)) / RHO. Within
a sex, (m, u) is bivariate normal with variances q^2 and 1 and correlation RHO * q; u has
mean 0 for both, m has mean 0 for men and d = b_D * BIAS for women. Hence

    selection rate   Phi((d - c) / q)
    true positives   P(m >= c, u > t) / BASE_RATE          = B / BASE_RATE
    false positives  (selection rate - B) / (1 - BASE_RATE)

with B the upper orthant of a bivariate normal, and every gap between the sexes is a
difference of these. Without `debt_ratio` (or with `repaired` debts) d is 0, and so is
every true gap. `true_rates` computes them, `scorecard` scores the rows, and the tests hold
the measured gaps against the true ones. `data/README.md` has the numbers.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import multivariate_normal, norm

BASE_RATE = 0.22
RHO = 0.78
BIAS = 0.9
FEMALE = 0.45
WEIGHTS = {
    "debts": 0.25**0.5,
    "affordability": 0.32**0.5,
    "history": 0.25**0.5,
    "employment": 0.08**0.5,
    "lateness": 0.10**0.5,
}
READABLE = ("debts", "affordability", "history", "employment")
WITHOUT_DEBTS = READABLE[1:]

LATE_CUTS = (0.3, 0.9, 1.4, 1.8, 2.2, 2.6)
PURPOSES = {
    "car": 0.24,
    "home improvement": 0.21,
    "debt consolidation": 0.20,
    "education": 0.14,
    "medical": 0.12,
    "other": 0.09,
}
REGIONS = {"north": 0.22, "south": 0.20, "east": 0.18, "west": 0.25, "islands": 0.15}
MISSING = {"income": 0.03, "years_employed": 0.05, "credit_history_years": 0.02}
FIRST_DAY, DAYS = "2024-01-01", 731  # to 2025-12-31

Floats = np.ndarray[Any, np.dtype[np.float64]]


# --- the table -------------------------------------------------------------------


def generate(rows: int, seed: int) -> pd.DataFrame:
    """Return the applications, in order of time.

    Args:
        rows: How many.
        seed: Of NumPy's PCG64; equal arguments give equal tables.
    """
    random = np.random.default_rng(seed)
    day = np.sort(random.integers(0, DAYS, rows))
    female = random.random(rows) < FEMALE
    age = np.floor(18 + 58 * random.beta(1.6, 2.2, rows)).astype(np.int64)
    income = np.exp(10.3 + 0.75 * random.standard_normal(rows))
    traits = {name: random.standard_normal(rows) for name in WEIGHTS}
    frame = pd.DataFrame(
        {
            "application_id": [f"A{number:06d}" for number in range(1, rows + 1)],
            "applied_on": pd.Timestamp(FIRST_DAY) + pd.to_timedelta(day, unit="D"),
            "income": np.round(income, -1),
            "debt_ratio": np.round(0.3 * np.exp(0.5 * (traits["debts"] + BIAS * female)), 4),
            "years_employed": _part(age - 16, norm.cdf(-traits["employment"]) ** 2),
            "credit_history_years": _part(age - 17, norm.cdf(-traits["history"])),
            "late_payments": np.searchsorted(LATE_CUTS, traits["lateness"]),
            "loan_amount": np.round(0.4 * income * np.exp(0.45 * traits["affordability"]), -1),
            "purpose": random.choice(list(PURPOSES), rows, p=list(PURPOSES.values())),
            "region": random.choice(list(REGIONS), rows, p=list(REGIONS.values())),
            "age": age,
            "sex": np.where(female, "female", "male"),
            "default": _defaults(traits, random),
        }
    )
    for column, share in MISSING.items():
        frame[column] = frame[column].mask(random.random(rows) < share)
    return frame


def _part(years: Floats, share: Floats) -> Floats:
    """Return a share of some years to the hundredth, never none and never all of them."""
    return np.round(np.clip(years * share, 0.01, years - 0.01), 2)


def _defaults(traits: dict[str, Floats], random: np.random.Generator) -> Floats:
    risk = sum(WEIGHTS[name] * trait for name, trait in traits.items())
    u = RHO * risk + np.sqrt(1 - RHO**2) * random.standard_normal(len(risk))
    return (u > norm.isf(BASE_RATE)).astype(np.int64)


# --- the truth -------------------------------------------------------------------


def repaired(frame: pd.DataFrame) -> pd.Series:
    """Return the debt ratio without the bias: a woman's joint loans booked as a man's."""
    return frame["debt_ratio"] / np.exp(0.5 * BIAS * (frame["sex"] == "female"))


def scorecard(frame: pd.DataFrame, used: tuple[str, ...] = READABLE) -> Floats:
    """Return P(default) as the lender computes it who believes what is recorded, shape (n,).

    NaN where a column that it needs is missing.

    Args:
        frame: Applications.
        used: The traits that it uses, of `READABLE`.
    """
    age = frame["age"]
    traits = {
        "debts": np.log(frame["debt_ratio"] / 0.3) / 0.5,
        "affordability": np.log(frame["loan_amount"] / frame["income"] / 0.4) / 0.45,
        "history": -norm.ppf(frame["credit_history_years"] / (age - 17)),
        "employment": -norm.ppf(np.sqrt(frame["years_employed"] / (age - 16))),
    }
    m = sum(WEIGHTS[name] * np.asarray(traits[name]) for name in used)
    q = _spread(used)
    return norm.cdf((RHO * m - norm.isf(BASE_RATE)) / np.sqrt(1 - (RHO * q) ** 2))


def _spread(used: tuple[str, ...]) -> float:
    return float(np.sqrt(sum(WEIGHTS[name] ** 2 for name in used)))


@dataclass(frozen=True)
class Rates:
    """The true rates of one sex under a scorecard and a threshold."""

    selection_rate: float
    true_positive_rate: float
    false_positive_rate: float


def true_rates(threshold: float, used: tuple[str, ...] = READABLE) -> dict[str, Rates]:
    """Return the rates by sex of `scorecard(frame, used) >= threshold`, in closed form."""
    q, t = _spread(used), norm.isf(BASE_RATE)
    cut = (t + np.sqrt(1 - (RHO * q) ** 2) * norm.ppf(threshold)) / RHO
    shift = WEIGHTS["debts"] * BIAS if "debts" in used else 0.0
    both = multivariate_normal(cov=[[1, RHO * q], [RHO * q, 1]])
    result = {}
    for sex, mean in (("female", shift), ("male", 0.0)):
        selected = float(norm.cdf((mean - cut) / q))
        right = float(both.cdf([(mean - cut) / q, -t]))
        result[sex] = Rates(selected, right / BASE_RATE, (selected - right) / (1 - BASE_RATE))
    return result


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description="Make the example's data.")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "applications.parquet")
    options = parser.parse_args()
    frame = generate(options.rows, options.seed)
    frame.to_parquet(options.out, index=False, compression="zstd")
    print(f"{options.out}: {len(frame)} rows, {frame['default'].mean():.1%} defaults")


if __name__ == "__main__":
    main()
