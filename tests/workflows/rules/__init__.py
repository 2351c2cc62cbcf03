"""The rules of the workflows' policy. Each is a function from all files to complaints.

Its name is the test's name. A complaint names file, job and step, and what to write instead.
"""

from collections.abc import Callable, Iterator

from workflows.rules import calls, handing, pins, rights, running, triggers
from workflows.yaml_policy import Line

Rule = Callable[[Line], Iterator[str]]

RULES: dict[str, Rule] = {
    rule.__name__: rule
    for room in (triggers, rights, pins, running, calls, handing)
    for rule in room.RULES
}
