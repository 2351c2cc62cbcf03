"""Packing: the archive of a part, as a workflow's upload makes it, with bytes that repeat."""

import io
import zipfile
from pathlib import Path

from mergeline.bundle.names import PARTS
from mergeline.errors import ContractError

_EPOCH = (1980, 1, 1, 0, 0, 0)
_FILE = 0o100644 << 16
_UNIX = 3


def pack(root: Path, part: str) -> bytes:
    """Return the archive of a part of a checked project.

    Args:
        root: The project's root, after `mergeline check`.
        part: One of `names.PARTS`.

    Raises:
        ContractError: A file that the part must hold is not there.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, allowed in sorted(PARTS[part].items()):
            path = root / allowed.path
            if path.is_file():
                info = zipfile.ZipInfo(name, date_time=_EPOCH)
                info.create_system, info.external_attr = _UNIX, _FILE
                archive.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED)
            elif allowed.required:
                raise ContractError(
                    f"{allowed.path} is not there, and {part} must hold it",
                    hint="make it: mergeline check",
                )
    return buffer.getvalue()
