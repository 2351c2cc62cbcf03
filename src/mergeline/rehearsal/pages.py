"""Lists come in pages: 30 by default, at most 100, with the other pages' addresses."""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from mergeline.rehearsal.answers import Answer, Json
from mergeline.rehearsal.calls import Call

_DEFAULT, _MOST = 30, 100
T = TypeVar("T")


def page(
    call: Call, items: Sequence[T], show: Callable[[Call, T], Any], key: str | None = None
) -> Answer:
    """Answer with the page that was asked for.

    Args:
        call: Gives `page` and `per_page`.
        items: The whole list.
        show: Writes one item as GitHub does; called for this page only.
        key: Where GitHub wraps the list: its name there, beside `total_count`.
    """
    number, size = _asked(call)
    shown = [show(call, item) for item in window(call, items)]
    body: Json | list[Any] = shown if key is None else {"total_count": len(items), key: shown}
    last = max(1, -(-len(items) // size))
    return Answer(200, body, _links(call, number, last))


def window(call: Call, items: Sequence[T]) -> Sequence[T]:
    """Return the items of the page that was asked for."""
    number, size = _asked(call)
    return items[(number - 1) * size : number * size]


def _asked(call: Call) -> tuple[int, int]:
    """Return the page's number, from 1, and its size."""
    number = max(1, _whole(call.query.get("page"), 1))
    return number, min(_MOST, max(1, _whole(call.query.get("per_page"), _DEFAULT)))


def _links(call: Call, number: int, last: int) -> dict[str, str]:
    wanted: dict[str, int] = {}
    if number > 1:
        wanted |= {"prev": min(number - 1, last), "first": 1}
    if number < last:
        wanted |= {"next": number + 1, "last": last}
    if not wanted:
        return {}
    places = [f'<{_address(call, place)}>; rel="{name}"' for name, place in wanted.items()]
    return {"Link": ", ".join(places)}


def _address(call: Call, number: int) -> str:
    return f"{call.api}{call.path}?{urlencode({**call.query, 'page': number})}"


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch("[0-9]{1,9}", text) else default
