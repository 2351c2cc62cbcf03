"""Why a DVC remote did not do what it was asked, and in words without credentials.

DVC's http remotes say "no such file" of everything; what really happened is the cause.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mergeline.adapters.git_process import without_credentials

Kind = Literal["no remote", "absent", "refused", "slow", "unreachable", "no plugin", "failed"]

# By name: the libraries that raise them are installed with the kind of remote that they serve.
_REFUSED = re.compile(
    "PermissionError|AuthenticationError|NoCredentials|PartialCredentials|TokenRetrieval"
    "|RefreshError|DefaultCredentialsError|PermissionDenied|Unauthorized|Forbidden"
)
_REFUSED_TEXT = re.compile(
    "Access ?Denied|Forbidden|InvalidAccessKeyId|SignatureDoesNotMatch|Expired ?Token"
    "|Unable to locate credentials|Unauthorized|AuthenticationFailed|invalid_grant",
    re.IGNORECASE,
)
_SLOW = re.compile("Timeout")
_UNREACHABLE = re.compile("ConnectionError|gaierror|ConnectorError|ConnectError|EndpointError")
_REFUSED_STATUS, _ABSENT_STATUS = (401, 403, 407), (404, 410)
# What these keys of a remote say is no secret; all others are blotted out.
_OPEN = {"url", "endpointurl", "region", "profile", "auth", "method", "version_aware", "verify"}
_SHORTEST, _LONGEST = 4, 300


@dataclass(frozen=True)
class Trouble:
    """What went wrong.

    Attributes:
        kind: `absent` means that the remote answered, and has no such file.
        said: By the library, on one line, without credentials.
    """

    kind: Kind
    said: str


def trouble(error: BaseException, config: Mapping[str, Any]) -> Trouble:
    """Tell one kind of failure from another.

    Args:
        error: As raised; what caused it is looked at too.
        config: The settings of the remote: what they say is not repeated.
    """
    causes = list(_causes(error))
    kinds = [_kind(each) for each in causes]
    told = next((n for n, kind in enumerate(kinds) if kind not in ("absent", "failed")), None)
    if told is None:
        absent = "absent" in kinds and "failed" not in kinds
        return Trouble("absent" if absent else "failed", _line(causes[0], config))
    return Trouble(kinds[told], _line(causes[told], config))


def without_secrets(text: str, config: Mapping[str, Any]) -> str:
    """Return a text without what the settings of a remote keep secret.

    Neither users, passwords and queries in addresses, nor values of the settings remain.
    """
    kept = re.sub(r"(://[^\s?'\"]*)\?[^\s'\"]*", r"\1", without_credentials(text))
    for key, value in config.items():
        if key not in _OPEN and isinstance(value, str) and len(value) >= _SHORTEST:
            kept = kept.replace(value, "***")
    return kept


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def _kind(error: BaseException) -> Kind:
    names = " ".join(each.__name__ for each in type(error).__mro__)
    status = getattr(error, "status", None) or getattr(error, "status_code", None)
    if isinstance(error, ImportError):
        return "no plugin"
    if status in _ABSENT_STATUS:
        return "absent"
    if status in _REFUSED_STATUS or _REFUSED.search(names) or _REFUSED_TEXT.search(str(error)):
        return "refused"
    if _SLOW.search(names):
        return "slow"
    if _UNREACHABLE.search(names):
        return "unreachable"
    return "absent" if isinstance(error, FileNotFoundError) else "failed"


def _line(error: BaseException, config: Mapping[str, Any]) -> str:
    lines = without_secrets(str(error), config).split("\n")
    said = " ".join(next((line for line in lines if line.strip()), "").split())
    return (said or type(error).__name__)[:_LONGEST]
