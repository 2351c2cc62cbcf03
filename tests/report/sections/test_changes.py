"""What the data part says of a text file, and of how it is written."""

from typing import Any

import pytest

from mergeline.core.evidence import Writing
from mergeline.core.plan import Plan
from mergeline.report.against import changes
from mergeline.report.comment import render_comment
from mergeline.report.sections.changes import changed

from .. import plans
from ..nasty import NASTY
from ..reading import problems, visible

COMMAS = Writing(encoding="utf-8-sig", separator=",", decimal=".", thousands=None)
GERMAN = Writing(encoding="cp1252", separator=";", decimal=",", thousands=".")


def written(now: Writing | None, before: Writing | None) -> Plan:
    plan = plans.better()
    update = {
        "evidence": _with(plan.evidence, now),
        "baseline_evidence": _with(plan.baseline_evidence, before),
    }
    return plan.model_copy(update=update)


def _with(evidence: Any, writing: Writing | None, **more: Any) -> Any:
    content = evidence.prepare.content.model_copy(update={"writing": writing, **more})
    prepare = evidence.prepare.model_copy(update={"content": content})
    return evidence.model_copy(update={"prepare": prepare})


def test_what_is_no_text_says_nothing_of_it() -> None:
    assert "separator" not in changed(written(None, None)).body
    assert len(changes(written(None, COMMAS))) == len(changes(written(None, None)))


@pytest.mark.parametrize(
    ("writing", "said"),
    [
        (COMMAS, "; `utf-8`, separator `,`), target"),
        (GERMAN, "; `cp1252`, separator `;`, decimal `,`, thousands `.`), target"),
        (COMMAS.model_copy(update={"separator": "\t"}), "separator `tab`)"),
        (Writing(encoding="utf-16", separator=None, decimal=None, thousands=None), "; `utf-16`),"),
    ],
)
def test_how_a_text_is_written_is_said(writing: Writing, said: str) -> None:
    assert said in changed(written(writing, writing)).body


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [(0, 0, ""), (None, None, ""), (40, 0, "| 40 | 0 | +40 |"), (0, 40, "| 0 | 40 | -40 |")],
)
def test_repeated_ids_are_counted_where_there_are_any(
    now: int | None, before: int | None, said: str
) -> None:
    plan = plans.better()
    evidence, baseline = (
        _with(of, None, duplicate_ids=count)
        for of, count in ((plan.evidence, now), (plan.baseline_evidence, before))
    )
    found = plan.model_copy(update={"evidence": evidence, "baseline_evidence": baseline})
    row = f"| Rows with an earlier row's id {said}"
    assert (row in changed(found).body) is bool(said)


def test_what_differs_from_the_baseline_is_said() -> None:
    plan = written(GERMAN, COMMAS)
    expected = ["encoding utf-8 → cp1252", "separator , → ;", "decimal . → ,", "thousands none → ."]
    assert [*changes(plan)[2:6]] == expected
    assert "encoding utf-8 → cp1252; separator" in visible(changed(plan).body)
    assert " → cp1252" not in visible(changed(written(GERMAN, GERMAN)).body)


@pytest.mark.parametrize("nasty", NASTY)
def test_names_of_encodings_do_nothing(nasty: str) -> None:
    writing = GERMAN.model_copy(update={"encoding": nasty, "separator": nasty})
    assert problems(render_comment(written(writing, COMMAS))) == []
