"""What a release was made from: its evidence against the commit, and its gates judged again."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial

from pydantic import ValidationError

from mergeline.adapters.git import Git
from mergeline.bundle.agreement import require_data
from mergeline.bundle.judged import committed
from mergeline.bundle.read import Bundle
from mergeline.bundle.rejudge import is_like, rejudge
from mergeline.core.plan import Plan
from mergeline.core.strict_json import read_json
from mergeline.core.verdict import Outcome
from mergeline.errors import ToolError
from mergeline.inputs.digest import pins
from mergeline.inputs.settings import require_settings_at
from mergeline.inputs.trees import CommitTree
from mergeline.ledger.entries import Promoted
from mergeline.release.data import data_sha256
from mergeline.release.fetched import VERDICT_FILE, Files
from mergeline.release.find import Declaration
from mergeline.release.link import Differs, Link, looked

_MOST_VALUES, _LONGEST_TEXT = 1_000_000, 20_000
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_NAMES = ("gates and waivers", "data", "parameters", "environment")


def made_from_links(git: Git, declaration: Declaration, files: Files | None) -> Iterator[Link]:
    """Hold the evidence of a release against its commit.

    Args:
        git: A whole clone.
        declaration: The release.
        files: As registered, re-hashed; None where there are none.
    """
    commit = declaration.release.commit
    if files is None:
        looks = [_nothing_to_read] * len(_NAMES)
    else:
        looks = [
            partial(_gates, git, declaration, files),
            partial(_data, git, commit, files),
            partial(_parameters, git, commit, files),
            partial(_environment, git, commit, files),
        ]
    for name, look in zip(_NAMES, looks, strict=True):
        yield looked(name, look)


def _nothing_to_read() -> str:
    raise ToolError("the registered evidence could not be read", hint="see the links above")


# --- gates -----------------------------------------------------------------------------


def _gates(git: Git, declaration: Declaration, files: Files) -> str:
    """Judge again, as the promotion that registered it did: both policies, on that day."""
    plan = _registered_plan(files)
    _require_same(git, declaration, plan)
    promoted = _registering(declaration, plan.candidate.commit)
    bundle = Bundle(plan=plan, model={}, probes=b"", predictions=b"", evidence={})
    candidate, day = plan.candidate, date.fromisoformat(promoted.time[:10])
    found = rejudge(git, bundle, base=candidate.base, head=candidate.commit, today=day).judgement
    judged = [verdict for verdict in (found.verdict, found.proposed) if verdict is not None]
    gates = [gate for verdict in judged for gate in verdict.gates]
    if found.answer != "PROMOTE":
        bad = "; ".join(f"{g.name} {g.outcome.name}: {g.reason}" for g in gates if g.outcome.blocks)
        raise Differs(f"judged again it is {found.answer}: {bad or 'nothing to promote'}")
    waived = {f"{g.name}: {g.waiver}" for g in gates if g.outcome is Outcome.WAIVED}
    if candidate.commit == promoted.position and waived != set(promoted.waivers):
        said = "; ".join(promoted.waivers) or "none"
        raise Differs(f"waived is {'; '.join(sorted(waived)) or 'nothing'}, the ledger says {said}")
    counts = Counter(gate.outcome.name for gate in gates)
    told = ", ".join(f"{number} {name}" for name, number in counts.items())
    return f"judged again: {told}" + (f"; waived: {'; '.join(sorted(waived))}" if waived else "")


def _registered_plan(files: Files) -> Plan:
    path = files.extras / VERDICT_FILE
    if not path.is_file():
        raise Differs("the registry holds no verdict of it")
    try:
        said = read_json(path.read_bytes(), values=_MOST_VALUES, text=_LONGEST_TEXT)
        evidence = {"evidence": files.evidence.as_json()}
        plan = Plan.model_validate_json(json.dumps({**said, **evidence}))
    except (ValidationError, ValueError, TypeError) as error:
        raise Differs(
            f"the registered verdict is none of this version: {str(error)[:200]}"
        ) from error
    candidate = plan.candidate
    if not all(map(_COMMIT.fullmatch, filter(None, (candidate.commit, candidate.base)))):
        raise Differs("the registered verdict names no commits")
    return plan


def _require_same(git: Git, declaration: Declaration, plan: Plan) -> None:
    """Refuse a verdict of something else.

    No digest of the ledger covers it: it is held against the release and its review.
    """
    release, candidate = declaration.release, plan.candidate
    bound = (candidate.key, candidate.model, candidate.evidence)
    if bound != (release.key, release.model, release.evidence):
        raise Differs("the registered verdict is of something else")
    if not git.is_ancestor(candidate.commit, release.commit):
        raise Differs(f"the registered verdict is of {candidate.commit[:12]}, another commit")
    if not any(is_like(git, candidate.base, review.base) for review in declaration.measured):
        raise Differs("the registered verdict was judged against another base than the review")


def _registering(declaration: Declaration, commit: str) -> Promoted:
    """Return the promotion of the commit that was judged; the last one, where that one ended."""
    found = [one for one in declaration.promotions if one.position == commit]
    last = found[-1] if found else declaration.promoted
    if last is None:
        raise Differs("the ledger holds no promotion of it")
    return last


# --- data, parameters, environment -------------------------------------------------------


def _data(git: Git, commit: str, files: Files) -> str:
    """Hold the data against its SHA-256: committed, or behind a `.dvc` pointer."""
    stated = files.prepare
    require_data(git, commit, stated)
    where = "Git"
    if committed(git, commit, stated.source) is None:
        where, found = "DVC", data_sha256(git, commit, stated.source)
        if found != stated.sha256:
            raise Differs(
                f"{stated.source} is {(found or 'not there')[:12]}, the model was made from "
                f"{stated.sha256[:12]}"
            )
    return f"{stated.source} of {where}: {stated.rows:,} rows, SHA-256 {stated.sha256[:12]}"


def _parameters(git: Git, commit: str, files: Files) -> str:
    train, model = files.train, require_settings_at(git, commit).model
    said = {
        "estimator": (train.estimator, model.origin),
        "params": (train.params, model.params),
        "class_weight": (train.class_weight, model.class_weight),
        "seed": (train.seed, model.seed),
    }
    for name, (made, wanted) in said.items():
        if made != wanted:
            raise Differs(f"model.{name}: trained with {made}, the commit says {wanted}")
    return f"{train.estimator}, {len(train.params)} parameters, seed {train.seed}"


def _environment(git: Git, commit: str, files: Files) -> str:
    """Hold the libraries that trained it against the pins of the commit."""
    pinned = pins(CommitTree(git, commit))
    stated, used = _versions(pinned), files.train.libraries
    other = [
        f"{name} {version}"
        for name, version in sorted(used.items())
        if version not in stated.get(_normal(name), {version})
    ]
    if other:
        raise Differs(
            f"trained with {', '.join(other)}; {', '.join(sorted(pinned))} says otherwise"
        )
    loose = [name for name in sorted(used) if _normal(name) not in stated]
    told = ", ".join(f"{name} {version}" for name, version in sorted(used.items()))
    free = f" (not pinned: {', '.join(loose)})" if loose else ""
    return f"trained with {told}{free}; pins: {', '.join(sorted(pinned)) or 'none'}"


def _versions(pinned: Mapping[str, bytes]) -> dict[str, set[str]]:
    """Return the versions that requirement files fix, by name: several by Python or system."""
    found: dict[str, set[str]] = {}
    for data in pinned.values():
        for line in data.decode(errors="replace").splitlines():
            name, fixed, version = line.partition("==")
            if fixed:
                number = re.split(r"[\s;\\,]", version.lstrip("= "), maxsplit=1)[0]
                found.setdefault(_normal(name.partition("[")[0]), set()).add(number)
    return found


def _normal(name: str) -> str:
    """Return a package's name as its index compares names."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
