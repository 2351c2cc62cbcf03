"""Whether the registry still holds what the ledger once declared."""

import tempfile
from pathlib import Path

from mergeline.adapters.registry import Registry
from mergeline.bundle.release_files import (
    EVIDENCE,
    MODEL_FOLDER,
    PROBES_FILE,
    regular_files,
    verify,
)
from mergeline.core.answers import Answer, Name, answer
from mergeline.errors import BytesMismatch, RegistryMismatch, RegistryUnavailable
from mergeline.ledger.entries import Release


def held(registry: Registry, release: Release) -> Answer | None:
    """Return why the registry's bytes are not those of the release; None when they are.

    Nothing is loaded: the files are hashed.
    """
    try:
        version = registry.version(release.version)
        if version is None or version.key != release.key:
            found = "nothing" if version is None else "another model"
            reason = f"The registry has {found} as version {release.version}."
            return answer(Name.REGISTRY_MISMATCH, reason, "name another release with --to")
        with tempfile.TemporaryDirectory() as scratch:
            download, taken = Path(scratch, "download"), Path(scratch, "release")
            registry.download(release.version, download)
            _take(download, taken)
            verify(taken, release)
    except (BytesMismatch, RegistryMismatch) as error:
        return answer(Name.BYTES_MISMATCH, f"{error.message}.", error.hint)
    except RegistryUnavailable as error:
        return answer(Name.REGISTRY_UNAVAILABLE, f"{error.message}.", error.hint)
    return None


def _take(download: Path, taken: Path) -> None:
    """Take what the ledger's digests cover."""
    for name, path in regular_files(download).items():
        if name.startswith(f"{MODEL_FOLDER}/") or name in (PROBES_FILE, *EVIDENCE):
            (taken / name).parent.mkdir(parents=True, exist_ok=True)
            path.rename(taken / name)
