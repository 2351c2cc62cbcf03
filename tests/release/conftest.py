"""The line of the tests of promotion: a first model live, within seconds."""

from promote.conftest import (
    builds,
    empty,
    empty_line,
    first_line,
    line_folder,
    plain_environment_of_promotions,
    scenario,
)

__all__ = [
    "builds",
    "empty",
    "empty_line",
    "first_line",
    "line_folder",
    "plain_environment_of_promotions",
    "scenario",
]
