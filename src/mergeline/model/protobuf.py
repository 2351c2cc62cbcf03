"""Protocol buffers that nobody vouches for: read in one way only, and bounded.

Google's readers let the last of two equal fields win, merge messages that are given twice,
pass over fields that they do not know and take a number in several lengths. Two readers that
differ there would see two documents. So all of that is refused, and what is not in the table
of messages too.
"""

import struct
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from mergeline.core.strict_json import shortened

_MOST_FIELDS = 10_000_000
_DEEPEST = 40
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# By kind of a number, how it lies when it is alone, and how many bytes it then has.
_NUMBERS = {"int": (_VARINT, 0), "double": (_FIXED64, 8), "float": (_FIXED32, 4)}
_FORMATS = {"double": "<d", "float": "<f"}
_SIGN = 1 << 63

Message = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """A field of a message.

    Attributes:
        kind: `int`, `float`, `double`, `text`, `bytes`, the name of a message, or `refused`.
        many: Whether it may be there several times.
    """

    name: str
    kind: str
    many: bool


@cache
def fields_of(lines: str) -> Mapping[int, Field]:
    """Read a message of a table: `number name kind`, with `*` behind the kind of a list."""
    found = {}
    for line in filter(None, map(str.strip, lines.splitlines())):
        number, name, kind = line.split()
        found[int(number)] = Field(name, kind.rstrip("*"), kind.endswith("*"))
    return found


def read_message(data: bytes, kind: str, messages: Mapping[str, str]) -> Message:
    """Return the fields of a message by name.

    A list of whole numbers is an `array`, one of other numbers their count; bytes are views
    into `data`. A field that is not there is not in the answer.

    Args:
        data: All of it is the message.
        kind: Its name in the table.
        messages: The table: by name, lines as `fields_of` reads them.

    Raises:
        ValueError: It is not such a message; the message says what was found.
    """
    return _Reader(memoryview(data), messages).message(kind, 0, len(data), 0)


class _Reader:
    """Reads one document, and counts its fields."""

    def __init__(self, data: memoryview, messages: Mapping[str, str]) -> None:
        self._data = data
        self._messages = messages
        self._left = _MOST_FIELDS

    def message(self, kind: str, at: int, end: int, depth: int) -> Message:
        if depth > _DEEPEST:
            raise ValueError(f"messages in messages, deeper than {_DEEPEST}")
        fields, found = fields_of(self._messages[kind]), dict[str, Any]()
        while at < end:
            tag, at = self._varint(at, end)
            field, wire = fields.get(tag >> 3), tag & 7
            if field is None:
                raise ValueError(f"the unknown field {tag >> 3} of {kind}")
            if field.kind == "refused":
                raise ValueError(f"the field {field.name} of {kind}")
            self._take(1)
            if field.name in found and not field.many:
                raise ValueError(f"the field {field.name} of {kind} twice")
            if field.kind in _NUMBERS:
                at = self._number(field, wire, at, end, found)
                continue
            if wire != _BYTES:
                raise ValueError(f"the field {field.name} of {kind} as a number")
            at, stop = self._length(at, end)
            value = self._value(field.kind, at, stop, depth)
            if field.many:
                found.setdefault(field.name, []).append(value)
            else:
                found[field.name] = value
            at = stop
        return found

    def _value(self, kind: str, at: int, stop: int, depth: int) -> Any:
        if kind == "bytes":
            return self._data[at:stop]
        if kind == "text":
            try:
                return str(self._data[at:stop], "utf-8")
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{shortened(bytes(self._data[at:stop]))}, which is no text"
                ) from error
        return self.message(kind, at, stop, depth + 1)

    def _number(self, field: Field, wire: int, at: int, end: int, found: Message) -> int:
        """Take one number, or a list of them in one piece; return the place behind it."""
        alone, size = _NUMBERS[field.kind]
        packed = wire == _BYTES and field.many
        if not packed and wire != alone:
            raise ValueError(f"the field {field.name} written as something else")
        stop = end
        if packed:
            at, stop = self._length(at, end)
        read = self._whole if field.kind == "int" else self._fixed
        return read(field, at, stop, size, found, packed=packed)

    def _whole(
        self, field: Field, at: int, stop: int, _: int, found: Message, *, packed: bool
    ) -> int:
        values = found.get(field.name, array("q"))
        while at < stop or not packed:
            value, at = self._varint(at, stop)
            values.append(value - (1 << 64) if value & _SIGN else value)
            self._take(1)
            if not packed:
                break
        found[field.name] = values if field.many else values[0]
        return at

    def _fixed(
        self, field: Field, at: int, stop: int, size: int, found: Message, *, packed: bool
    ) -> int:
        last = stop if packed else at + size
        if last > stop or (last - at) % size:
            raise ValueError(f"the field {field.name}, cut off")
        if field.many:
            found[field.name] = found.get(field.name, 0) + (last - at) // size
        else:
            found[field.name] = struct.unpack(_FORMATS[field.kind], self._data[at:last])[0]
        return last

    def _length(self, at: int, end: int) -> tuple[int, int]:
        """Return where a field of bytes begins and ends."""
        length, at = self._varint(at, end)
        if length > end - at:
            raise ValueError(f"a field of {length:,} bytes where {end - at:,} are left")
        return at, at + length

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        data, value, shift, first = self._data, 0, 0, at
        while at < end and shift < 64:  # noqa: PLR2004 -- bits
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 -- the last of it
                if (byte == 0 and at - first > 1) or value >> 64:
                    break
                return value, at
            shift += 7
        raise ValueError("a number that is cut off or longer than it needs to be")

    def _take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise ValueError(f"more than {_MOST_FIELDS:,} fields and numbers")
