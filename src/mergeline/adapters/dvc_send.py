"""Files on their way to a DVC remote: sent where they are not there, then looked at again.

Imports DVC: import this where needed.
"""

import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dvc.fs import localfs
from dvc_objects.fs import generic

from mergeline.adapters.dvc_publish import Sealed
from mergeline.adapters.dvc_rivals import rivals
from mergeline.adapters.dvc_settings import remote_name, remote_settings
from mergeline.adapters.dvc_trouble import trouble
from mergeline.errors import ToolError
from mergeline.files import file_sha256

# Above this an object is not fetched again to be hashed; of a folder all are.
_MOST_FETCHED = 64 * 1024 * 1024


@dataclass
class Sending:
    """The default remote, written to.

    Attributes:
        objects: By address the file in our cache.
        entries: By path at the remote the file in our cache.
        others: By stage, what is there under the same key with other outputs.
    """

    repo: Any
    objects: dict[str, Path] = field(default_factory=dict)
    entries: dict[str, Path] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    sent: int = 0
    wrong: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name = str(remote_name(self.repo.config))

    def send(self, sealed: Mapping[str, Sealed]) -> None:
        """Send what is not there of sealed stages: objects, then entries; then look again.

        An entry that is there stays, and nothing is sent beside it: of two results of the
        same inputs DVC takes any. Only one whose objects are not there is removed.

        Raises:
            ToolError: The remote cannot be used.
        """
        try:
            self._send(sealed)
        except Exception as error:  # each kind of remote has errors of its own
            raise self._failed(error) from error

    def _send(self, sealed: Mapping[str, Sealed]) -> None:
        odb = self.repo.cloud.get_remote_odb(None, "push")
        legacy = self.repo.cloud.get_remote_odb(None, "push", hash_name="md5-dos2unix")
        has_runs = odb.fs.protocol not in ("http", "https")
        runs = Path(self.repo.stage_cache.cache_dir)
        broken: list[str] = []
        for name, each in sealed.items() if has_runs else ():
            place = each.entry.relative_to(runs).parts
            target = legacy.fs.join(legacy.path, "runs", *place)
            found = rivals(odb, legacy.fs, target, each.entry)
            broken += found.broken
            if found.whole:
                self.others[name] = "/".join(("runs", *place[:-1], found.whole))
            self.entries[target] = each.entry
        if self.others:
            self.entries = {}
            return
        for each in sealed.values():
            self.objects |= _objects(each.stage)
        # The list of a folder comes after its files: whoever finds it finds them.
        files = {
            odb.oid_to_path(oid): path
            for oid, path in sorted(self.objects.items(), key=lambda item: item[0].endswith(".dir"))
        }
        self._put(odb.fs, files)
        if not has_runs:
            self.notices.append(
                f"DVC keeps no list of runs at {self.name!r}, a web server: a fresh clone "
                "restores a stage from there only by a committed dvc.lock that names these outputs."
            )
        elif not self.wrong:
            self._put(legacy.fs, self.entries)
            if not self.wrong:
                self._remove(legacy.fs, broken)

    def _put(self, fs: Any, files: Mapping[str, Path]) -> None:
        for target, path in files.items():
            if self._differs(fs, target, path) == "is not there":
                fs.makedirs(fs.parent(target))
                generic.copy(localfs, os.fspath(path), fs, target)
                self.sent += 1
        for target, path in files.items():
            if said := self._differs(fs, target, path):
                self.wrong.append(f"{path.parent.name}/{path.name} {said}")

    def _differs(self, fs: Any, target: str, path: Path) -> str:
        """Say how the remote's file is not ours; empty when it is."""
        try:
            size = fs.info(target).get("size")
        except FileNotFoundError as error:
            if trouble(error, remote_settings(self.repo.config, self.name)).kind != "absent":
                raise
            return "is not there"
        if size not in (None, path.stat().st_size):
            return f"is there with {size:,} bytes in place of {path.stat().st_size:,}"
        if fs.protocol != "local" and path.stat().st_size > _MOST_FETCHED:
            return ""
        return "" if _fetched_sha256(fs, target) == file_sha256(path) else "has other bytes there"

    def _remove(self, fs: Any, paths: Iterable[str]) -> None:
        for path in paths:
            try:
                fs.rm_file(path)
            except Exception as error:  # noqa: BLE001 - each kind of remote has its own
                said = trouble(error, remote_settings(self.repo.config, self.name)).said
                self.notices.append(
                    f"An older entry of the same inputs, whose files are gone, stays there: {said}."
                )

    def _failed(self, error: Exception) -> ToolError:
        found = trouble(error, remote_settings(self.repo.config, self.name))
        hints = {
            "refused": "give a credential that may write, in MERGELINE_DVC_CONFIG",
            "no plugin": "add it to the requirements of the job that publishes",
        }
        return ToolError(
            f"the DVC remote {self.name!r} cannot be written to: {found.said}",
            hint=hints.get(found.kind, "run this again: what is there is not sent twice"),
        )


def _objects(stage: Any) -> dict[str, Path]:
    """Return the files that a stage's outputs are in our cache, by address."""
    found: dict[str, Path] = {}
    for out in stage.outs:
        addresses = [out.hash_info.value]
        if out.hash_info.isdir:
            addresses += [oid.value for _, _, oid in out.get_obj()]
        found |= {each: Path(out.cache.oid_to_path(each)) for each in addresses}
    return found


def _fetched_sha256(fs: Any, target: str) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "file")
        fs.get_file(target, os.fspath(file))
        return file_sha256(file)
