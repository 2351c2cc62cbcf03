"""Getting the outputs of stages out of DVC's caches. Imports DVC: import this where needed."""

import errno
from dataclasses import dataclass, field
from typing import Any

from dvc.exceptions import CollectCacheError, ConfirmRemoveError
from dvc.stage.cache import RunCacheNotFoundError, RunCacheNotSupported

from mergeline.adapters.dvc_settings import remote_settings
from mergeline.adapters.dvc_trouble import Trouble, trouble, without_secrets

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass
class Remote:
    """The default remote, until it fails once.

    Attributes:
        name: None where there is none, or it is not to be asked.
        notices: What it could not do, one sentence each.
        failure: Why it is asked no more; `trouble` is the same by kind.
    """

    repo: Any
    name: str | None
    notices: list[str] = field(default_factory=list)
    failure: str = ""
    trouble: Trouble | None = None
    _answers: bool = False

    def __post_init__(self) -> None:
        known = self.repo.config["remote"].get(self.name)
        if known is not None:  # else a damaged object would be taken for the right one
            known["verify"] = True

    def address_of(self, name: str) -> str:
        """Return where a remote is, without credentials."""
        settings = remote_settings(self.repo.config, name)
        return without_secrets(str(settings.get("url", "")), settings)

    @property
    def usable(self) -> bool:
        """Whether to ask it."""
        return self.name is not None

    def fetch_runs(self) -> None:
        """Bring the list of runs that the remote knows into the local run-cache."""
        if not self.usable:
            return
        try:
            there = self.repo.cloud.get_remote_odb(None, hash_name="md5-dos2unix")
            _require_folder(there)
            self.repo.stage_cache.transfer(there, self.repo.cache.legacy, force=False)
        except RunCacheNotSupported:
            pass  # over http a remote gives outputs, and no list of runs
        except Exception as error:  # noqa: BLE001 - each kind of remote has errors of its own
            self.failed(error)

    def failed(self, error: Exception) -> None:
        """Ask no more, and say why.

        Raises:
            Exception: The error itself, where it is no fault of the remote.
        """
        if not self.usable or (isinstance(error, OSError) and error.errno in _DISK):
            raise error
        self.trouble = trouble(error, remote_settings(self.repo.config, self.name))
        self.failure = f"the DVC remote {self.name!r} cannot be used ({self.trouble.said})"
        self.notices.append(
            f"{self.failure.replace('the', 'The', 1)}: what is in no cache here was made again."
        )
        self.name = None

    def look_for(self, out: Any) -> None:
        """Ask for one object that did not come: is it not there, or does the remote not answer?

        To DVC a web server that refuses us, or is not there, is one without the file.
        """
        if self._answers or not self.usable or not out.hash_info:
            return
        try:
            there = self.repo.cloud.get_remote_odb(None, hash_name=out.hash_name)
            _require_folder(there)
            there.fs.info(there.oid_to_path(out.hash_info.value))
        except Exception as error:  # noqa: BLE001 - each kind of remote has errors of its own
            absent = isinstance(error, FileNotFoundError) and not isinstance(error, _NoFolder)
            if not absent or trouble(error, {}).kind != "absent":
                self.failed(error)
                return
        self._answers = True


class _NoFolder(FileNotFoundError):
    """The folder that a remote is."""


def _require_folder(there: Any) -> None:
    root = there.path.removesuffix("/files/md5")
    if there.fs.protocol == "local" and not there.fs.exists(root):
        raise _NoFolder(f"there is no folder {root}")


@dataclass(frozen=True)
class Restorer:
    """Gets outputs out of the local cache, and of the remote where it is usable."""

    repo: Any
    remote: Remote

    def restore(self, stage: Any, *, run: bool) -> bool:
        """Get the outputs of a stage, and say whether they are there now.

        Where not, the data that a run of it needs has been got.

        Args:
            stage: A stage whose needs are up to date.
            run: Whether `dvc.lock` does not name them: then an earlier run with the very
                inputs of now is looked for.
        """
        if not run and self.checkout(stage):
            return True
        for source in self.repo.index.graph.successors(stage):
            if source.is_data_source and not all(out.exists for out in source.outs):
                self.checkout(source)
        return run and all(dep.exists for dep in stage.deps) and self._from_run(stage)

    def checkout(self, stage: Any) -> bool:
        """Get the outputs that a stage or a pointer names, and say whether they are there."""
        if self.remote.usable and not stage.outs_cached():
            try:
                for objects in stage.get_used_objs().values():
                    self.repo.cloud.pull(objects)
            except CollectCacheError:
                pass  # the remote does not hold them
            except Exception as error:  # noqa: BLE001 - each kind of remote has its own
                self.remote.failed(error)
            for out in stage.outs:
                if out.changed_cache():
                    self.remote.look_for(out)
        if not stage.outs_cached():
            return False
        stage.checkout(force=True)
        return all(out.exists for out in stage.outs)

    def _from_run(self, stage: Any) -> bool:
        try:
            self.repo.stage_cache.restore(stage, pull=self.remote.usable)
        except (RunCacheNotFoundError, ConfirmRemoveError):
            return False  # an output that is in no cache is in the way: `dvc repro` replaces it
        except Exception as error:  # noqa: BLE001 - each kind of remote has its own
            self.remote.failed(error)
            return False
        stage.save(run_cache=False)
        stage.commit()
        stage.dump(update_pipeline=False)
        return True
