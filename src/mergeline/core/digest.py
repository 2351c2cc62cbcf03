"""Digests: SHA-256 over bytes, canonical JSON and file trees.

The chain (see `Candidate`): I over the inputs, M over the model, E over the
evidence, K = SHA-256(project, I, M) as the key of a promotion.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any


def sha256(data: bytes) -> str:
    """Return the SHA-256 of bytes as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def canonical_json(value: Any) -> bytes:
    """Encode a JSON value so that equal values have equal bytes.

    Keys are sorted, separators are minimal, text is UTF-8. Python prints the
    shortest decimal that reads back as the same double, so floats are exact.

    Raises:
        ValueError: The value holds a NaN or an infinity.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def json_digest(value: Any) -> str:
    """Return the SHA-256 of a JSON value in canonical form."""
    return sha256(canonical_json(value))


def tree_digest(files: Iterable[tuple[str, str]]) -> str:
    """Return the digest of a file tree.

    Args:
        files: Pairs of a POSIX path relative to the tree's root and the SHA-256
            of the file's bytes, in any order.
    """
    return json_digest(sorted(files))


def promotion_key(project: str, inputs: str, model: str) -> str:
    """Return K, the key under which at most one version is registered."""
    return json_digest([project, inputs, model])
