"""The trusted job from a run to comment, ledger and status; what it refuses, what it survives."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bundle.commits import BASE, GATES, HEAD, more_iterations, settings
from bundle.parts import evidence_files, rewritten, sealed
from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART, archive_limit
from mergeline.bundle.unpack import unpack
from mergeline.core.answers import Answer, Name
from mergeline.core.digest import sha256
from mergeline.core.plan import Plan
from mergeline.core.verdict import Outcome
from mergeline.errors import GitHubError, ToolError
from mergeline.ledger.entries import Reviewed
from mergeline.report.markdown import marker
from mergeline.review.run import Reviewing, review
from report import plans
from review.lines import SmallLine, commit_files, git, zipped

MARKER = marker("credit-default")


def unfair() -> Plan:
    """A better model with too large a gap between the sexes."""
    return plans.better(fairness=plans.fairness(0.31))


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLine]:
    made = SmallLine.start(tmp_path_factory.mktemp("review"))
    with made.world:
        yield made


@pytest.fixture(autouse=True)
def as_before(line: SmallLine) -> Iterator[None]:
    """The tests share one line."""
    with line.borrowed():
        yield


def opened(line: SmallLine, **push: Any) -> tuple[str, str, int]:
    """A branch, its tip and its pull request."""
    branch = line.push(**push)
    head = git(line.remote, "rev-parse", branch)
    return branch, head, line.world.open_pull(branch, login="ann")


def reviewed(line: SmallLine, run: int, **changes: Any) -> Reviewing:
    done = review(line.job(**changes), run)
    assert isinstance(done, Reviewing), done
    return done


def refused(line: SmallLine, run: int) -> Answer:
    done = review(line.job(), run)
    assert isinstance(done, Answer), done
    return done


def comments(line: SmallLine, number: int) -> list[str]:
    return [comment.body for comment in line.job().github.comments(number)]


def writes(line: SmallLine, since: int) -> list[str]:
    """Method, the kind of thing, and whether it was done; check runs decide nothing."""
    kinds = ("comments", "statuses")
    return [
        f"{each.method} {next(kind for kind in kinds if kind in each.path)}{' done' * each.done}"
        for each in line.world.writes[since:]
        if "check-runs" not in each.path
    ]


# --- it goes well ------------------------------------------------------------------------


def test_comment_ledger_and_status(line: SmallLine) -> None:
    branch, head, number = opened(line)
    parts = line.parts(plans.better(), head)
    run, since = line.run(branch, parts), len(line.world.writes)
    done = reviewed(line, run)
    (body,) = comments(line, number)
    assert body.startswith(MARKER)
    assert head[:12] in body
    assert "## ✅ Better: catches " in body
    entry = line.ledger()[-1]
    assert entry == done.entry
    assert (entry.pull_request, entry.commit, entry.base) == (number, head, line.main)
    assert entry.tree == git(line.remote, "rev-parse", f"{head}^{{tree}}")
    assert (entry.run, entry.head_repository) == (run, "acme/credit")
    assert (entry.outcome, entry.answer) == (Outcome.PASSED, "PROMOTE")
    assert (entry.comment, entry.commented) == (done.comment.id, done.comment.updated)
    assert {part.name: part.sha256 for part in entry.parts} == {
        name: sha256(data) for name, data in parts.items()
    }
    ids = {artifact.name: artifact.id for artifact in line.job().github.artifacts(run)}
    assert {part.name: part.artifact for part in entry.parts} == ids
    ((state, sentence, url),) = line.statuses()[-1:]
    assert (state, url) == ("success", done.comment.url)
    assert sentence.startswith("Better: catches ")
    assert writes(line, since) == ["POST comments done", "POST statuses done"]
    (checked,) = [run for run in line.world.repo.check_runs.values() if run.sha == head]
    assert (checked.name, checked.external_id) == ("mergeline report", str(run))
    assert (checked.conclusion, checked.output["annotations"]) == ("success", [])
    assert done.warnings == ()


def test_a_gate_that_failed_is_remarked_on_at_its_line(line: SmallLine) -> None:
    branch, head, _ = opened(line)
    run = line.run(branch, line.parts(unfair(), head))
    reviewed(line, run)
    reviewed(line, run)
    (checked,) = [run for run in line.world.repo.check_runs.values() if run.sha == head]
    found = {one["title"]: one for one in checked.output["annotations"]}
    assert found.keys() == {"equal-odds: FAILED"}
    at = found["equal-odds: FAILED"]["start_line"]
    assert '"equal-odds"' in git(line.remote, "show", f"{head}:params.yaml").splitlines()[at - 1]
    assert checked.conclusion == "failure"


@pytest.mark.parametrize("status", [403, 404, 422, 502])
def test_without_a_check_run_all_else_stands(line: SmallLine, status: int) -> None:
    branch, head, number = opened(line)
    run = line.run(branch, line.parts(plans.better(), head))
    line.world.fault("POST", "*/check-runs", status=status, times=99)
    done = reviewed(line, run)
    assert len(comments(line, number)) == 1
    assert line.ledger()[-1] == done.entry
    assert line.statuses()[-1][0] == "success"
    (warning,) = done.warnings
    assert warning.startswith(f"there is no check run `mergeline report`: GitHub answered {status}")


def test_a_token_without_check_runs(line: SmallLine) -> None:
    branch, head, _ = opened(line)
    run = line.run(branch, line.parts(plans.better(), head))
    names = ("pull_requests", "issues", "statuses")
    token = line.world.token("github-actions[bot]", "write", dict.fromkeys(names, "write"))
    done = review(line.job(token), run)
    assert isinstance(done, Reviewing)
    assert "add `checks: write` to the `permissions:` of" in done.warnings[0]


def test_again_for_the_same_run_is_one_comment_and_one_entry(line: SmallLine) -> None:
    branch, head, number = opened(line)
    run = line.run(branch, line.parts(plans.better(), head))
    first, since = reviewed(line, run), len(line.world.writes)
    second = reviewed(line, run, by="run 2 of acme/credit")
    assert len(comments(line, number)) == 1
    assert second.entry == first.entry
    assert [entry.run for entry in line.ledger()].count(run) == 1
    assert writes(line, since) == ["POST statuses done"]


def test_the_comment_says_how_often_its_rows_were_judged_on(line: SmallLine) -> None:
    rows = plans.better().evidence.prepare.content.held_out_sha256
    before = {e.pull_request for e in line.ledger() if isinstance(e, Reviewed)}
    counted = {e.pull_request for e in line.ledger() if getattr(e, "held_out", None) == rows}
    bodies = []
    for _ in range(2):
        branch, head, number = opened(line)
        done = reviewed(line, line.run(branch, line.parts(plans.better(), head)))
        assert done.entry.held_out == rows
        counted.add(number)
        bodies += [(comments(line, number)[0], len(counted))]
    assert len(counted - before) == 2
    for body, count in bodies:
        if count > 1:
            assert f"were judged on in {count} pull requests so far, this one included." in body
        else:
            assert "No other pull request was judged on these rows." in body


def test_a_new_head_edits_the_comment_and_adds_an_entry(line: SmallLine) -> None:
    branch, head, number = opened(line)
    first = reviewed(line, line.run(branch, line.parts(unfair(), head)))
    newer = commit_files(line.remote, branch, {"README.md": "fair now"}, onto=branch)
    since = len(line.world.writes)
    second = reviewed(line, line.run(branch, line.parts(plans.better(), newer)))
    assert second.comment.id == first.comment.id
    (body,) = comments(line, number)
    assert newer[:12] in body
    assert body.count(head[:12]) == 1
    assert f"**Since the last push** (`{head[:12]}`): `equal-odds` FAILED → **passed**" in body
    assert [each.number for each in second.plan.ledger] == [
        entry.number for entry in line.ledger()[-2::-1]
    ]
    assert [entry.commit for entry in line.ledger()[-2:]] == [head, newer]
    assert [entry.outcome.name for entry in line.ledger()[-2:]] == ["FAILED", "PASSED"]
    assert writes(line, since) == ["PATCH comments done", "POST statuses done"]


def test_the_first_pull_request_of_a_project(tmp_path: Path) -> None:
    line = SmallLine.start(tmp_path, {"README.md": "an idea"})
    with line.world:
        branch, head, number = opened(line, files=BASE)
        done = reviewed(line, line.run(branch, line.parts(plans.first(), head)))
        assert done.entry.base == line.main
        assert line.ledger() == (done.entry,)
        assert len(comments(line, number)) == 1


def test_of_a_repeated_run_the_last_artifacts_count(line: SmallLine) -> None:
    branch, head, _ = opened(line)
    run = line.run(branch, line.parts(unfair(), head))
    first, again = line.world.repo.runs[run], line.run(branch, line.parts(plans.better(), head))
    first.artifacts += line.world.repo.runs[again].artifacts
    done = reviewed(line, run)
    assert (done.entry.run, done.entry.outcome) == (run, Outcome.PASSED)


@pytest.mark.parametrize(
    ("plan", "state", "answer"),
    [
        (plans.better, "success", "PROMOTE"),
        (unfair, "failure", "POLICY_FAILED"),
        (lambda: plans.better(check_model=None), "error", "POLICY_FAILED"),
    ],
    ids=["passes", "fails", "unknown"],
)
def test_the_status_follows_the_verdict(
    line: SmallLine, plan: Callable[[], Any], state: str, answer: str
) -> None:
    branch, head, _ = opened(line)
    done = reviewed(line, line.run(branch, line.parts(plan(), head)))
    assert (line.statuses()[-1][0], done.entry.answer) == (state, answer)


def test_a_fork_is_commented_like_anybody(line: SmallLine) -> None:
    line.world.add_user("eve")
    line.world.add_fork("eve")
    fork = next(each for each in line.world.world.repos.values() if each.owner == "eve")
    head = commit_files(fork.git.path, "theirs", HEAD | {"README.md": "hello"}, onto="main")
    number = line.world.open_pull("eve:theirs", login="eve")
    parts = line.parts(plans.better(), head, base=line.main)
    about = {"head_sha": head, "head_branch": "theirs", "head_repository": "eve/credit"}
    done = reviewed(line, line.world.add_run(**about, artifacts=parts))
    assert (done.pull.number, done.entry.head_repository) == (number, "eve/credit")
    assert len(comments(line, number)) == 1


def of_a_stranger(line: SmallLine, branch: str, login: str) -> dict[str, Any]:
    """A pull request of a fork with somebody's head commit; what its runs are about."""
    line.world.add_user(login)
    fork, head = Path(line.world.add_fork(login)), git(line.remote, "rev-parse", branch)
    git(fork, "update-ref", "refs/heads/theirs", head)
    line.world.open_pull(f"{login}:theirs", login=login)
    return {"head_branch": "theirs", "head_repository": f"{login}/credit", "conclusion": "failure"}


@pytest.mark.parametrize("parts", [{}, {EVIDENCE_PART: b"no zip", MODEL_PART: b"no zip"}], ids=len)
def test_a_strangers_build_leaves_the_status_of_what_was_judged(
    line: SmallLine, parts: dict[str, bytes]
) -> None:
    branch, head, _ = opened(line)
    reviewed(line, line.run(branch, line.parts(plans.better(), head)))
    statuses = line.statuses()
    about = of_a_stranger(line, branch, f"mallory{len(parts)}")
    answer = refused(line, line.run(branch, parts, **about))
    assert answer.name in (Name.NO_EVIDENCE, Name.EVIDENCE_INVALID)
    assert line.statuses() == statuses
    # Its own later builds go on to tell: the stranger's pull request was never judged.
    assert refused(line, line.run(branch, {}, conclusion="failure")).name is Name.NO_EVIDENCE
    assert line.statuses()[-1][0] == "error"


def test_a_strangers_build_tells_where_nothing_was_judged(line: SmallLine) -> None:
    branch, head, _ = opened(line)
    refused(line, line.run(branch, {}, **of_a_stranger(line, branch, "mallory")))
    assert line.statuses()[-1][0] == "error"
    reviewed(line, line.run(branch, line.parts(plans.better(), head)))
    assert line.statuses()[-1][0] == "success"


@pytest.mark.parametrize("conclusion", ["failure", "success"])
def test_a_fork_that_handed_over_nothing(line: SmallLine, conclusion: str) -> None:
    line.world.add_user("dan")
    line.world.add_fork("dan")
    fork = next(each for each in line.world.world.repos.values() if each.owner == "dan")
    name = f"private-{conclusion}"
    head = commit_files(fork.git.path, name, HEAD | {"README.md": name}, onto="main")
    number = line.world.open_pull(f"dan:{name}", login="dan")
    about = {"head_sha": head, "head_branch": name, "head_repository": "dan/credit"}
    answer = refused(line, line.world.add_run(**about, artifacts={}, conclusion=conclusion))
    assert answer.name is Name.NO_EVIDENCE
    told = f"FETCH_HEAD:refs/heads/from-fork/{number}, and opens" in answer.next_step
    assert told is (conclusion == "failure"), "a build that was well had its data"
    state, sentence, _ = line.statuses()[-1]
    whole = f"NO_EVIDENCE: {answer.reason}"
    assert (state, "…" in sentence, sentence) == ("error", False, whole)


def test_the_verdict_is_that_of_mains_policy(line: SmallLine) -> None:
    """The build states that it passes by a policy of its own: that is not believed."""
    loose = {**GATES, "equal-odds": {**GATES["equal-odds"], "at_most": 0.9}}
    branch, head, _ = opened(line, files=HEAD | {"params.yaml": more_iterations(gates=loose)})
    done = reviewed(line, line.run(branch, line.parts(unfair(), head)))
    assert done.entry.answer == "POLICY_WEAKENED"
    assert line.statuses()[-1][0] == "failure"


def test_a_waiver_that_has_run_out_by_now(line: SmallLine) -> None:
    """The same run, judged on another day, says something else: edited, and remembered anew."""
    waiver = {"gate": "equal-odds", "reason": "known", "owner": "risk", "expires": "2026-11-20"}
    commit_files(line.remote, "main", {"params.yaml": settings(waivers=[waiver])}, onto="main")
    files = HEAD | {"params.yaml": more_iterations(waivers=[waiver])}
    branch, head, number = opened(line, files=files)
    run = line.run(branch, line.parts(unfair(), head))
    first = reviewed(line, run)
    second = reviewed(line, run, today=date(2026, 11, 21))
    assert [entry.outcome.name for entry in line.ledger()[-2:]] == ["WAIVED", "FAILED"]
    assert second.comment.id == first.comment.id
    assert "waiver" in comments(line, number)[0]
    assert [status[0] for status in line.statuses()[-2:]] == ["success", "failure"]


def test_main_has_moved_since_the_build(line: SmallLine) -> None:
    old = line.main
    branch, head, number = opened(line)
    parts = line.parts(plans.better(), head, base=old)
    commit_files(line.remote, "main", {"NEWS.md": "moved"}, onto="main")
    done = reviewed(line, line.run(branch, parts))
    assert done.entry.base == line.main != old
    (body,) = comments(line, number)
    assert f"main is at {line.main[:6]}" in body.replace("\u2060", "")
    assert f"the comparison is with {old[:6]}" in body.replace("\u2060", "")


def test_main_has_another_model_since_the_build(line: SmallLine) -> None:
    old = line.main
    branch, head, number = opened(line)
    parts = line.parts(plans.better(), head, base=old)
    commit_files(line.remote, "main", {"data/applications.parquet": "others"}, onto="main")
    since, entries = len(line.world.writes), len(line.ledger())
    answer = refused(line, line.run(branch, parts))
    assert (answer.name, answer.name.exit_code) == (Name.MOVED, 12)
    assert "merge main into the branch" in answer.next_step
    assert writes(line, since) == ["POST statuses done"]
    assert line.statuses()[-1][0] == "failure"
    assert (comments(line, number), len(line.ledger())) == ([], entries)


def test_a_branch_that_began_before_main_changed_the_model(line: SmallLine) -> None:
    branch, head, number = opened(line)
    others = {"params.yaml": settings(split={"test": 0.3})}
    commit_files(line.remote, "main", others, onto="main")
    reviewed(line, line.run(branch, line.parts(plans.better(), head)))
    (body,) = comments(line, number)
    assert "nothing would be promoted (MOVED)" in body
    assert "as version" not in body


def test_a_model_that_no_server_would_load_is_foreseen_as_unsafe(line: SmallLine) -> None:
    """What these bundles hold as a model is no skops file."""
    line.world.add_user("ann", "Ann", "ann@example.org", permission="write")
    line.world.add_user("bob", permission="write")
    branch, head, number = opened(line)
    run = line.run(branch, line.parts(plans.better(), head))
    reviewed(line, run)
    line.world.approve(number, "bob")
    done = reviewed(line, run)
    assert done.plan.forecast is not None
    assert done.plan.forecast.answer == Name.UNSAFE_MODEL
    assert (
        "**UNSAFE_MODEL**: Nothing is promoted; nothing is live yet." in comments(line, number)[0]
    )
    assert line.statuses()[-1][0] == "success", "the status is of the gates alone"


def test_a_pull_request_to_another_branch_is_judged_by_main(line: SmallLine) -> None:
    lax = settings(gates={"auc-floor": GATES["auc-floor"]})
    commit_files(line.remote, "lax", {"params.yaml": lax}, onto="main")
    branch = line.push()
    head = git(line.remote, "rev-parse", branch)
    number = line.world.open_pull(branch, "lax", login="ann")
    done = reviewed(line, line.run(branch, line.parts(unfair(), head)))
    assert done.entry.outcome is Outcome.FAILED
    assert "goes to lax" in comments(line, number)[0]


# --- nothing to judge ----------------------------------------------------------------------


def test_a_stale_run_changes_nothing(line: SmallLine) -> None:
    branch, head, number = opened(line)
    run = line.run(branch, line.parts(plans.better(), head))
    commit_files(line.remote, branch, {"b.txt": "more"}, onto=branch)
    since, entries = len(line.world.writes), len(line.ledger())
    answer = refused(line, run)
    assert (answer.name, answer.name.exit_code) == (Name.STALE_RUN, 12)
    assert writes(line, since) == []
    assert comments(line, number) == []
    assert len(line.ledger()) == entries


def test_a_run_that_goes_on_changes_nothing(line: SmallLine) -> None:
    branch, head, number = opened(line)
    run = line.run(branch, line.parts(plans.better(), head), status="in_progress")
    since = len(line.world.writes)
    answer = refused(line, run)
    assert (answer.name, answer.name.exit_code) == (Name.UNDECIDED, 4)
    assert (writes(line, since), comments(line, number)) == ([], [])


def test_a_head_that_git_has_not_or_no_more(line: SmallLine) -> None:
    """What the API says and what Git says differ for a moment after a push."""
    branch, head, number = opened(line)
    run = line.run(branch, line.parts(plans.better(), head))
    git(line.remote, "update-ref", f"refs/pull/{number}/head", "main")
    since = len(line.world.writes)
    assert refused(line, run).name is Name.STALE_RUN
    assert (writes(line, since), comments(line, number)) == ([], [])


def test_several_pull_requests_change_nothing(line: SmallLine) -> None:
    branch, head, _ = opened(line)
    git(line.remote, "branch", "release", "main")
    line.world.open_pull(branch, "release", login="ann")
    since, entries = len(line.world.writes), len(line.ledger())
    answer = refused(line, line.run(branch, line.parts(plans.better(), head)))
    assert (answer.name, answer.name.exit_code) == (Name.AMBIGUOUS, 12)
    assert (writes(line, since), len(line.ledger())) == ([], entries)


@pytest.mark.parametrize("kept", [(), (EVIDENCE_PART,), (MODEL_PART,)], ids=str)
def test_a_run_that_handed_over_too_little(line: SmallLine, kept: tuple[str, ...]) -> None:
    branch, head, number = opened(line)
    parts = line.parts(plans.better(), head)
    run = line.run(branch, {name: parts[name] for name in kept}, conclusion="failure")
    since, entries = len(line.world.writes), len(line.ledger())
    answer = refused(line, run)
    assert (answer.name, answer.name.exit_code) == (Name.NO_EVIDENCE, 12)
    assert writes(line, since) == ["POST statuses done"]
    state, sentence, _ = line.statuses()[-1]
    assert state == "error"
    assert sentence.startswith("NO_EVIDENCE: Run ")
    assert (comments(line, number), len(line.ledger())) == ([], entries)


def test_artifacts_that_have_expired(line: SmallLine) -> None:
    branch, head, _ = opened(line)
    run = line.run(branch, line.parts(plans.better(), head))
    line.world.expire(run)
    answer = refused(line, run)
    assert answer.name is Name.NO_EVIDENCE
    assert "expire" in answer.reason


# --- hostile artifacts ----------------------------------------------------------------------

Parts = dict[str, bytes]


def with_files(line: SmallLine, head: str, change: Callable[[Parts, Parts], None]) -> Parts:
    """Both artifacts after a change of their files by hand."""
    plan, model = sealed(line.candidate(plans.better(), head))
    evidence = evidence_files(plan)
    change(evidence, model)
    return {EVIDENCE_PART: zipped(evidence), MODEL_PART: zipped(model)}


def extra_name(evidence: Parts, model: Parts) -> None:
    model["model/code/evil.py"] = b"raise SystemExit"


def path_out_of_the_archive(evidence: Parts, model: Parts) -> None:
    evidence["../../.bashrc"] = b"evil"


def changed_model(evidence: Parts, model: Parts) -> None:
    model["model/model.skops"] = b"other trees"


def changed_metric(evidence: Parts, model: Parts) -> None:
    def better(document: Any) -> None:
        document["content"]["metrics"]["roc_auc"]["value"] = 0.99

    evidence["evaluate.json"] = rewritten(evidence["evaluate.json"], better)


def not_a_number(evidence: Parts, model: Parts) -> None:
    text = evidence["evaluate.json"].decode()
    value = json.loads(text)["content"]["metrics"]["roc_auc"]["value"]
    evidence["evaluate.json"] = text.replace(f'"value":{value}', '"value":NaN', 1).encode()


def other_schema(evidence: Parts, model: Parts) -> None:
    evidence["train.json"] = rewritten(evidence["train.json"], lambda d: d.update(more="fields"))


def other_commit(evidence: Parts, model: Parts) -> None:
    for name in ("candidate.json", "verdict.json"):
        text = evidence[name].decode()
        candidate = json.loads(evidence["candidate.json"])
        evidence[name] = text.replace(candidate["commit"], "c" * 40).encode()


@pytest.mark.parametrize(
    "change",
    [
        extra_name,
        path_out_of_the_archive,
        changed_model,
        changed_metric,
        not_a_number,
        other_schema,
        other_commit,
    ],
    ids=lambda change: change.__name__,
)
def test_a_bundle_that_is_not_what_a_build_makes(
    line: SmallLine, change: Callable[[Parts, Parts], None]
) -> None:
    branch, head, number = opened(line)
    run = line.run(branch, with_files(line, head, change))
    since, entries = len(line.world.writes), len(line.ledger())
    answer = refused(line, run)
    assert (answer.name, answer.name.exit_code) == (Name.EVIDENCE_INVALID, 12)
    assert writes(line, since) == ["POST statuses done"]
    state, sentence, _ = line.statuses()[-1]
    assert (state, sentence[:18]) == ("failure", "EVIDENCE_INVALID: ")
    assert (comments(line, number), len(line.ledger())) == ([], entries)


def test_settings_that_no_build_can_have_passed(line: SmallLine) -> None:
    bad = {"params.yaml": "project: credit-default\ngates: 7\nwaivers: 8\n"}
    branch, good, _ = opened(line)
    parts = line.parts(plans.better(), good)
    head = commit_files(line.remote, branch, bad, onto=branch)
    files = unpack(parts[EVIDENCE_PART], EVIDENCE_PART)
    files = {name: data.replace(good.encode(), head.encode()) for name, data in files.items()}
    parts[EVIDENCE_PART] = zipped(files)
    answer = refused(line, line.run(branch, parts))
    assert answer.name is Name.EVIDENCE_INVALID
    assert "params.yaml at" in answer.reason
    assert answer.reason.isprintable()


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all" * 99], ids=len)
def test_an_artifact_that_is_no_archive(line: SmallLine, data: bytes) -> None:
    branch, head, _ = opened(line)
    run = line.run(branch, line.parts(plans.better(), head) | {EVIDENCE_PART: data})
    assert refused(line, run).name is Name.EVIDENCE_INVALID


def test_an_artifact_that_is_too_large_is_not_downloaded(line: SmallLine) -> None:
    branch, head, _ = opened(line)
    large = bytes(archive_limit(EVIDENCE_PART) + 1)
    run = line.run(branch, line.parts(plans.better(), head) | {EVIDENCE_PART: large})
    before = len(line.world.requests)
    assert refused(line, run).name is Name.EVIDENCE_INVALID
    assert [each.path for each in line.world.requests[before:] if "zip" in each.path] == []


def test_hostile_text_does_nothing_in_the_comment(line: SmallLine) -> None:
    branch, head, number = opened(line)
    names = {
        "female": "<img src=x onerror=alert(1)> @octocat",
        "male": "</details><!-- mergeline: credit-default --> [a](https://evil.example)",
    }
    done = reviewed(line, line.run(branch, line.parts(plans.replaced(unfair(), names), head)))
    (body,) = comments(line, number)
    assert "<img" not in body
    assert "@octocat" not in body
    assert body.count("<!--") == 1
    assert done.entry.outcome is Outcome.FAILED
    (checked,) = [run for run in line.world.repo.check_runs.values() if run.sha == head]
    notes = [str(note["title"]) + str(note["message"]) for note in checked.output["annotations"]]
    assert any("octocat" in note for note in notes), "the reason of a gate names the groups"
    for said in (*checked.output.values(), *notes, *map(str, line.statuses()[-1])):
        assert "<img" not in str(said)
        assert "@octocat" not in str(said)
        assert "](https://" not in str(said)


@pytest.mark.parametrize("nasty", ["@octocat", "<img src=x>", "[a](https://evil.example)"])
def test_hostile_text_does_nothing_in_a_status(line: SmallLine, nasty: str) -> None:
    words = line.job().words
    for said in (
        words.line(f"NO_EVIDENCE: {nasty}"),
        words.sentence(plans.poisoned(unfair(), nasty)),
    ):
        assert len(said) <= 140
        assert "@octocat" not in said
        assert "<img" not in said
        assert "](" not in said
        assert "://" not in said
    assert nasty in words.line(nasty).replace("\u2060", "")


# --- faults ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["close", "cut", "truncate"])
def test_the_comment_is_there_and_the_answer_was_lost(line: SmallLine, kind: str) -> None:
    branch, head, number = opened(line)
    run, since = line.run(branch, line.parts(plans.better(), head)), len(line.world.writes)
    line.world.fault("POST", f"*/issues/{number}/comments", kind, after=kind == "close")
    done = reviewed(line, run)
    assert len(comments(line, number)) == 1
    assert done.entry.comment == line.job().github.comments(number)[0].id
    assert writes(line, since) == ["POST comments done", "POST statuses done"]


def test_every_read_fails_once(line: SmallLine) -> None:
    branch, head, number = opened(line)
    run = line.run(branch, line.parts(plans.better(), head))
    paths = ("*/actions/runs/*", "*/pulls", "*/artifacts/*", "*/comments", "*/zip", "/user")
    for path in (*paths, "*/reviews", "*/pulls/*/commits", "*/check-runs"):
        line.world.fault("GET", path, status=502)
    reviewed(line, run)
    assert len(comments(line, number)) == 1


def test_a_job_that_ends_between_comment_and_ledger(line: SmallLine) -> None:
    branch, head, number = opened(line)
    run = line.run(branch, line.parts(plans.better(), head))
    hook = line.remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'GH006: Protected branch update failed' >&2; exit 1\n")
    hook.chmod(0o755)
    try:
        with pytest.raises(ToolError, match="GH006"):
            review(line.job(), run)
    finally:
        hook.unlink()
    assert len(comments(line, number)) == 1
    entries = len(line.ledger())
    done = reviewed(line, run)
    assert len(comments(line, number)) == 1
    assert line.ledger()[entries:] == (done.entry,)


def test_a_status_that_may_have_arrived_is_set_once_more(line: SmallLine) -> None:
    branch, head, _ = opened(line)
    run = line.run(branch, line.parts(plans.better(), head))
    since = len(line.world.writes)
    line.world.fault("POST", "*/statuses/*", "close", after=True)
    reviewed(line, run)
    assert writes(line, since) == ["POST comments done", *["POST statuses done"] * 2]


def test_a_token_that_may_not_set_statuses(line: SmallLine) -> None:
    branch, head, number = opened(line)
    run = line.run(branch, line.parts(plans.better(), head))
    scopes = {"pull_requests": "write", "issues": "write"}
    token = line.world.token("github-actions[bot]", "write", scopes)
    with pytest.raises(GitHubError) as caught:
        review(line.job(token), run)
    assert "`statuses: write`" in caught.value.hint
    assert len(comments(line, number)) == 1, "said, remembered, and to be run again"
