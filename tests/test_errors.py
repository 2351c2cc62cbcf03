"""Every error of the tree has a message, a hint and a documented exit code."""

from collections.abc import Iterator

import pytest

from mergeline import errors
from mergeline.errors import MergelineError

# 0 passed, warned or waived; 1 bug; 2 usage; 3 config or contract; 4 tool or network;
# 10 FAILED; 11 ERRORED; 12 refused.
OF_ERRORS = {1, 2, 3, 4, 12}


def tree(kind: type[MergelineError]) -> Iterator[type[MergelineError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


KINDS = list(tree(MergelineError))


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_has_message_hint_and_exit_code(kind: type[MergelineError]) -> None:
    error = kind("what happened", hint="what to do")
    assert (str(error), error.message, error.hint) == (
        "what happened",
        "what happened",
        "what to do",
    )
    assert error.exit_code in OF_ERRORS
    assert kind.__doc__
    with pytest.raises(TypeError):
        kind("a message without a hint")  # type: ignore[call-arg]


def test_only_the_root_is_a_bug() -> None:
    assert [kind for kind in KINDS if kind.exit_code == 1] == [MergelineError]


def test_all_errors_live_in_one_file() -> None:
    assert {kind.__module__ for kind in KINDS} == {errors.__name__}
