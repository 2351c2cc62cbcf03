"""An audit holds in every link of a live release; each link breaks by what it covers."""

from pathlib import Path
from typing import Any

import pytest

from mergeline.adapters.git_remote import Remote
from mergeline.adapters.registry import KEY, Registry
from mergeline.core.answers import Name
from mergeline.core.verdict import Outcome
from mergeline.ledger.entries import Promoted, RolledBack
from mergeline.ledger.report import FILE, branch_of, read_report, write_report
from mergeline.release.audit import Audit, Sources, audit
from mergeline.release.find import find_release
from promote.scenario import (
    OTHER,
    PRODUCTION,
    Scenario,
    commit_files,
    first_files,
    follow,
    params,
    rechained,
    rejecting,
    silent,
)

BETTER = {"params.yaml": params(c=0.5)}
DOCS = {"README.md": "# More\n"}
LINKS = (
    *("ledger", "served digest", "registry", "model and evidence (M, E)", "commit", "inputs (I)"),
    *("pull request", "approvals", "gates and waivers", "data", "parameters", "environment"),
)
# Where nothing can be read out of the registry.
READ = frozenset(
    {
        *("model and evidence (M, E)", "gates and waivers"),
        *("data", "parameters", "environment"),
    }
)


def audited(scenario: Scenario, version: str | None = None, **changes: Any) -> Audit:
    scenario.fetch()
    given = {
        "git": scenario.git,
        "remote": Remote(scenario.git, "origin"),
        "registry": scenario.registry,
        "history": scenario.history,
        "main": "main",
        **changes,
    }
    return audit(Sources(**given), find_release(scenario.history, PRODUCTION, version))


def states(found: Audit) -> dict[str, str]:
    """The links that do not hold."""
    return {link.name: link.state for link in found.links if link.state != "holds"}


def detail(found: Audit, name: str) -> str:
    return next(link.detail for link in found.links if link.name == name)


def declare(scenario: Scenario, *, of: type[Any] = Promoted, **changes: Any) -> Promoted:
    """Append the last promotion once more with changes, as the ledger's own key could."""
    last = scenario.last(of)
    release = last.release.model_copy(update=changes.pop("release", {}))
    entry = last.model_copy(update={"release": release, **changes})
    scenario.ledger.append(lambda _: entry)
    follow(scenario.ledger, "live")
    return scenario.last(of)


# --- what holds ------------------------------------------------------------------------


def test_a_live_release_holds_in_every_link(scenario: Scenario) -> None:
    found = audited(scenario)
    release = scenario.last(Promoted).release
    assert found.holds, states(found)
    assert (found.project, found.environment, found.version) == ("leavers", PRODUCTION, "1")
    assert tuple(link.name for link in found.links) == LINKS
    assert release.model[:12] in detail(found, "served digest")
    assert release.commit[:12] in detail(found, "commit")
    assert "#1 by ann, reviewed at " in detail(found, "pull request")
    assert detail(found, "approvals") == "approved by bob; 1 asked for"
    assert detail(found, "gates and waivers") == "judged again: 1 PASSED"
    assert "data/customers.csv of Git: 400 rows, SHA-256 " in detail(found, "data")
    assert "LogisticRegression, 1 parameters, seed 0" in detail(found, "parameters")
    assert "scikit-learn 1.9.1" in detail(found, "environment")


def test_a_release_that_was_rolled_back_to_holds(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    assert scenario.promote().version == "2"
    assert audited(scenario).holds
    assert scenario.rollback().version == "1"
    found = audited(scenario)
    assert (found.version, states(found)) == ("1", {})
    assert "by the model server's report" in detail(found, "served digest")
    barred = audited(scenario, "2")
    assert states(barred) == {}
    assert "not served now: the ledger declares version 1" in detail(barred, "served digest")
    declare(scenario, of=RolledBack, release={"pull_request": 7})
    invented = audited(scenario)
    assert states(invented) == dict.fromkeys(("pull request", "approvals"), "broken")
    assert "holds no promotion of it" in detail(invented, "approvals")


def test_one_with_waivers_and_warnings_holds(scenario: Scenario) -> None:
    """The policy of main before the merge had a gate that a waiver covers."""
    waived = (
        "gates:\n  auc-floor: {metric: roc_auc, at_least: 0.99}\n"
        "waivers:\n"
        "  - {gate: auc-floor, reason: a trial, owner: eve, expires: 2026-12-01}\n"
    )
    scenario.merged({"params.yaml": params(gates=waived)})
    assert scenario.promote().name is Name.POLICY_ONLY
    scenario.merged({"params.yaml": params(c=0.5, gates=waived)})
    assert scenario.promote().name is Name.LIVE
    assert scenario.last(Promoted).outcome is Outcome.WAIVED
    found = audited(scenario)
    assert found.holds, [link for link in found.links if link.state != "holds"]
    assert "judged again: 1 WAIVED; waived: auc-floor: a trial" in detail(
        found, "gates and waivers"
    )


def test_one_that_an_earlier_promotion_registered_holds(scenario: Scenario) -> None:
    """The same model measured again: the registered evidence is that of the first review."""

    def measured_again(root: Path, plan: Any) -> Any:
        from bundle.parts import with_content

        return rechained(root, with_content(plan, "train", pinned={"THREADS": "7"}))

    scenario.merged(BETTER)
    scenario.promote(rejecting)
    scenario.merged(DOCS, change=measured_again)
    assert scenario.promote().name is Name.LIVE
    found = audited(scenario)
    assert found.holds, [link for link in found.links if link.state != "holds"]


def test_one_whose_model_was_reviewed_again_holds(scenario: Scenario) -> None:
    """A pull request of words alone has the same model, and another base."""
    scenario.check(scenario.open(DOCS))
    assert states(audited(scenario)) == {}


# --- what is served ----------------------------------------------------------------------


def test_no_report_is_no_tick(empty: Scenario) -> None:
    quick = params().replace("confirm_seconds: 20", "confirm_seconds: 0.1")
    empty.merged({**first_files(), "params.yaml": quick})
    assert empty.promote(silent).name is Name.UNCONFIRMED
    found = audited(empty)
    assert states(found) == {"served digest": "unknown"}
    assert "no model server of production has reported" in detail(found, "served digest")


def test_a_report_that_is_none_is_no_tick(scenario: Scenario) -> None:
    commit_files(scenario.remote, branch_of(PRODUCTION), {FILE: "{}"}, None)
    assert states(audited(scenario)) == {"served digest": "unknown"}


def test_a_server_that_answers_with_another_digest(scenario: Scenario) -> None:
    remote = Remote(scenario.git, "origin")
    report = read_report(remote, PRODUCTION)
    assert report is not None
    write_report(remote, report.model_copy(update={"model": "f" * 64}))
    found = audited(scenario)
    assert states(found) == {"served digest": "broken"}
    assert "answers with ffffffffffff, declared is " in detail(found, "served digest")


def test_a_server_that_answers_with_an_earlier_release(scenario: Scenario) -> None:
    scenario.merged({"params.yaml": BETTER["params.yaml"].replace("_seconds: 20", "_seconds: 0.1")})
    assert scenario.promote(silent).name is Name.UNCONFIRMED
    found = audited(scenario)
    assert found.version == "2"
    assert states(found) == {"served digest": "broken"}
    assert "production does not answer with version 2" in detail(found, "served digest")


# --- the registry ------------------------------------------------------------------------


def artifact(scenario: Scenario, name: str) -> Path:
    (found,) = (scenario.folder / "registry").glob(f"registry/*/artifacts/*/{name}")
    return found


@pytest.mark.parametrize("name", ["model/model.skops", "evidence/train.json", "probes.json"])
def test_a_byte_changed_in_the_artifacts(scenario: Scenario, name: str) -> None:
    path = artifact(scenario, name)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    found = audited(scenario)
    others = dict.fromkeys(READ - {"model and evidence (M, E)"}, "unknown")
    assert states(found) == {"model and evidence (M, E)": "broken", **others}
    assert "not what was registered" in detail(found, "model and evidence (M, E)")
    assert "could not be read" in detail(found, "data")


def test_artifacts_that_are_gone(scenario: Scenario) -> None:
    for path in artifact(scenario, "probes.json").parent.rglob("*.*"):
        path.unlink()
    found = audited(scenario)
    assert states(found)["model and evidence (M, E)"] == "broken"


def test_a_version_with_another_key(scenario: Scenario) -> None:
    with scenario.registry._asking() as store:
        store.client.set_model_version_tag("leavers", "1", KEY, "e" * 64)
    found = audited(scenario)
    assert states(found) == {"registry": "broken"}
    assert "its key (K) is eeeeeeeeeeee, declared is " in detail(found, "registry")


def test_a_second_version_of_the_key(scenario: Scenario, tmp_path: Path) -> None:
    files = scenario.registry.download("1", tmp_path / "version")
    data = {name: path.read_bytes() for name, path in files.items()}
    scenario.registry.create(scenario.last(Promoted).release.key, data, {})
    found = audited(scenario)
    assert states(found) == {"registry": "broken"}
    assert detail(found, "registry") == "one key, several versions: 1, 2"


def test_a_version_that_was_deleted(scenario: Scenario) -> None:
    scenario.registry.delete("1")
    found = audited(scenario)
    assert states(found)["registry"] == "broken"
    assert "there is no version 1" in detail(found, "registry")
    assert states(found)["model and evidence (M, E)"] == "broken"


def test_a_registry_that_is_away_is_no_tick(scenario: Scenario) -> None:
    away = Registry("http://127.0.0.1:9", scenario.folder, "leavers")
    found = audited(scenario, registry=away)
    assert states(found) == dict.fromkeys({"registry", *READ}, "unknown")


# --- the ledger's own words ----------------------------------------------------------------


def test_bytes_that_are_not_those_declared(scenario: Scenario) -> None:
    """Model and key are bound: whoever changes one in the ledger breaks both links."""
    declare(scenario, release={"evidence": "d" * 64})
    found = audited(scenario)
    assert states(found)["model and evidence (M, E)"] == "broken"
    assert "the evidence (E): the bytes have " in detail(found, "model and evidence (M, E)")
    assert states(found)["pull request"] == "broken"
    assert "no review in the ledger has its evidence dddd" in detail(found, "pull request")


def test_a_commit_that_is_not_on_main(scenario: Scenario) -> None:
    beside = commit_files(scenario.remote, "beside", {}, scenario.main, message="beside")
    declare(scenario, release={"commit": beside})
    found = audited(scenario)
    assert states(found) == {"commit": "broken"}
    assert detail(found, "commit") == f"{beside[:12]} is not on main"


def test_a_commit_with_another_tree(scenario: Scenario) -> None:
    declare(scenario, release={"tree": "a" * 40})
    found = audited(scenario)
    assert states(found) == {"commit": "broken"}
    assert "declared is aaaaaaaaaaaa" in detail(found, "commit")


def test_a_commit_that_nobody_has_is_no_tick(scenario: Scenario) -> None:
    declare(scenario, release={"commit": "b" * 40})
    found = audited(scenario)
    assert states(found)["commit"] == "unknown"
    assert states(found)["inputs (I)"] == "unknown"
    assert not found.holds


def test_a_commit_with_other_data(scenario: Scenario) -> None:
    table = first_files()["data/customers.csv"].replace("C000001", "C900001")
    moved = scenario.push_to_main({"data/customers.csv": table})
    scenario.fetch()
    declare(scenario, release={"commit": moved, "tree": scenario.git.tree(moved)})
    found = audited(scenario)
    assert states(found) == dict.fromkeys(("inputs (I)", "data"), "broken")
    assert "states prepare.sha256 of " in detail(found, "data")


def test_a_promotion_that_rests_on_another_review(scenario: Scenario) -> None:
    scenario.check(scenario.open(BETTER))
    declare(scenario, reviewed=scenario.history.entries[-1].number)
    found = audited(scenario)
    assert states(found) == {"pull request": "broken"}
    assert "is the review of something else" in detail(found, "pull request")


def test_a_promotion_that_rests_on_no_review(scenario: Scenario) -> None:
    declare(scenario, reviewed=scenario.last(Promoted).number)
    assert states(audited(scenario)) == {"pull request": "broken"}


@pytest.mark.parametrize(
    ("approvers", "said"),
    [
        (("ann",), "approved by ann, one of whom opened it"),
        (("bob", "ann"), "approved by bob, ann, one of whom opened it"),
        ((), "approved by nobody; 1 asked for"),
    ],
)
def test_approvals_that_are_none(scenario: Scenario, approvers: tuple[str, ...], said: str) -> None:
    declare(scenario, approvers=approvers)
    found = audited(scenario)
    assert states(found) == {"approvals": "broken"}
    assert detail(found, "approvals") == said


def test_the_larger_number_of_approvals_counts(scenario: Scenario) -> None:
    """Main asked for two; the merge that lowers it to one needs two as well."""
    two, one = ({"params.yaml": params(promotion=f"promotion: {{approvals: {n}}}\n")} for n in "21")
    scenario.push_to_main(two)
    lowered = scenario.push_to_main(one)
    scenario.fetch()
    at = {"commit": lowered, "tree": scenario.git.tree(lowered)}
    declare(scenario, release=at, approvers=("bob", "bob"))
    found = audited(scenario)
    assert states(found) == {"approvals": "broken"}
    assert detail(found, "approvals") == "approved by bob, bob; 2 asked for"
    declare(scenario, release=at, approvers=("bob", OTHER))
    assert audited(scenario).holds


def test_waivers_that_the_ledger_does_not_tell(scenario: Scenario) -> None:
    declare(scenario, waivers=("auc-floor: a trial (eve)",))
    found = audited(scenario)
    assert states(found) == {"gates and waivers": "broken"}
    assert "waived is nothing, the ledger says auc-floor: a trial (eve)" in detail(
        found, "gates and waivers"
    )


def test_text_of_others_stays_on_its_line(scenario: Scenario) -> None:
    declare(scenario, author="ann\x1b[31m\nbob")
    line = detail(audited(scenario), "pull request")
    assert "ann\\u001b[31m\\u000abob" in line
    assert line.isprintable()
