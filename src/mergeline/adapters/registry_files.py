"""The files of a version, as artifacts of a run: in a folder named by their digest."""

import stat
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

from mergeline.adapters.mlflow_store import Store
from mergeline.core.digest import sha256, tree_digest
from mergeline.errors import RegistryMismatch
from mergeline.files import file_sha256

MOST_FILES = 100  # and folders
MOST_BYTES = 2 * 1024**3
_AT_ONCE = 8


def files_digest(files: Mapping[str, bytes]) -> str:
    """Return the digest of files by name: what their folder is called."""
    return tree_digest((name, sha256(data)) for name, data in files.items())


def artifacts_of(store: Store, run: str) -> Any:
    """Return MLflow's `ArtifactRepository` of a run."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    if store.embedded:
        # Not where the run says: a project that was moved took its files with it.
        return get_artifact_repository(f"{store.artifacts}/{run}/artifacts")
    uri = store.client.get_run(run).info.artifact_uri
    return get_artifact_repository(uri, tracking_uri=store.client.tracking_uri)


def upload(artifacts: Any, files: Mapping[str, bytes]) -> str:
    """Put files into the artifacts of a run, and return their digest.

    Raises:
        RegistryMismatch: They are too many or too large to be read back.
    """
    digest = files_digest(files)
    _require_bounds({name: len(data) for name, data in files.items()})
    with tempfile.TemporaryDirectory() as temporary:

        def put(name: str) -> None:
            path = Path(temporary, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[name])
            # File by file: MLflow replaces a file whole, and a folder in place.
            artifacts.log_artifact(str(path), str(PurePosixPath(digest, name).parent))

        # Side by side: most of the time is the network's.
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(put, files))
    return digest


def download(artifacts: Any, digest: str, folder: Path) -> dict[str, Path]:
    """Fetch the files of a digest, whole or not at all, and return their paths by name.

    Args:
        artifacts: Of the run.
        digest: What their folder is called.
        folder: Where to; not there yet, or empty.

    Raises:
        RegistryMismatch: What the folder holds is something else.
    """
    sizes = _listing(artifacts, digest)
    _require_bounds(sizes)
    if not sizes:
        raise _mismatch("there are none")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        fetched = Path(temporary, digest)
        fetched.mkdir()
        artifacts.download_artifacts(digest, temporary)
        _require_files(fetched, sizes)
        found = tree_digest((name, file_sha256(fetched / name)) for name in sizes)
        if found != digest:
            raise _mismatch(f"{len(sizes)} files with the digest {found}, expected {digest}")
        fetched.replace(folder)
    return {name: folder / name for name in sorted(sizes)}


def _listing(artifacts: Any, folder: str) -> dict[str, int]:
    """Return sizes by name of what lies below a folder; the server is not believed."""
    files: dict[str, int] = {}
    folders, seen = [folder], 0
    while folders:
        inside = folders.pop()
        for item in artifacts.list_artifacts(inside):
            seen += 1
            if seen > MOST_FILES:
                raise _mismatch(f"more than {MOST_FILES} files and folders")
            path = PurePosixPath(item.path)
            if str(path) != item.path or str(path.parent) != inside or path.name == "..":
                raise _mismatch(f"{item.path[:200]!r} is listed in the folder {inside!r}")
            if item.is_dir:
                folders.append(item.path)
            else:
                files[str(path.relative_to(folder))] = int(item.file_size or 0)
    return files


def _require_bounds(sizes: Mapping[str, int]) -> None:
    if len(sizes) > MOST_FILES:
        raise _mismatch(f"{len(sizes)} files, expected at most {MOST_FILES}")
    if sum(sizes.values()) > MOST_BYTES:
        raise _mismatch(f"{sum(sizes.values()):,} bytes, expected at most {MOST_BYTES:,}")


def _require_files(folder: Path, sizes: Mapping[str, int]) -> None:
    """Refuse what is on the disk unless it is what was listed: it was listed anew."""
    for path in folder.rglob("*"):
        name, found = path.relative_to(folder).as_posix(), path.lstat()
        is_file = stat.S_ISREG(found.st_mode) and found.st_size == sizes.get(name)
        if not is_file and not stat.S_ISDIR(found.st_mode):
            raise _mismatch(f"{name[:200]!r} is not a file of {sizes.get(name, 0):,} bytes")


def _mismatch(reason: str) -> RegistryMismatch:
    return RegistryMismatch(
        f"the files of the version are not what was registered: {reason}",
        hint="restore the registry's artifacts, or delete the version and promote again",
    )
