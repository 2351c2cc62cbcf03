"""E is the digest of what evidence says, and fields that come later leave it as it is."""

import json

import pytest

from mergeline.core.evidence import EvidenceSet
from report import plans

ADDED = {"thresholds", "costs", "cost_unit", "cheapest"}


def parsed(content):
    """The evidence of a file of the stage evaluate."""
    envelope = json.loads(plans.better().evidence.evaluate.model_dump_json())
    return EvidenceSet.parse({"evaluate": json.dumps({**envelope, "content": content}).encode()})


def content():
    return json.loads(plans.better().evidence.evaluate.content.model_dump_json())


def test_a_field_that_came_later_leaves_the_digest_of_what_was_said_before():
    older = {name: value for name, value in content().items() if name not in ADDED}
    newer = {**older, "thresholds": [], "costs": {}, "cost_unit": "", "cheapest": None}
    assert parsed(older).digest() == parsed(newer).digest()
    assert parsed(older).evaluate.digest() == parsed(newer).evaluate.digest()


@pytest.mark.parametrize("name", ["thresholds", "costs", "n", "seed", "in_no_slice", "metrics"])
def test_a_value_that_is_said_is_in_the_digest(name):
    said = content()
    values = {"thresholds": [], "costs": {"true_positive": 2.0}, "in_no_slice": {"purpose": 3}}
    said[name] = values.get(name, 7 if name in ("n", "seed") else {})
    assert parsed(said).digest() != parsed(content()).digest()


def test_what_was_parsed_has_the_digest_of_what_was_written():
    plan = plans.better()
    files = {
        stage: item.model_dump_json().encode()
        for stage, item in ((name, getattr(plan.evidence, name)) for name in ("train", "evaluate"))
    }
    made = plan.evidence.model_copy(
        update=dict.fromkeys(("prepare", "check_data", "check_model", "fairness", "explain"))
    )
    assert EvidenceSet.parse(files).digest() == made.digest()
