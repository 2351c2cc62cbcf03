"""Unpacking: an archive that a build made, read as hostile. Nothing touches the disk."""

from collections.abc import Mapping

from mergeline.bundle.names import (
    COMPRESSED_FREELY,
    MOST_COMPRESSED,
    MOST_ENTRIES,
    PARTS,
    Allowed,
    archive_limit,
)
from mergeline.core.archive import Member, content, read_members
from mergeline.core.strict_json import shortened
from mergeline.errors import InvalidBundle

_HINT = "upload the files that `mergeline check` wrote, and nothing else"


def unpack(data: bytes, part: str) -> dict[str, bytes]:
    """Return the files of an archive by name: those on the list of the part, and only those.

    Args:
        data: The archive as downloaded.
        part: One of `names.PARTS`.

    Raises:
        InvalidBundle: It is no plain zip archive of regular files, a name is not on the list
            or is missing, or something is larger than allowed.
    """
    if len(data) > archive_limit(part):
        raise _refused(part, f"{len(data):,} bytes, at most {archive_limit(part):,} are allowed")
    try:
        members = read_members(data, most=MOST_ENTRIES)
        for member in members:
            _require_allowed(member, PARTS[part])
        files = {member.name: content(data, member) for member in members}
    except ValueError as error:
        raise _refused(part, str(error)) from error
    needed = (name for name, allowed in PARTS[part].items() if allowed.required)
    missing = [name for name in needed if name not in files]
    if missing:
        raise _refused(part, f"it does not hold {', '.join(missing)}")
    return files


def _require_allowed(member: Member, allowed: Mapping[str, Allowed]) -> None:
    shown = shortened(member.name)
    if member.name not in allowed:
        raise ValueError(f"{shown} is not one of {', '.join(allowed)}")
    most = allowed[member.name].most
    if member.size > most:
        raise ValueError(f"{shown} has {member.size:,} bytes, at most {most:,} are allowed")
    if member.size > max(COMPRESSED_FREELY, MOST_COMPRESSED * member.compressed):
        raise ValueError(
            f"{shown} is {member.compressed:,} bytes that become {member.size:,}; at most "
            f"{MOST_COMPRESSED} times as many are allowed"
        )


def _refused(part: str, what: str) -> InvalidBundle:
    return InvalidBundle(f"the artifact {part} is refused: {what}", hint=_HINT)
