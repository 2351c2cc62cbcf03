"""One link of the chain from a served digest to what it was made from."""

from collections.abc import Callable
from typing import Literal

from mergeline.config.problem import printable
from mergeline.core.base import Frozen
from mergeline.errors import InvalidBundle, MergelineError, RegistryMismatch


class Link(Frozen):
    """One link of the chain.

    Attributes:
        state: `holds`: computed again, and the same. `broken`: it is not. `unknown`: it could
            not be looked at, which is no tick.
        detail: What was compared, with the values, on one line.
    """

    name: str
    state: Literal["holds", "broken", "unknown"]
    detail: str


class Differs(Exception):
    """What was computed again is not what is stated."""


def looked(name: str, look: Callable[[], str]) -> Link:
    """Return what a look at a link comes to.

    Args:
        name: Of the link.
        look: Returns what was compared and is the same. It raises `Differs` or an error of
            bytes that are others where it is not, any other of our errors where it cannot be
            told.
    """
    try:
        return Link(name=name, state="holds", detail=printable(look()))
    except (Differs, InvalidBundle, RegistryMismatch) as error:
        return Link(name=name, state="broken", detail=printable(str(error)))
    except MergelineError as error:
        return Link(name=name, state="unknown", detail=printable(error.message))
