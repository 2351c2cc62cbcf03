"""Numbers as they stand in a report, read back, and held against what was measured."""

import json
import re
from base64 import b64decode
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from mergeline.core.base import Estimate

from .reading import Table

_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


def numbers(text: str) -> list[tuple[float, float]]:
    """Return the numbers of a text, each with how far it may be from the one that it shows."""
    found = []
    for sign in _NUMBER.findall(text):
        digits = sign.replace(",", "").rstrip(",")
        mantissa, _, power = digits.partition("e")
        decimals = len(mantissa.partition(".")[2])
        found.append((float(digits), 0.5000001 * 10 ** (int(power or 0) - decimals)))
    return found


def shows(text: str, *values: float | None) -> bool:
    """Whether a text begins with these numbers, as far as it gives digits; None for none."""
    wanted = [value for value in values if value is not None]
    found = numbers(text)[: len(wanted)]
    return len(found) == len(wanted) and all(
        abs(number - value) <= slack for (number, slack), value in zip(found, wanted, strict=True)
    )


def shows_estimate(text: str, estimate: Estimate) -> bool:
    """Whether a text gives value and interval of an estimate, or says that there is none."""
    if estimate.value is None:
        return text.startswith("not measured")
    return shows(text, estimate.value, estimate.low, estimate.high)


@dataclass
class _Reader(HTMLParser):
    """Collects the tables of a page, and what its links to data hold."""

    found: list[list[list[str]]] = field(default_factory=list)
    data: dict[str, bytes] = field(default_factory=dict)
    inside: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.found.append([])
        elif tag == "tr" and self.found:
            self.found[-1].append([])
        elif tag in ("td", "th") and self.found and self.found[-1]:
            self.found[-1][-1].append("")
            self.inside = True
        elif tag == "a" and (given := dict(attrs)).get("download"):
            kind, _, body = (given["href"] or "").partition(",")
            assert kind == "data:application/json;base64"
            self.data[given["download"] or ""] = b64decode(body)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "table"):
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.found[-1][-1][-1] += data


def page_tables(page: str) -> list[Table]:
    """Return the tables of a page as a reader sees them."""
    reader = _Reader()
    reader.feed(page)
    clean = [[[_clean(cell) for cell in row] for row in rows if row] for rows in reader.found]
    return [Table(tuple(rows[0]), tuple(map(tuple, rows[1:]))) for rows in clean if rows]


def page_data(page: str) -> dict[str, Any]:
    """Return what the downloads of a page hold, by their names."""
    reader = _Reader()
    reader.feed(page)
    return {name: json.loads(data) for name, data in reader.data.items()}


def _clean(cell: str) -> str:
    return " ".join(cell.replace("\u2060", "").replace("\u2068", "").replace("\u2069", "").split())
