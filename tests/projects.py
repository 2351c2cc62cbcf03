"""A small project for tests: a seeded table with the usual troubles, and its params.yaml."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from mergeline.config.load import load_settings
from mergeline.config.settings import Settings
from mergeline.stages.base import run_stage

SETTINGS: dict[str, Any] = {
    "project": "toy",
    "data": {
        "source": "data/customers.csv",
        "target": "left",
        "positive": "yes",
        "noun": "leaver",
        "id": "customer",
        "sensitive": ["sex"],
        "exclude": ["sex", "joined"],
    },
    "split": {"test": 0.3},
    "model": {"estimator": "sklearn.linear_model.LogisticRegression"},
    "evaluate": {"bootstrap": 100},
    "fairness": {"min_group": 20},
}


def make_frame(rows: int = 800, seed: int = 0) -> pd.DataFrame:
    """Customers who stay or leave: numbers, categories, a truth value, missing values.

    `NA` is a town, not a missing value; `visits` is whole and has missing values; men
    leave more often than women who are otherwise alike.
    """
    random = np.random.default_rng(seed)
    age = random.integers(18, 80, rows)
    income = np.exp(random.normal(10, 0.5, rows)).round(2)
    sex = random.choice(["female", "male"], rows)
    plan = random.choice(["basic", "plus", "pro"], rows, p=[0.5, 0.3, 0.2])
    visits = random.poisson(4, rows).astype(float)
    member = random.random(rows) < 0.4
    lean = 0.04 * (age - 45) - 0.3 * visits - 0.8 * member + 0.7 * (sex == "male")
    lean += 0.9 * (plan == "basic")
    left = random.random(rows) < 1 / (1 + np.exp(-lean))
    visits[random.random(rows) < 0.1] = np.nan
    income[random.random(rows) < 0.15] = np.nan
    town = pd.Series(random.choice(["NA", "Oslo", "Ålesund"], rows, p=[0.2, 0.5, 0.3]))
    return pd.DataFrame(
        {
            "customer": [f"C{number:06d}" for number in range(rows)],
            "joined": pd.date_range("2024-01-01", periods=rows, freq="6h"),
            "age": age,
            "income": income,
            "sex": sex,
            "plan": plan,
            "town": town.mask(random.random(rows) < 0.05),
            "visits": visits,
            "member": member,
            "left": np.where(left, "yes", "no"),
        }
    )


# What `data` says where the outcome of `outcome_frame` is predicted.
OUTCOME: dict[str, dict[str, Any]] = {
    task: {"task": task, "target": "outcome", "positive": None, "noun": None}
    for task in ("multiclass", "regression")
}


def outcome_frame(task: str, rows: int = 800, seed: int = 0) -> pd.DataFrame:
    """Return the customers with another outcome than leaving: one of three plans, or a sum spent.

    The plans depend on age, visits and sex and are told apart about two times in three; what
    men spend is less predictable than what women do.
    """
    frame = make_frame(rows, seed).drop(columns=["plan", "left"])
    random = np.random.default_rng(seed + 1)
    visits = frame["visits"].fillna(4)
    lean = 0.05 * (frame["age"] - 45) - 0.3 * (visits - 4) + 0.7 * (frame["sex"] == "male")
    if task == "multiclass":
        noisy = lean + random.logistic(0, 0.6, rows)
        names = np.array(["basic", "plus", "pro"])
        return frame.assign(outcome=names[np.digitize(noisy, [-0.6, 0.9])])
    spread = np.where(frame["sex"] == "male", 30.0, 15.0)
    return frame.assign(outcome=(200 + 40 * lean + random.normal(0, spread)).round(2))


def make_project(folder: Path, *, frame: pd.DataFrame | None = None, **overrides: Any) -> Path:
    """Write a project and return its root.

    Args:
        folder: Where to; made when it is not there.
        frame: The table; `make_frame()` unless given.
        overrides: By section of the settings: keys to change. A key that is None leaves
            the settings; a section that is not a mapping is taken as it is.
    """
    settings: dict[str, Any] = {**SETTINGS}
    for name, value in overrides.items():
        settings[name] = _merged(settings.get(name, {}), value)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(settings, file)
    write_source(make_frame() if frame is None else frame, folder / settings["data"]["source"])
    return folder


def _merged(section: Any, change: Any) -> Any:
    if not isinstance(change, dict):
        return change
    return {key: item for key, item in {**section, **change}.items() if item is not None}


def write_source(frame: pd.DataFrame, path: Path) -> None:
    """Write a table in the format that the file's name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        frame.to_parquet(path, index=False)
    elif name.endswith(".jsonl"):
        frame.to_json(path, orient="records", lines=True, date_format="iso")
    else:
        frame.to_csv(path, index=False, sep="\t" if name.endswith(".tsv") else ",")


def settings_of(root: Path) -> Settings:
    """Return the settings of a project."""
    return load_settings(root / "params.yaml")


def run_stages(root: Path, *names: str) -> Path:
    """Run stages in this process, one after the other, and return the root."""
    for name in names:
        run_stage(name, root)
    return root


# --- the repository's own example ----------------------------------------------------------------

_REPOSITORY = Path(__file__).parents[1]
_QUICKER = (
    ("checks: {sample: 10000}", "checks: {sample: 500}"),
    ("explain: {rows: 2000, budget_seconds: 60}", "explain: {rows: 100, budget_seconds: 20}"),
)


def quick_example(folder: Path) -> Path:
    """Make a checkout that holds the example, of which less is checked and explained."""
    for name in ("data/applications.parquet", "data/contract.yaml", "requirements/main.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_REPOSITORY / name, folder / name)
    text = (_REPOSITORY / "params.yaml").read_text()
    for old, new in _QUICKER:
        assert old in text
        text = text.replace(old, new)
    (folder / "params.yaml").write_text(text)
    return folder
