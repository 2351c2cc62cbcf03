"""What a reviewed run handed over, downloaded again and held against the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from mergeline.adapters.git import Git
from mergeline.adapters.github import GitHub
from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART, PARTS, archive_limit
from mergeline.bundle.read import Bundle, read_bundle
from mergeline.bundle.rejudge import is_like
from mergeline.bundle.unpack import unpack
from mergeline.core.answers import Answer, Name, answer
from mergeline.core.digest import sha256
from mergeline.core.forks import same_repository
from mergeline.core.strict_json import shortened
from mergeline.errors import BytesMismatch, GitHubError, InvalidBundle
from mergeline.inputs.digest import inputs_digest
from mergeline.ledger.entries import BundlePart, Reviewed

_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


@dataclass(frozen=True)
class Gone:
    """The reviewed bytes are not at GitHub any more; `why` is a sentence."""

    why: str


def reviewed_bundle(github: GitHub, reviewed: Reviewed) -> Bundle | Gone | Answer:
    """Download what the reviewed run handed over, and hold it against the ledger.

    Raises:
        GitHubError: GitHub cannot be asked.
    """
    parts = {part.name: part for part in reviewed.parts if part.name in PARTS}
    missing = PARTS.keys() - parts.keys()
    if missing:
        return Gone(f"Entry {reviewed.number} of the ledger names no {', '.join(sorted(missing))}.")
    try:
        known = {one.id: one for one in github.artifacts(reviewed.run)}
        for part in parts.values():
            if part.artifact not in known or known[part.artifact].expired:
                return _gone(part, reviewed)
        data = {
            name: github.download(known[part.artifact], archive_limit(name))
            for name, part in parts.items()
        }
    except GitHubError as error:
        if error.status not in _GONE:
            raise
        return Gone(f"GitHub has no artifacts of run {reviewed.run} any more.")
    for name, part in parts.items():
        if sha256(data[name]) != part.sha256:
            return _mismatch(f"the archive {name}", part.sha256, sha256(data[name]))
    return _read(data, reviewed)


def serves(git: Git, reviewed: Reviewed, commit: str, base: str) -> bool:
    """Return whether a review says all there is to say of another commit, compared with a base.

    A model is made from the same inputs there, and at both bases.

    Raises:
        ConfigError: The commit's pipeline is not right.
    """
    return reviewed.inputs == inputs_digest(git, commit) and is_like(git, reviewed.base, base)


def is_foreign(reviewed: Reviewed, repository: str) -> bool:
    """Return whether the reviewed run is of another repository: its bytes are a stranger's."""
    return not same_repository(reviewed.head_repository, repository)


def _read(data: Mapping[str, bytes], reviewed: Reviewed) -> Bundle | Answer:
    try:
        files = {name: unpack(archive, name) for name, archive in data.items()}
        bundle = read_bundle(files[EVIDENCE_PART], files[MODEL_PART])
    except BytesMismatch as error:
        return answer(Name.BYTES_MISMATCH, f"{error.message}.", error.hint)
    except InvalidBundle as error:
        return answer(Name.EVIDENCE_INVALID, f"{error.message}.", error.hint)
    found = bundle.plan.candidate
    for what, stated, computed in (
        ("model", reviewed.model, found.model),
        ("evidence", reviewed.evidence, found.evidence),
        ("inputs", reviewed.inputs, found.inputs),
        ("key", reviewed.key, found.key),
    ):
        if stated != computed:
            return _mismatch(f"the {what} of the reviewed run", stated, computed)
    return bundle


def _gone(part: BundlePart, reviewed: Reviewed) -> Gone:
    return Gone(f"The artifact {part.name} of run {reviewed.run} has expired or was deleted.")


def _mismatch(what: str, stated: str, found: str) -> Answer:
    return answer(
        Name.BYTES_MISMATCH,
        f"The ledger has {shortened(stated)} for {what}, its bytes have {found}.",
        "find out who changed the artifacts of that run; the next pull request brings its own",
    )
