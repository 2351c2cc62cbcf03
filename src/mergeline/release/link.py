"""One link of the chain from a served digest to what it was made from."""

from typing import Literal

from mergeline.core.base import Frozen


class Link(Frozen):
    """One link of the chain.

    Attributes:
        state: `holds`: computed again, and the same. `broken`: it is not. `unknown`: it could
            not be looked at, which is no tick.
        detail: What was compared, with the values.
    """

    name: str
    state: Literal["holds", "broken", "unknown"]
    detail: str


def held(name: str, detail: str) -> Link:
    """Return a link that was computed again and is the same."""
    return Link(name=name, state="holds", detail=detail)


def broken(name: str, detail: str) -> Link:
    """Return a link that was computed again and is not the same."""
    return Link(name=name, state="broken", detail=detail)


def unknown(name: str, detail: str) -> Link:
    """Return a link that could not be looked at."""
    return Link(name=name, state="unknown", detail=detail)
