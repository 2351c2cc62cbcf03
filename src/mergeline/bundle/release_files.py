"""A version's files, fetched: held against the digests that the ledger states.

Nothing is loaded: files are hashed, and the evidence is read as data.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from mergeline.core.digest import promotion_key, tree_digest
from mergeline.core.evidence import STAGES, EvidenceSet
from mergeline.errors import BytesMismatch
from mergeline.files import file_sha256
from mergeline.ledger.entries import Release

MODEL_FOLDER = "model"
PROBES_FILE = "probes.json"
EVIDENCE_FOLDER = "evidence"
RELEASE_FILE = "release.json"
EVIDENCE = tuple(f"{EVIDENCE_FOLDER}/{stage}.json" for stage in STAGES)
MOST_FILES = 100
MOST_BYTES = 4 * 2**30
_MOST_EVIDENCE = 64 * 2**20

_HINT = "nothing was taken from it; look at the registry and at who may write to it"


def verify(folder: Path, release: Release) -> None:
    """Hold every file of a release against the digests that the ledger states.

    Nothing is loaded: the files are hashed and the evidence is read as data.

    Args:
        folder: With `model/`, `probes.json` and `evidence/`; other files are refused.
        release: As declared.

    Raises:
        BytesMismatch: A digest differs, a file is missing, too many or too large, or no
            regular file.
    """
    files = regular_files(folder)
    known = {RELEASE_FILE, PROBES_FILE, *EVIDENCE}
    model = {name for name in files if name.startswith(f"{MODEL_FOLDER}/")}
    strange = sorted(files.keys() - known - model)
    if strange:
        raise _refused(f"{folder.name} holds {strange[0]!r}, which no release has")
    found = tree_digest(
        (name.removeprefix(f"{MODEL_FOLDER}/"), file_sha256(files[name])) for name in model
    )
    require_same("the model (M)", found, release.model)
    key = promotion_key(release.project, release.inputs, found)
    require_same("the promotion's key (K)", key, release.key)
    evidence = read_evidence(files)
    require_same("the evidence (E)", evidence.digest(), release.evidence)
    if evidence.evaluate is None or PROBES_FILE not in files:
        raise _refused(f"{folder.name} lacks the probe rows, or the evidence of their scores")
    probes = file_sha256(files[PROBES_FILE])
    require_same(PROBES_FILE, probes, evidence.evaluate.content.probes_sha256)


def read_evidence(files: Mapping[str, Path]) -> EvidenceSet:
    """Read the evidence among a release's files.

    Raises:
        BytesMismatch: A file is not evidence of this version's schema.
    """
    found = {}
    for stage, name in zip(STAGES, EVIDENCE, strict=True):
        if name in files:
            if files[name].stat().st_size > _MOST_EVIDENCE:
                raise _refused(f"{name} is larger than {_MOST_EVIDENCE} bytes")
            found[stage] = files[name].read_bytes()
    try:
        return EvidenceSet.parse(found)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise _refused(
            f"the evidence is not of this version of Mergeline: {where}: {problem['msg']}"
        ) from error


def regular_files(folder: Path) -> dict[str, Path]:
    """Return the files under a folder by POSIX path.

    Raises:
        BytesMismatch: There is a link, a device or the like, or too many or too large files.
    """
    found: dict[str, Path] = {}
    size = 0
    waiting = [folder]
    while waiting:
        for entry in os.scandir(waiting.pop()):
            status = entry.stat(follow_symlinks=False)
            path = Path(entry.path)
            name = path.relative_to(folder).as_posix()
            if stat.S_ISDIR(status.st_mode):
                waiting.append(path)
            elif stat.S_ISREG(status.st_mode):
                found[name] = path
                size += status.st_size
            else:
                raise _refused(f"{name[:200]!r} is a link or a device, expected a file")
            if len(found) + len(waiting) > MOST_FILES or size > MOST_BYTES:
                raise _refused(
                    f"{folder.name} holds more than {MOST_FILES} files or {MOST_BYTES} bytes"
                )
    return found


def require_same(what: str, found: str, stated: str) -> None:
    """Refuse a digest that is not the one stated.

    Raises:
        BytesMismatch: The two differ.
    """
    if found != stated:
        raise _refused(f"{what}: the bytes have {found[:12]}, the ledger states {stated[:12]}")


def _refused(message: str) -> BytesMismatch:
    return BytesMismatch(message, hint=_HINT)
