"""E is the digest of what evidence files say, and fields that come later leave it as it is."""

import json
from hashlib import sha256

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


def digest(value):
    """With nothing but hashlib and json."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


def test_a_file_of_before_a_field_was_there_keeps_its_digest():
    older = {name: value for name, value in content().items() if name not in ADDED}
    found = parsed(older)
    assert found.evaluate.content.thresholds == ()
    assert found.digest() == digest({"evaluate": older})
    assert found.evaluate.digest() == digest(older)


@pytest.mark.parametrize("name", ["thresholds", "costs", "n", "seed", "in_no_slice", "metrics"])
def test_every_value_that_a_file_says_is_in_the_digest(name):
    said = content()
    values = {"thresholds": [], "costs": {"true_positive": 2.0}, "in_no_slice": {"purpose": 3}}
    said[name] = values.get(name, 7 if name in ("n", "seed") else {})
    assert parsed(said).digest() == digest({"evaluate": said})
    assert parsed(said).digest() != parsed(content()).digest()
