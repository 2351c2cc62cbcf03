"""If merged now, with what GitHub and the ledger say; and everything at its largest."""

import pytest

from mergeline.core.plan import Forecast, Plan
from mergeline.core.remarks import Places
from mergeline.core.verdict import Banner, GateResult, Outcome, Verdict
from mergeline.report.check_run import render_check_run
from mergeline.report.comment import LIMIT, render_comment
from mergeline.report.forecast import foretold

from . import plans
from .nasty import NASTY
from .reading import problems, shape, visible

PROMOTE = Forecast(
    answer="PROMOTE",
    environment="production",
    needed=2,
    approvers=("bob", "eve"),
    version="4",
    live="3",
    rollback_to="3",
)
REASON = "#7 has 1 of the 2 approvals that its head 8c1d4f0a6b2e needs."
REFUSED = Forecast(
    answer="NOT_APPROVED", reason=REASON, environment="production", needed=2, live="3"
)


def seen(forecast: Forecast, plan: Plan | None = None) -> Plan:
    return (plan or plans.better()).model_copy(update={"forecast": forecast})


def section(plan: Plan) -> str:
    said = visible(render_comment(plan))
    return said.split("If merged now\n\n")[1].split("\n\n")[0]


def test_a_promotion_is_foreseen_with_its_version() -> None:
    assert section(seen(PROMOTE)) == (
        "PROMOTE as version 4: As things stand, exactly this model becomes the next release of "
        "credit-default in production. Approved by bob and eve; 2 approvals asked for. "
        "A rollback after that would return to version 3."
    )


def test_a_refusal_says_why_and_what_stays() -> None:
    assert section(seen(REFUSED)) == (
        f"NOT_APPROVED: Nothing is promoted; version 3 stays live. {REASON}"
    )
    nothing = REFUSED.model_copy(update={"live": None})
    assert "Nothing is promoted; nothing is live yet." in section(seen(nothing))


def test_what_is_live_already() -> None:
    live = PROMOTE.model_copy(
        update={"answer": "ALREADY_LIVE", "reason": "It is.", "version": None, "rollback_to": None}
    )
    assert section(seen(live)).startswith("ALREADY_LIVE: Nothing is promoted. It is. ")
    assert section(seen(live)).endswith("would return to nothing: there is none.")


def test_what_gates_refuse_is_said_as_ever() -> None:
    plan = plans.unfair()
    gates = Forecast(answer="POLICY_FAILED", environment="production", needed=1)
    assert section(seen(gates, plan)) == section(plan)


def test_what_else_is_to_be_known() -> None:
    more = PROMOTE.model_copy(update={"live_is_older": True, "waiting": 2})
    said = section(seen(more))
    assert "Version 3, which is live, is older than the base" in said
    assert "The line has not come to 2 commits of main yet" in said


@pytest.mark.parametrize("forecast", [PROMOTE, REFUSED])
def test_no_approvals_is_said_aloud(forecast: Forecast) -> None:
    free = forecast.model_copy(update={"needed": 0, "approvers": ()})
    assert "approvals: 0, so nobody's approval is asked for" in section(seen(free))


def test_many_approvers_are_counted() -> None:
    many = PROMOTE.model_copy(update={"approvers": tuple(f"u{n}" for n in range(900))})
    assert "Approved by u0, u1, u2, u3, u4 and 895 others;" in section(seen(many))


def test_a_check_of_ones_own_foresees_nothing() -> None:
    assert foretold(plans.better()) == ()
    assert "forecast" not in seen(PROMOTE).model_dump(), "it is never handed over"


@pytest.mark.parametrize("nasty", NASTY)
def test_no_string_of_a_forecast_acts(nasty: str) -> None:
    for forecast in (PROMOTE, REFUSED):
        plan = seen(plans.poisoned(forecast, nasty))
        comment = render_comment(plan)
        assert problems(comment) == []
        assert shape(comment) == shape(render_comment(seen(plans.poisoned(forecast, "x"))))
        summary = render_check_run(plan, Places(settings="params.yaml", gates={})).summary
        assert problems(f"<!-- mergeline: x -->\n\n{summary}") == []


# --- a megabyte ------------------------------------------------------------------


def huge(nasty: str) -> Plan:
    """More than a megabyte in gates, reasons, banners, notices, files, approvers and groups."""
    text = (nasty + " ") * (20_000 // (len(nasty) + 1))
    gates = tuple(
        GateResult(
            name=f"{number} {text[:300]}",
            rule=text[:2_000],
            outcome=Outcome.FAILED if number % 2 else Outcome.WARNED,
            reason=text,
            waiver=text,
        )
        for number in range(60)
    )
    plan = plans.poisoned(plans.unfair(), text[:1_000])
    verdict = Verdict(outcome=Outcome.FAILED, gates=gates)
    judgement = plan.judgement.model_copy(
        update={
            "outcome": Outcome.FAILED,
            "verdict": verdict,
            "banners": (Banner(kind="gates-moved", text=text),) * 20,
        }
    )
    forecast = Forecast(
        answer="NOT_APPROVED",
        reason=text,
        environment=text,
        needed=3,
        approvers=(text,) * 50,
        live=text,
        live_is_older=True,
        waiting=9,
    )
    return plan.model_copy(
        update={
            "judgement": judgement,
            "forecast": forecast,
            "notices": (text,) * 50,
            "candidate": plan.candidate.model_copy(update={"dirty": (text,) * 50}),
        }
    )


@pytest.mark.parametrize("nasty", ["a finding", *NASTY[::6], "$", "@a ", "`|<"])
def test_a_megabyte_of_findings_is_one_valid_comment(nasty: str) -> None:
    plan = huge(nasty)
    assert len(repr(plan)) > 1_000_000
    comment = render_comment(plan)
    assert len(comment) < LIMIT
    assert comment.startswith("<!-- mergeline: ")
    assert "### Gates: 60 FAILED" not in comment
    assert "### Gates: 30 FAILED" in comment
    assert "**NOT_APPROVED**: Nothing is promoted; version " in comment
    assert "To reproduce it:" in comment
    assert problems(comment) == []


@pytest.mark.parametrize("nasty", ["a finding", *NASTY[::6]])
def test_a_megabyte_in_a_check_run_is_bounded(nasty: str) -> None:
    plan = huge(nasty)
    text = render_check_run(plan, Places(settings="params.yaml", gates={}))
    assert len(text.summary) < LIMIT
    assert len(text.title) <= 255
    for one in text.remarks:
        assert len(one.title) <= 255
        assert len(one.message.encode()) <= 65_536
