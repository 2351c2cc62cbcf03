"""What a release was made from: each link by evidence, verdict or commit that say otherwise."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mergeline.core.base import Estimate
from mergeline.project.template import PINS
from mergeline.release.fetched import VERDICT_FILE, Files, download
from mergeline.release.find import Declaration, find_release
from mergeline.release.link import Link
from mergeline.release.made_from import made_from_links
from promote.scenario import PRODUCTION, Builds, Scenario, commit_files, fresh
from release.dvc_data import SOURCE, cached, change_in_place, move_to_dvc

Given = tuple[Scenario, Declaration, Files]


@pytest.fixture(scope="module")
def standing(
    first_line: Path, tmp_path_factory: pytest.TempPathFactory, builds: Builds
) -> Iterator[Given]:
    """The first release and its files; nobody changes either."""
    folder = tmp_path_factory.mktemp("standing")
    for scenario in fresh(first_line, folder / "line", builds, 10):
        scenario.fetch()
        declaration = find_release(scenario.history, PRODUCTION, None)
        yield scenario, declaration, download(scenario.registry, declaration.release, folder)


def links(given: Given, **changes: Any) -> dict[str, Link]:
    """The links that do not hold."""
    scenario, declaration, files = given
    found = made_from_links(scenario.git, declaration, replace(files, **changes))
    return {link.name: link for link in found if link.state != "holds"}


def measured(given: Given, stage: str, **changes: Any) -> dict[str, Any]:
    """Files with other evidence of one stage."""
    evidence = given[2].evidence
    item = getattr(evidence, stage)
    content = item.content.model_copy(update=changes)
    other = evidence.model_copy(update={stage: item.model_copy(update={"content": content})})
    return {"evidence": other, stage: content}


def at(given: Given, commit: str) -> Given:
    """The same release, said to be of another commit."""
    scenario, declaration, files = given
    release = declaration.release.model_copy(update={"commit": commit})
    declared = declaration.declared.model_copy(update={"release": release})
    return scenario, replace(declaration, declared=declared), files


def test_everything_holds(standing: Given) -> None:
    assert links(standing) == {}


# --- evidence ------------------------------------------------------------------------------


def test_a_gate_that_fails_when_it_is_judged_again(standing: Given) -> None:
    metrics = standing[2].evaluate.metrics
    worse = {**metrics, "roc_auc": Estimate(value=0.55, low=0.5, high=0.6, n=120)}
    found = links(standing, **measured(standing, "evaluate", metrics=worse))
    assert list(found) == ["gates and waivers"]
    assert found["gates and waivers"].state == "broken"
    assert "judged again it is POLICY_FAILED: auc-floor FAILED" in found["gates and waivers"].detail


def test_other_data(standing: Given) -> None:
    found = links(standing, **measured(standing, "prepare", sha256="c" * 64))
    assert {name: link.state for name, link in found.items()} == {
        "data": "broken",
        # Evidence that contradicts its commit is not judged.
        "gates and waivers": "broken",
    }
    assert "states prepare.sha256 of data/customers.csv as cccc" in found["data"].detail.replace(
        "'", ""
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("params", {"C": 2.0}, "model.params: trained with {'C': 2.0}, the commit says {'C': 1.0}"),
        ("seed", 7, "model.seed: trained with 7, the commit says 0"),
        ("estimator", "a.B", "model.estimator: trained with a.B"),
        ("class_weight", "balanced", "model.class_weight: trained with balanced"),
    ],
)
def test_other_parameters(standing: Given, name: str, value: Any, said: str) -> None:
    found = links(standing, **measured(standing, "train", **{name: value}))
    assert found.keys() == {"parameters", "gates and waivers"}
    assert found["parameters"].state == "broken"
    assert said in found["parameters"].detail


def test_other_libraries_than_the_pins_say(standing: Given) -> None:
    libraries = {**standing[2].train.libraries, "scikit-learn": "1.8.0"}
    found = links(standing, **measured(standing, "train", libraries=libraries))
    assert list(found) == ["environment"]
    assert found["environment"].state == "broken"
    assert "trained with scikit-learn 1.8.0; " in found["environment"].detail


@pytest.mark.parametrize(
    ("pins", "state"),
    [
        ("scikit-learn==1.9.0\n", "broken"),
        ("Scikit_Learn == 1.9.0\n", "broken"),
        ("scikit-learn[extra]==1.9.0 \\\n    --hash=sha256:00\n", "broken"),
        ("scikit-learn==1.9.0; python_version < '3.0'\nscikit-learn==1.9.1; x\n", "holds"),
        ("# nothing is pinned\n", "holds"),
    ],
)
def test_the_pins_of_the_commit_count(standing: Given, pins: str, state: str) -> None:
    scenario, _, files = standing
    commit = commit_files(scenario.remote, "pins", {PINS: pins}, scenario.main)
    scenario.fetch()
    found = {x.name: x for x in made_from_links(scenario.git, at(standing, commit)[1], files)}
    assert found["environment"].state == state, found["environment"]
    free = "not pinned: numpy, scikit-learn" in found["environment"].detail.replace("pandas, ", "")
    assert free == pins.startswith("#")


# --- the registered verdict ----------------------------------------------------------------


def drop(verdict: dict[str, Any]) -> None:
    verdict.clear()


def option(verdict: dict[str, Any]) -> None:
    verdict["candidate"]["base"] = "--upload-pack=x"


def other_key(verdict: dict[str, Any]) -> None:
    verdict["candidate"]["key"] = "1" * 64


def other_base(verdict: dict[str, Any]) -> None:
    verdict["candidate"]["base"] = verdict["candidate"]["commit"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop, "the registered verdict is none of this version"),
        (option, "the registered verdict names no commits"),
        (other_key, "the registered verdict is of something else"),
        (other_base, "the registered verdict was judged against another base than the review"),
    ],
)
def test_a_verdict_of_something_else(
    standing: Given, tmp_path: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    verdict = json.loads((standing[2].extras / VERDICT_FILE).read_bytes())
    change(verdict)
    (tmp_path / VERDICT_FILE).write_text(json.dumps(verdict))
    found = links(standing, extras=tmp_path)
    assert list(found) == ["gates and waivers"]
    assert found["gates and waivers"].state == "broken"
    assert said in found["gates and waivers"].detail


def test_a_verdict_of_another_commit(standing: Given, tmp_path: Path) -> None:
    scenario, _, files = standing
    beside = commit_files(scenario.remote, "beside", {}, scenario.main, message="beside")
    scenario.fetch()
    verdict = json.loads((files.extras / VERDICT_FILE).read_bytes())
    verdict["candidate"]["commit"] = beside
    (tmp_path / VERDICT_FILE).write_text(json.dumps(verdict))
    (link,) = links(standing, extras=tmp_path).values()
    assert link.detail == f"the registered verdict is of {beside[:12]}, another commit"


@pytest.mark.parametrize("text", [None, "no JSON", "[]"])
def test_no_verdict(standing: Given, tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / VERDICT_FILE).write_text(text)
    (link,) = links(standing, extras=tmp_path).values()
    assert (link.name, link.state) == ("gates and waivers", "broken")


# --- data behind a pointer -----------------------------------------------------------------


def test_data_of_dvc_is_fetched_and_hashed(scenario: Scenario, tmp_path: Path) -> None:
    declaration = find_release(scenario.history, PRODUCTION, None)
    files = download(scenario.registry, declaration.release, tmp_path)
    given = at((scenario, declaration, files), move_to_dvc(scenario))

    def data() -> Link:
        return {x.name: x for x in made_from_links(scenario.git, *given[1:])}["data"]

    held = data()
    assert (held.state, held.detail[:25]) == ("holds", f"{SOURCE} of DVC"[:25])
    change_in_place(cached(scenario.clone))
    changed = data()
    assert changed.state == "broken"
    assert f"the model was made from {files.prepare.sha256[:12]}" in changed.detail
    cached(scenario.clone).unlink()
    gone = data()
    assert gone.state == "unknown"
    assert f"the data {SOURCE} cannot be got: it is not in the cache, and there is no remote" in (
        gone.detail
    )
    assert len(scenario.git._run("worktree", "list").splitlines()) == 1
