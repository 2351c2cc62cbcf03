"""Verify: what is promoted is what was reviewed; each refusal by its name, and nothing changed."""

import io
import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART, PARTS
from mergeline.check.run import read_evidence
from mergeline.core import layout
from mergeline.core.answers import Name
from mergeline.core.digest import sha256
from mergeline.core.plan import Plan
from mergeline.core.verdict import Candidate
from mergeline.errors import UsageError
from mergeline.ledger.entries import BundlePart, Promoted, Reviewed, RolledBack, Settled
from mergeline.promote.run import build_needed
from mergeline.rehearsal.faults import Fault
from promote.scenario import (
    GATES,
    REVIEWER,
    Scenario,
    commit_files,
    first_files,
    other_model,
    params,
    rechained,
    refused,
)

BETTER = {"params.yaml": params(c=0.5)}
DOCS = {"README.md": "# More\n"}
HARD = "gates:\n  auc-floor: {metric: roc_auc, at_least: 0.99}\n"
EASY = "gates:\n  auc-floor: {metric: roc_auc, at_least: 0.5}\n"


def build(kind: str) -> str:
    return f"promotion: {{approvals: 1, build: {kind}}}\n"


def of_kind(scenario: Scenario, kind: str) -> None:
    """Let main say how bytes are to be built."""
    scenario.merged({"params.yaml": params(promotion=build(kind))})
    assert scenario.promote().name is Name.POLICY_ONLY


# --- evidence --------------------------------------------------------------------------


def test_what_nobody_reviewed_has_no_evidence(scenario: Scenario) -> None:
    number = scenario.open(BETTER)
    scenario.world.approve(number, REVIEWER)
    scenario.world.merge(number)
    assert f"#{number}" in refused(scenario, Name.NO_EVIDENCE).reason


def test_nor_where_no_approval_is_needed(scenario: Scenario) -> None:
    none = "promotion: {approvals: 0}\n"
    scenario.merged({"params.yaml": params(promotion=none)})
    scenario.promote()
    scenario.merged_unchecked({"params.yaml": params(c=0.5, promotion=none)})
    assert "no review" in refused(scenario, Name.NO_EVIDENCE).reason


def test_nor_where_the_artifacts_are_gone_and_only_they_count(scenario: Scenario) -> None:
    of_kind(scenario, "reuse")
    number = scenario.ready({"params.yaml": params(c=0.5, promotion=build("reuse"))})
    scenario.world.merge(number)
    scenario.world.expire(scenario.last(Reviewed).run)
    assert "expired" in refused(scenario, Name.NO_EVIDENCE).reason


def artifact(scenario: Scenario, name: str) -> object:
    """The record of an artifact of the last reviewed run."""
    run = scenario.world.repo.runs[scenario.last(Reviewed).run]
    return next(one for one in run.artifacts if one.name == name)


def test_an_archive_with_other_bytes_is_a_mismatch(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    with scenario.world.world.lock:
        artifact(scenario, EVIDENCE_PART).data += b"\0"  # type: ignore[attr-defined]
    assert EVIDENCE_PART in refused(scenario, Name.BYTES_MISMATCH).reason


def reviewed_otherwise(scenario: Scenario, **changes: object) -> None:
    """Let the ledger's last review say something else of the same head."""
    entry = scenario.last(Reviewed).model_copy(update=changes)
    scenario.ledger.append(lambda _: entry)


def test_an_archive_that_is_no_bundle_is_invalid(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    data = b"PK not a zip"
    with scenario.world.world.lock:
        artifact(scenario, MODEL_PART).data = data  # type: ignore[attr-defined]
    parts = tuple(
        part.model_copy(update={"sha256": sha256(data)}) if part.name == MODEL_PART else part
        for part in scenario.last(Reviewed).parts
    )
    reviewed_otherwise(scenario, parts=parts)
    refused(scenario, Name.EVIDENCE_INVALID)


@pytest.mark.parametrize("what", ["model", "evidence"])
def test_digests_are_those_that_the_ledger_has(scenario: Scenario, what: str) -> None:
    number = scenario.open(BETTER)
    scenario.check(number)
    reviewed_otherwise(scenario, **{what: "7" * 64})
    scenario.world.approve(number, REVIEWER)
    scenario.world.merge(number)
    assert what in refused(scenario, Name.BYTES_MISMATCH).reason


def test_evidence_of_another_commit_is_invalid(scenario: Scenario) -> None:
    """What the build says of itself is held against Git again."""

    def lie(root: Path, plan: Plan) -> Plan:
        path = root / layout.evidence("train")
        said = json.loads(path.read_bytes())
        said["content"]["params"] = {"C": 0.125}
        path.write_text(json.dumps(said))
        return rechained(root, plan.model_copy(update={"evidence": read_evidence(root)}))

    number = scenario.open(BETTER)
    scenario.check(number)
    honest = scenario.last(Reviewed)
    run = scenario.run(number, lie)
    with scenario.world.world.lock:
        scenario.world.repo.runs[honest.run].artifacts = scenario.world.repo.runs[run].artifacts
    reviewed_otherwise(scenario, **as_built(scenario, run))
    scenario.world.approve(number, REVIEWER)
    scenario.world.merge(number)
    assert "train.params" in refused(scenario, Name.EVIDENCE_INVALID).reason


def as_built(scenario: Scenario, run: int) -> dict[str, object]:
    """What a trusted job that believes everything would write of a run."""
    artifacts = {one.name: one for one in scenario.world.repo.runs[run].artifacts}
    with zipfile.ZipFile(io.BytesIO(artifacts[EVIDENCE_PART].data)) as archive:
        candidate = Candidate.model_validate_json(archive.read("candidate.json"))
    parts = tuple(
        BundlePart(name=one.name, artifact=one.id, sha256=sha256(one.data))
        for one in artifacts.values()
    )
    digests = {name: getattr(candidate, name) for name in ("model", "evidence", "key")}
    return {**digests, "parts": parts}


def test_artifacts_that_do_not_come_are_undecided(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    scenario.world.world.faults.add(Fault("GET", "*/zip", times=99, status=502))
    refused(scenario, Name.UNDECIDED)


# --- policy ----------------------------------------------------------------------------


def test_gates_that_fail(scenario: Scenario) -> None:
    scenario.merged({"params.yaml": params(gates=HARD)})
    assert scenario.promote().name is Name.POLICY_ONLY
    scenario.merged({"params.yaml": params(c=0.5, gates=HARD)})
    assert "auc-floor" in refused(scenario, Name.POLICY_FAILED).reason


def test_a_gate_of_which_nothing_is_known(scenario: Scenario) -> None:
    gates = GATES + "  fair: {check: data}\n"
    scenario.merged({"params.yaml": params(c=0.5, gates=gates)})
    ended = refused(scenario, Name.POLICY_FAILED)
    assert "fair" in ended.reason
    assert "ERRORED, that is, we do not know" in ended.reason


def test_no_gate_at_all(scenario: Scenario) -> None:
    none = "gates: {}\n"
    scenario.merged({"params.yaml": params(gates=none)})
    assert scenario.promote().name is Name.POLICY_ONLY
    scenario.merged({"params.yaml": params(c=0.5, gates=none)})
    assert "no gate" in refused(scenario, Name.POLICY_FAILED).reason


def test_a_loosening_counts_from_the_next_one(scenario: Scenario) -> None:
    scenario.merged({"params.yaml": params(gates=HARD)})
    scenario.promote()
    scenario.merged({"params.yaml": params(c=0.5, gates=EASY)})
    assert "auc-floor" in refused(scenario, Name.POLICY_WEAKENED).reason
    scenario.merged(DOCS)
    assert scenario.promote().name is Name.LIVE


def test_a_tightening_at_once(scenario: Scenario) -> None:
    scenario.merged({"params.yaml": params(c=0.5, gates=HARD)})
    refused(scenario, Name.POLICY_FAILED)


def test_a_change_of_the_policy_alone_promotes_nothing(scenario: Scenario) -> None:
    versions, declared = scenario.registry.versions(), scenario.history.declared("production")
    scenario.merged({"params.yaml": params(gates=HARD)})
    ended = scenario.promote()
    assert ended.name is Name.POLICY_ONLY
    assert scenario.registry.versions() == versions
    assert scenario.history.declared("production") == declared
    assert scenario.last(Settled).answer == "POLICY_ONLY"
    assert scenario.history.position("production") == scenario.main


def test_what_a_waiver_covers_stands_in_the_ledger(scenario: Scenario) -> None:
    waived = "waivers: [{gate: auc-floor, reason: known, owner: risk, expires: 2027-01-01}]\n"
    scenario.merged({"params.yaml": params(gates=HARD, more=waived)})
    scenario.promote()
    scenario.merged({"params.yaml": params(c=0.5, gates=HARD, more=waived)})
    assert scenario.promote().name is Name.LIVE
    assert scenario.last(Promoted).waivers == ("auc-floor: known (risk, until 2027-01-01)",)


# --- inputs ----------------------------------------------------------------------------


def test_what_another_merge_moved_in_between(scenario: Scenario) -> None:
    """Two merges close together, the second reviewed on older inputs."""
    first = scenario.ready({"params.yaml": params(c=0.5)})
    rows = first_files()["data/customers.csv"].splitlines(keepends=True)
    second = scenario.ready({"data/customers.csv": "".join(rows[:-1])})
    scenario.world.merge(first)
    assert scenario.promote().name is Name.LIVE
    scenario.world.merge(second)
    assert f"#{second}" in refused(scenario, Name.MOVED).reason
    # The next one is reviewed on both, and blocked by nothing.
    scenario.merged({"README.md": "# More\n"})
    assert scenario.promote().name is Name.LIVE


def test_a_pipeline_that_the_merge_broke(scenario: Scenario) -> None:
    number = scenario.ready(DOCS)
    scenario.world.merge(number, "squash")
    broken = scenario.ready({"NOTES.md": "x\n"})
    with scenario.world.world.lock:
        pull = scenario.world.repo.pulls[broken]
    scenario.push_again(pull.head_ref, {"dvc.yaml": "stages: 1\n"})
    pull = scenario.world.pull(broken)
    entry = scenario.last(Reviewed).model_copy(update={"commit": pull.head_sha})
    scenario.ledger.append(lambda _: entry)
    scenario.world.approve(broken, REVIEWER)
    scenario.world.merge(broken)
    assert "stages" in refused(scenario, Name.MOVED).reason


# --- bytes -----------------------------------------------------------------------------


def test_reused_bytes_are_those_of_the_review(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    assert scenario.promote().name is Name.LIVE
    declared, entry = scenario.last(Promoted), scenario.last(Reviewed)
    assert declared.source == "reused"
    assert (declared.release.model, declared.release.key) == (entry.model, entry.key)


def wanting(scenario: Scenario, how: str) -> str:
    """Merge what needs a second build, for a reason; return what is said of it."""
    if how == "rebuild":
        of_kind(scenario, "rebuild")
        scenario.merged({"params.yaml": params(c=0.5, promotion=build("rebuild"))})
    elif how == "expired":
        scenario.merged(BETTER)
        scenario.world.expire(scenario.last(Reviewed).run, MODEL_PART)
    elif how == "deleted":
        scenario.merged(BETTER)
        with scenario.world.world.lock:
            del scenario.world.repo.runs[scenario.last(Reviewed).run]
    elif how == "stricter":
        scenario.merged({"params.yaml": params(c=0.5, promotion=build("rebuild"))})
    else:
        scenario.merged({"params.yaml": params(c=0.5, more="# x\n"), how: "x\n"})
    return scenario.main


REASONS = {
    "rebuild": "promotion.build is rebuild",
    "stricter": "promotion.build is rebuild",
    "expired": f"{MODEL_PART} of run",
    "deleted": "GitHub has no artifacts of run",
    ".github/workflows/mergeline.yml": ".github/workflows/mergeline.yml",
    "requirements/more.txt": "requirements/more.txt",
    "requirements-dev.txt": "requirements-dev.txt",
}


@pytest.mark.parametrize("how", REASONS)
def test_a_second_build_is_wanted(scenario: Scenario, how: str) -> None:
    wanting(scenario, how)
    assert build_needed(scenario.job()).build == "rebuild"
    ended = refused(scenario, Name.UNDECIDED)
    assert REASONS[how] in ended.reason
    assert "--rebuilt" in ended.next_step
    assert scenario.promote(rebuilt=scenario.rebuilt()).name is Name.LIVE
    assert scenario.last(Promoted).source == "rebuilt"


def test_a_second_build_is_wanted_of_what_went_to_another_branch(scenario: Scenario) -> None:
    """A run takes its workflow from the branch that the pull request went to when it began."""
    side, number = scenario.push(DOCS), scenario.ready(BETTER)
    place = f"/repos/{scenario.world.name}/pulls/{number}"
    for base in (side, "main"):
        scenario.github.client.write("PATCH", place, {"base": base}, needs="")
    scenario.world.merge(number)
    assert build_needed(scenario.job()).build == "rebuild"
    assert "went to another branch" in refused(scenario, Name.UNDECIDED).reason


def test_no_second_build_is_wanted_of_what_ends_without_one(scenario: Scenario) -> None:
    assert build_needed(scenario.job()).build == "reuse"  # it is live
    scenario.merged(BETTER)
    assert build_needed(scenario.job()).build == "reuse"
    scenario.promote()
    scenario.merged({".github/workflows/mergeline.yml": "x\n"})
    assert build_needed(scenario.job()).build == "reuse"  # the same model is live
    assert scenario.promote().name is Name.ALREADY_LIVE
    old = scenario.main
    number = scenario.open({**BETTER, "requirements.txt": "x\n"})
    scenario.check(number)
    scenario.world.merge(number)
    assert build_needed(scenario.job()).build == "reuse"  # not approved
    assert build_needed(scenario.job(commit=old)).build == "reuse"  # superseded
    scenario.push_to_main(DOCS)
    assert build_needed(scenario.job()).build == "reuse"  # a direct push


def test_the_reviewed_bytes_are_enough_where_the_policy_says_so(scenario: Scenario) -> None:
    of_kind(scenario, "reuse")
    scenario.merged({"params.yaml": params(c=0.5, promotion=build("reuse")), ".github/x": "x\n"})
    assert scenario.promote().name is Name.LIVE


def test_a_loosening_of_the_build_counts_from_the_next_one(scenario: Scenario) -> None:
    of_kind(scenario, "rebuild")
    scenario.merged({"params.yaml": params(c=0.5, promotion=build("reuse"))})
    assert build_needed(scenario.job()).build == "rebuild"


def test_an_equivalent_second_build_ships_the_reviewed_bytes(scenario: Scenario) -> None:
    of_kind(scenario, "rebuild")
    scenario.merged({"params.yaml": params(c=0.5, promotion=build("rebuild"))})
    entry = scenario.last(Reviewed)
    second = scenario.rebuilt(other_model)
    assert scenario.promote(rebuilt=second).name is Name.LIVE
    declared = scenario.last(Promoted)
    assert (declared.source, declared.release.model) == ("equivalent", entry.model)
    found = scenario.registry.download(declared.release.version, scenario.folder / "download")
    assert b"another machine" not in found["model/requirements.txt"].read_bytes()


def on_another_kernel(root: Path, plan: Plan) -> Plan:
    """Train and score again with BLAS kernels that `train` does not pin."""
    script = f"""
from pathlib import Path
from projects import run_stages
run_stages(Path({str(root)!r}), "train", "evaluate")
"""
    subprocess.run(
        [sys.executable, "-c", script],
        env={
            **os.environ,
            "OPENBLAS_CORETYPE": "Prescott",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        },
        check=True,
        timeout=120,
    )
    return rechained(root, plan.model_copy(update={"evidence": read_evidence(root)}))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="that kernel is of another machine")
def test_a_second_build_on_another_kernel_is_equivalent(scenario: Scenario) -> None:
    of_kind(scenario, "rebuild")
    scenario.merged({"params.yaml": params(c=0.5, promotion=build("rebuild"))})
    second = scenario.rebuilt(on_another_kernel)
    made = Candidate.model_validate_json((second / layout.CANDIDATE).read_bytes()).model
    assert made != scenario.last(Reviewed).model
    assert scenario.promote(rebuilt=second).name is Name.LIVE
    declared = scenario.last(Promoted)
    assert declared.source == "equivalent"
    assert declared.release.model == scenario.last(Reviewed).model


def test_one_that_scores_otherwise_has_drifted(scenario: Scenario) -> None:
    of_kind(scenario, "rebuild")
    number = scenario.ready({"params.yaml": params(c=0.5, promotion=build("rebuild"))})
    scenario.world.merge(number)
    second = scenario.rebuilt(scoring_like(scenario, c=0.01))
    ended = refused(scenario, Name.DRIFTED, rebuilt=second)
    assert scenario.last(Reviewed).model in ended.reason


def scoring_like(scenario: Scenario, c: float):
    """Change a build into one of another model that claims to be made from these inputs."""

    def change(root: Path, plan: Plan) -> Plan:
        branch = scenario.push({"params.yaml": params(c=c)})
        scenario.fetch()
        other = scenario.builds.measured(scenario.git, scenario.tip(branch))
        shutil.copytree(other / "reports", root / "reports", dirs_exist_ok=True)
        params_of = plan.evidence.train.content.params
        evidence = read_evidence(root)
        content = evidence.train.content.model_copy(update={"params": params_of})
        train = evidence.train.model_copy(update={"content": content})
        evidence = evidence.model_copy(update={"train": train})
        return rechained(root, plan.model_copy(update={"evidence": evidence}))

    return change


def test_where_the_reviewed_bytes_are_gone_only_equal_ones_pass(scenario: Scenario) -> None:
    wanting(scenario, "expired")
    ended = refused(scenario, Name.DRIFTED, rebuilt=scenario.rebuilt(other_model))
    assert "equal bytes" in ended.reason


def forked(scenario: Scenario) -> int:
    """Open a pull request from a stranger's fork, checked and approved."""
    scenario.world.add_user("stranger", "Stranger", "stranger@example.org", permission="read")
    fork = Path(scenario.world.add_fork("stranger"))
    commit_files(fork, "theirs", BETTER, scenario.main, author="stranger")
    number = scenario.world.open_pull("stranger:theirs", login="stranger")
    scenario.check(number)
    scenario.world.approve(number, REVIEWER)
    return number


def test_a_strangers_bytes_are_never_shipped_on_their_word(scenario: Scenario) -> None:
    of_kind(scenario, "reuse")
    scenario.world.merge(forked(scenario))
    assert "stranger" in refused(scenario, Name.UNDECIDED).reason
    ended = refused(scenario, Name.DRIFTED, rebuilt=scenario.rebuilt(other_model))
    assert "stranger" in ended.reason
    assert scenario.promote(rebuilt=scenario.rebuilt()).name is Name.LIVE


def test_a_second_build_is_of_this_commit_as_it_is(scenario: Scenario) -> None:
    wanting(scenario, "expired")
    second = scenario.rebuilt()
    dirty = scenario.rebuilt(changed_files)
    with pytest.raises(UsageError, match="with changed files"):
        scenario.promote(rebuilt=dirty)
    with pytest.raises(UsageError, match="neither reports/ nor"):
        scenario.promote(rebuilt=scenario.folder)
    wanting(scenario, "requirements.txt")
    with pytest.raises(UsageError, match="holds a build of"):
        scenario.promote(rebuilt=second)


def changed_files(_: Path, plan: Plan) -> Plan:
    """Let a build say that it was made from files that are not committed."""
    candidate = plan.candidate.model_copy(update={"dirty": ("a",)})
    return plan.model_copy(update={"candidate": candidate})


def test_a_second_build_may_lie_in_unpacked_parts(scenario: Scenario, tmp_path: Path) -> None:
    wanting(scenario, "expired")
    root = scenario.rebuilt()
    for part, files in PARTS.items():
        for name, file in files.items():
            if (root / file.path).is_file():
                to = tmp_path / "parts" / part / name
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes((root / file.path).read_bytes())
    assert scenario.promote(rebuilt=tmp_path / "parts").name is Name.LIVE
    assert scenario.last(Promoted).source == "rebuilt"


@pytest.mark.parametrize(
    ("name", "answer"),
    [(layout.PROBES, Name.BYTES_MISMATCH), (layout.VERDICT, Name.EVIDENCE_INVALID)],
)
def test_a_second_build_is_no_more_believed_than_the_first(
    scenario: Scenario, name: str, answer: Name
) -> None:
    wanting(scenario, "expired")
    second = scenario.rebuilt()
    text = (second / name).read_text()
    (second / name).write_text(text.replace("0.", "1.", 1) if name == layout.PROBES else "{}")
    assert "second build" in refused(scenario, answer, rebuilt=second).reason


# --- the model -------------------------------------------------------------------------


def with_code(root: Path, plan: Plan) -> Plan:
    """Let the model name a loader of its own."""
    path = root / layout.MODEL / "MLmodel"
    described = json.loads(path.read_bytes())
    described["flavors"]["python_function"]["loader_module"] = "os"
    path.write_text(json.dumps(described, indent=1) + "\n")
    return rechained(root, plan)


def test_a_model_that_could_do_more_than_score_is_unsafe(scenario: Scenario) -> None:
    scenario.merged(BETTER, change=with_code)
    assert "os" in refused(scenario, Name.UNSAFE_MODEL).reason


def with_a_type(root: Path, plan: Plan) -> Plan:
    """Let the model ask for a type of the project's own."""
    path = root / layout.MODEL / "MLmodel"
    described = json.loads(path.read_bytes())
    described["flavors"]["sklearn"]["skops_trusted_types"].append("leavers.Encoder")
    path.write_text(json.dumps(described, indent=1) + "\n")
    return rechained(root, plan)


def test_a_type_that_a_pull_request_wants_trusted_counts_from_the_next_one(
    scenario: Scenario,
) -> None:
    given = "params: {C: 0.5}"
    trusting = params(c=0.5).replace(given, f"{given}, trusted_types: [leavers.Encoder]")
    scenario.merged({"params.yaml": trusting}, change=with_a_type)
    assert "leavers.Encoder" in refused(scenario, Name.UNSAFE_MODEL).reason
    scenario.merged(DOCS, change=with_a_type)
    assert scenario.promote().name is Name.LIVE
    assert scenario.last(Promoted).release.trusted == ("leavers.Encoder",)


# --- what stands against it ------------------------------------------------------------


def test_a_documentation_merge_is_live_already(scenario: Scenario) -> None:
    versions = scenario.registry.versions()
    before = scenario.history
    scenario.merged(DOCS)
    ended = scenario.promote()
    assert ended.name is Name.ALREADY_LIVE
    assert scenario.registry.versions() == versions
    after = scenario.history
    assert after.position("production") == scenario.main != before.position("production")
    assert [entry.kind for entry in after.entries[len(before.entries) :]] == ["reviewed", "settled"]
    assert after.desired("production") == before.desired("production")


def test_after_a_rollback_it_does_not_bring_the_model_back(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    scenario.promote()
    assert scenario.rollback().name is Name.LIVE
    barred = scenario.last(RolledBack).bars
    scenario.merged(DOCS)
    assert barred in refused(scenario, Name.BARRED).reason


def test_until_it_is_reinstated_by_name(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    scenario.promote()
    scenario.rollback()
    barred = scenario.last(RolledBack).bars
    promotion = f"promotion: {{approvals: 1, reinstate: ['{barred}']}}\n"
    scenario.merged({"params.yaml": params(c=0.5, promotion=promotion)})
    assert scenario.promote().name is Name.POLICY_ONLY
    scenario.merged(DOCS)
    assert scenario.promote().name is Name.LIVE
    declared = scenario.last(Promoted)
    assert declared.release.model == barred
    assert declared.release.version == "2"
    assert not scenario.history.barred("production")


def test_a_name_counts_for_one_rollback_only(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    scenario.promote()
    scenario.rollback("once")
    barred = scenario.last(RolledBack).bars
    promotion = f"promotion: {{approvals: 1, reinstate: ['{barred}']}}\n"
    named = {"params.yaml": params(c=0.5, promotion=promotion)}
    for files in (named, DOCS):
        scenario.merged(files)
        back = scenario.promote()
    assert back.name is Name.LIVE
    tip = scenario.main
    scenario.rollback("twice")
    assert scenario.last(RolledBack).main == tip
    scenario.merged({"README.md": "# Even more\n"})
    assert "take it out first" in refused(scenario, Name.BARRED).next_step
    scenario.merged(BETTER)
    assert scenario.promote().name is Name.POLICY_ONLY
    scenario.merged(named)
    assert scenario.promote().name is Name.POLICY_ONLY
    scenario.merged({"README.md": "# At last\n"})
    assert scenario.promote().name is Name.LIVE
    assert scenario.last(Promoted).release.model == barred


def test_the_revert_of_what_was_rolled_back_is_live_already(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    scenario.promote()
    scenario.rollback()
    scenario.merged({"params.yaml": params()})
    assert scenario.promote().name is Name.ALREADY_LIVE
    assert scenario.history.position("production") == scenario.main
