"""The policy of the workflows: this repository's, those that `init` writes, the README's."""

import re
import shlex

import pytest
from typer.main import get_command

from mergeline.cli.app import app
from mergeline.project.doctor.workflows import NEEDED
from workflows.rules import RULES
from workflows.rules.calls import granted_of
from workflows.yaml_policy import Line, callers, everything, examples, own


@pytest.mark.parametrize("rule", RULES)
def test_every_file_keeps_the_rule(rule: str) -> None:
    assert list(RULES[rule](everything())) == []


def test_every_workflow_that_is_called_has_its_caller() -> None:
    ours = {file.name for file in own().of("workflow")}
    assert {file.name for file in callers()} == ours - {"ci"}


@pytest.mark.parametrize("file", NEEDED)
def test_doctor_asks_for_what_the_workflows_have(file: str) -> None:
    assert NEEDED[file] == granted_of(own().workflow(file.removesuffix(".yml")))


_README = """
```yaml
project: credit-default
```

```yaml
name: promote
on: {push: {branches: [main]}}
permissions: {}
jobs:
  mergeline:
    uses: acme/mergeline/.github/workflows/promote.yml@main
```
"""


def test_a_workflow_in_the_readme_is_held_against_the_rules() -> None:
    (example,) = examples(_README)
    assert example.path == "README.md:.github/workflows/promote.yml"
    said = {name: list(rule(Line((*own().files, example)))) for name, rule in RULES.items()}
    assert {name for name, each in said.items() if each} == {
        "actions_are_pinned",
        "jobs_name_their_permissions",
        "callers_pass_what_is_declared",
        "callers_grant_what_is_needed",
    }


@pytest.mark.parametrize(
    "command", sorted({step.run for step in everything().steps() if "mergeline" in step.run})
)
def test_every_command_is_one_that_mergeline_has(command: str) -> None:
    group = get_command(app)
    verb, *words = shlex.split(re.sub(r"\$[A-Z_]+", "1", command))[1:]
    group.commands[verb].make_context(verb, words)
