"""Every error that Mergeline raises on purpose: a message, a hint, an exit code.

The message names the value seen, what was expected and where it came from; the
hint is the next thing to do. `mergeline.cli.main` is the only handler.
"""

from typing import ClassVar


class MergelineError(Exception):
    """Root of the tree. Raised directly only for a bug in Mergeline itself.

    Attributes:
        message: What happened, with the value seen and what was expected.
        hint: What to do next; one sentence.
        exit_code: The documented exit code of the process.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(MergelineError):
    """The command line asks for something that does not exist or does not fit."""

    exit_code = 2


class ConfigError(MergelineError):
    """A settings file (`params.yaml`, `dvc.yaml`) says something that is not allowed."""

    exit_code = 3


class ContractError(MergelineError):
    """The data is missing, unreadable, or not what settings and contract promise."""

    exit_code = 3


class InvalidBundle(ContractError):
    """What a build handed over is not what a build of this commit hands over."""


class BytesMismatch(InvalidBundle):
    """Bytes have another digest than the one stated for them."""


class ModelError(MergelineError):
    """The estimator of the settings cannot be made, trained, saved or scored."""

    exit_code = 3


class UnsafeModel(ModelError):
    """A model directory could do more than score, or cannot be told not to."""


class ToolError(MergelineError):
    """A tool, the network, the disk or an environment that Mergeline needs failed."""

    exit_code = 4


class GitHubError(ToolError):
    """GitHub refused, was not understood, or could not be asked.

    Attributes:
        status: HTTP status of the answer; None when there was none that is whole.
        again_after: Seconds after which asking again may help; None when it cannot.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        status: int | None = None,
        again_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.again_after = again_after

    @property
    def unclear(self) -> bool:
        """Whether a write that failed like this may have been done all the same."""
        return self.status is None or not 400 <= self.status < 500  # noqa: PLR2004


class CmlFailed(ToolError):
    """CML cannot be used here, or did not end well; it may have written all the same."""


class TooManyCommits(GitHubError):
    """A pull request has more commits than GitHub lists: asking again does not help."""


class DataUnavailable(ToolError):
    """Data behind a `.dvc` pointer cannot be had, and a stage that must run reads it.

    Attributes:
        kind: Why, as `adapters.dvc_trouble` tells them apart.
    """

    def __init__(self, message: str, *, hint: str, kind: str = "failed") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


class NotRestored(ToolError):
    """What a commit made is in no cache, and may or can not be made again here."""


class NoReport(ToolError):
    """What the last check left is not there, or does not belong together."""


class RemoteRefused(ToolError):
    """A Git remote is not there, or does not let us read or change it; nothing was changed."""


class ReportInvalid(ToolError):
    """What lies where a follower reports is no report of it."""


class LedgerInvalid(ToolError):
    """The ledger is not what an append-only, hash-chained history can be."""


class RegistryUnavailable(ToolError):
    """The registry cannot be asked, or is not understood; a write may have been done."""


class RegistryMismatch(ToolError):
    """The registry holds something else than what was registered."""


class WorkerGone(ToolError):
    """The model process ended before it answered."""


class BadRequest(ContractError):
    """A request that cannot be scored, by the client's fault.

    Attributes:
        status: As in HTTP: 400, or 415 for a content type.
    """

    def __init__(self, message: str, *, hint: str, status: int = 400) -> None:
        super().__init__(message, hint=hint)
        self.status = status


def first_line(error: Exception) -> str:
    """Return the first line of what an error says, at most 300 characters of it."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]
