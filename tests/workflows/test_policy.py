"""The policy of the workflows: this repository's, those that `init` writes, the README's."""

import pytest

from mergeline.project.doctor.workflows import NEEDED
from workflows.rules import RULES
from workflows.rules.calls import granted_of
from workflows.yaml_policy import callers, everything, own


@pytest.mark.parametrize("rule", RULES)
def test_every_file_keeps_the_rule(rule: str) -> None:
    assert list(RULES[rule](everything())) == []


def test_every_workflow_that_is_called_has_its_caller() -> None:
    ours = {file.name for file in own().of("workflow")}
    assert {file.name for file in callers()} == ours - {"ci"}


@pytest.mark.parametrize("file", NEEDED)
def test_doctor_asks_for_what_the_workflows_have(file: str) -> None:
    assert NEEDED[file] == granted_of(own().workflow(file.removesuffix(".yml")))
