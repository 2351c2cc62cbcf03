"""Zip archives that nobody vouches for: one reading, or a refusal.

A zip file says everything twice, in front of each member and in a directory at the end, and
readers differ in whom they believe. Here both must say the same, the members must fill the
file from its first byte to the directory without gap or overlap, and what only another
reader could see (zip64 sizes, other names, comments, bytes before or behind) is refused.
"""

import stat
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from struct import Struct, error

from mergeline.core.strict_json import shortened

_LOCAL, _CENTRAL = Struct("<4s5H3I2H"), Struct("<4s6H3I5H2I")
_END, _EXTRA = Struct("<4s4H2IH"), Struct("<2H")
_CHECKS = Struct("<3I")
_DESCRIPTOR_MARK = b"PK\x07\x08"
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_DESCRIPTOR = 0x0008  # checksum and sizes stand behind the data
_KNOWN_FLAGS = 0x0006 | _DESCRIPTOR | 0x0800  # level of deflate; UTF-8
_DOS_FOLDER = 0x10
# Sizes, a name, or a cipher of their own.
_REFUSED_EXTRA = {0x0001: "zip64", 0x7075: "a second name", 0x9901: "encryption"}


@dataclass(frozen=True)
class Member:
    """One file of an archive.

    Attributes:
        size: Of the content as stated; `content` holds it to that.
        compressed: Size of the data in the archive, which starts at `start`.
        checksum: CRC-32 of the content as stated.
        offset: Where its own header starts.
    """

    name: str
    size: int
    compressed: int
    checksum: int
    method: int
    flags: int
    offset: int
    start: int = 0

    @property
    def end(self) -> int:
        """The byte behind the data."""
        return self.start + self.compressed


def read_members(data: bytes, *, most: int) -> tuple[Member, ...]:
    """Return what an archive holds, in the order of its directory; decompress nothing.

    Args:
        data: The whole archive.
        most: How many members it may have.

    Raises:
        ValueError: It is no archive that every reader reads alike, or it holds something
            else than regular files; the message names the member and what was found.
    """
    try:
        directory, found = _directory(data, most)
        members = tuple(_located(data, member) for member in found)
        _require_filled(data, sorted(members, key=lambda member: member.start), directory)
    except error as problem:
        raise ValueError("a header is cut off") from problem
    names: set[str] = set()
    for member in members:
        if member.name.casefold() in names:
            raise ValueError(f"the name {shortened(member.name)} is there twice")
        names.add(member.name.casefold())
    return members


def content(data: bytes, member: Member) -> bytes:
    """Return the content of a member: never more bytes than it states are made.

    Args:
        data: The archive that `member` was read from.
        member: Its size is what the caller allows.

    Raises:
        ValueError: It does not hold what it states.
    """
    raw = memoryview(data)[member.start : member.end]
    name = shortened(member.name)
    if member.method == _STORED:
        found, whole = bytes(raw), True
    else:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            found = inflate.decompress(raw, member.size + 1)
        except zlib.error as problem:
            raise ValueError(f"{name} cannot be decompressed: {problem}") from problem
        whole = inflate.eof and not inflate.unused_data
    if len(found) != member.size or not whole:
        raise ValueError(f"{name} does not hold the {member.size:,} bytes that it states")
    if zlib.crc32(found) != member.checksum:
        raise ValueError(f"{name} has another checksum than it states")
    return found


# --- the directory at the end --------------------------------------------------------


def _directory(data: bytes, most: int) -> tuple[int, list[Member]]:
    """Return where the directory starts, and the members as it states them."""
    if len(data) < _END.size:
        raise ValueError(f"{len(data)} bytes are no zip archive")
    end = len(data) - _END.size
    mark, disk, first_disk, here, count, size, start, comment = _END.unpack_from(data, end)
    if mark != b"PK\x05\x06" or comment:
        raise ValueError("it does not end with the directory of a zip archive")
    if disk or first_disk or here != count or start + size != end:
        raise ValueError("its directory is not where it states, or it is in the zip64 format")
    if count > most:
        raise ValueError(f"it has {count} entries, at most {most} are allowed")
    members, place = [], start
    for _ in range(count):
        member, place = _entry(data, place)
        members.append(member)
    if place != end:
        raise ValueError("its directory is longer than its entries")
    return start, members


def _entry(data: bytes, place: int) -> tuple[Member, int]:
    mark, _, _, flags, method, _, _, crc, packed, size, *lengths, disk, _, attributes, offset = (
        _CENTRAL.unpack_from(data, place)
    )
    if mark != b"PK\x01\x02":
        raise ValueError("its directory holds something else than entries")
    at = place + _CENTRAL.size
    raw, extra, comment = _cut(data, at, lengths)
    name = _name(raw)
    shown = shortened(name)
    if disk or comment:
        raise ValueError(f"{shown} has a comment, or lies in another archive")
    _require_plain_file(shown, attributes)
    _require_known(shown, flags, method, extra)
    member = Member(name, size, packed, crc, method, flags, offset)
    return member, at + sum(lengths)


def _cut(data: bytes, start: int, lengths: Iterable[int]) -> Iterator[bytes]:
    for length in lengths:
        part = data[start : start + length]
        if len(part) != length:
            raise ValueError("a header is cut off")
        yield part
        start += length


def _name(raw: bytes) -> str:
    if not raw or not raw.isascii() or not raw.decode().isprintable():
        raise ValueError(f"the name {shortened(raw)} is not plain ASCII")
    return raw.decode()


def _require_plain_file(shown: str, attributes: int) -> None:
    kind = stat.S_IFMT(attributes >> 16)
    if kind not in (0, stat.S_IFREG) or attributes & _DOS_FOLDER:
        what = {stat.S_IFLNK: "a link", stat.S_IFDIR: "a folder", 0: "a folder"}.get(kind)
        raise ValueError(f"{shown} is {what or 'a device'}, expected a regular file")


def _require_known(shown: str, flags: int, method: int, extra: bytes) -> None:
    if flags & _ENCRYPTED:
        raise ValueError(f"{shown} is encrypted")
    if flags & ~_KNOWN_FLAGS:
        raise ValueError(f"{shown} has the flags {flags:#06x}, which are not known")
    if method not in (_STORED, _DEFLATED):
        raise ValueError(f"{shown} is compressed by method {method}, expected 0 or 8")
    while extra:
        kind, length = _EXTRA.unpack_from(extra)
        if kind in _REFUSED_EXTRA:
            raise ValueError(f"{shown} carries {_REFUSED_EXTRA[kind]}")
        if len(extra) < _EXTRA.size + length:
            raise ValueError(f"{shown} carries a field that is cut off")
        extra = extra[_EXTRA.size + length :]


# --- in front of, and behind, each member ----------------------------------------------


def _located(data: bytes, member: Member) -> Member:
    """Return a member with the place of its data, its own header being the directory's."""
    shown = shortened(member.name)
    mark, _, flags, method, _, _, *checks, length, extra = _LOCAL.unpack_from(data, member.offset)
    stated = [member.checksum, member.compressed, member.size]
    later = flags & _DESCRIPTOR and checks == [0, 0, 0]
    alike = (mark, flags, method) == (b"PK\x03\x04", member.flags, member.method)
    at = member.offset + _LOCAL.size
    if not alike or not (checks == stated or later):
        raise _contradiction(shown)
    name, fields = _cut(data, at, [length, extra])
    if name != member.name.encode():
        raise _contradiction(shown)
    _require_known(shown, flags, method, fields)
    if method == _STORED and member.compressed != member.size:
        raise ValueError(f"{shown} is stored as it is and states two sizes")
    return Member(**{**vars(member), "start": at + length + extra})


def _contradiction(shown: str) -> ValueError:
    return ValueError(f"the header of {shown} says something else than the directory")


def _require_filled(data: bytes, members: list[Member], directory: int) -> None:
    """Refuse gaps, overlaps, and bytes before the first member."""
    here, starts = 0, [*(member.offset for member in members), directory]
    for member, following in zip(members, starts[1:], strict=True):
        if member.offset != here:
            raise ValueError(f"{shortened(member.name)} overlaps another, or bytes are between")
        here = member.end + _descriptor(data, member, following - member.end)
    if here != directory:
        raise ValueError("there are bytes between the last member and the directory")


def _descriptor(data: bytes, member: Member, room: int) -> int:
    """Return the size of what stands behind the data: checksum and sizes, or nothing."""
    if not member.flags & _DESCRIPTOR:
        return 0
    stated = _CHECKS.pack(member.checksum, member.compressed, member.size)
    for expected in (_DESCRIPTOR_MARK + stated, stated):
        if len(expected) == room and data[member.end : member.end + room] == expected:
            return room
    raise ValueError(f"{shortened(member.name)} overlaps another, or bytes are between")
