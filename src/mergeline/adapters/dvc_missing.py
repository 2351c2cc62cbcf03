"""Data that a stage would read, and that cannot be had: why, and what to do."""

from dataclasses import dataclass

from mergeline.adapters.dvc_trouble import Kind, Trouble
from mergeline.errors import DataUnavailable

_PUSH_FIRST = "push it from where it is: `dvc push`; then run this again"
_LET_IN = (
    "give a credential that may read it: MERGELINE_DVC_CONFIG holds the text of a "
    ".dvc/config.local; it may have expired, or not be given to this run"
)
_AGAIN = "run this again; if it stays so, look at the address in .dvc/config and at the network"
_PLUGIN = "add it to the project's locked requirements"


@dataclass(frozen=True)
class MissingData:
    """Data that a stage would read, and that cannot be had.

    Attributes:
        files: By path.
        remote: The default remote's name; empty without one. `address` is where it is,
            without credentials.
        kind: Why not; `said` is what was said of it, without credentials, or empty.
    """

    files: tuple[str, ...]
    remote: str = ""
    address: str = ""
    kind: Kind = "no remote"
    said: str = ""

    def error(self) -> DataUnavailable:
        """Return this as an error."""
        files, remote = ", ".join(self.files), f"the DVC remote {self.remote!r} ({self.address})"
        said = f": {self.said}" if self.said else ""
        why, hint = {
            "no remote": ("it is in no cache here, and there is no DVC remote", _PUSH_FIRST),
            "absent": (f"{remote} answers, and does not hold it", _PUSH_FIRST),
            "refused": (f"{remote} refuses access{said}", _LET_IN),
            "slow": (f"{remote} did not answer in time{said}", _AGAIN),
            "unreachable": (f"{remote} cannot be reached{said}", _AGAIN),
            "no plugin": (f"DVC lacks the part for {remote}{said}", _PLUGIN),
            "failed": (f"{remote} failed{said}", _AGAIN),
        }[self.kind]
        said = f"the data {files} cannot be had: {why}"
        return DataUnavailable(said, hint=hint, kind=self.kind)


def why_missing(
    files: tuple[str, ...], name: str | None, address: str, found: Trouble | None
) -> MissingData:
    """Return what is missing, with the reason.

    Args:
        files: By path.
        name: Of the default remote; None without one.
        address: Where that is, without credentials.
        found: Its trouble; None where it answers.
    """
    if name is None:
        return MissingData(files)
    if found is None:
        return MissingData(files, name, address, "absent")
    kind = "failed" if found.kind == "absent" else found.kind
    return MissingData(files, name, address, kind, found.said)
