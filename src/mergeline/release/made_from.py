"""What a release was made from: its evidence against the commit, and its gates judged again."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from mergeline.adapters.git import Git
from mergeline.config.load import parse_settings
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.case import Case
from mergeline.core.digest import sha256
from mergeline.core.evidence import EvidenceSet
from mergeline.core.judge import judge
from mergeline.core.plan import Plan
from mergeline.core.verdict import Verdict
from mergeline.errors import MergelineError
from mergeline.inputs.digest import pins
from mergeline.inputs.trees import CommitTree
from mergeline.ledger.entries import Promoted
from mergeline.release.link import Link, broken, held, unknown


def evidence_links(
    git: Git, commit: str, promoted: Promoted | None, evidence: EvidenceSet | None, verdict: Path
) -> Iterator[Link]:
    """Hold the evidence of a release against its commit.

    Args:
        git: A whole clone.
        commit: The release's.
        promoted: The entry that promoted it.
        evidence: As registered; None where it could not be read.
        verdict: `verdict.json` as registered; it may not be there.
    """
    if evidence is None:
        for name in ("gates and waivers", "data", "parameters", "environment"):
            yield unknown(name, "the evidence could not be read")
        return
    yield _gates(git, commit, promoted, evidence, verdict)
    yield _data(git, commit, evidence)
    yield _parameters(git, commit, evidence)
    yield _environment(git, commit, evidence)


def _gates(
    git: Git, commit: str, promoted: Promoted | None, evidence: EvidenceSet, path: Path
) -> Link:
    """Judge again, by the policy of the commit and on the day of the promotion."""
    name = "gates and waivers"
    if promoted is None or not path.is_file():
        return broken(name, "the registry holds no verdict of this version")
    try:
        document = {**json.loads(path.read_bytes()), "evidence": evidence.as_json()}
        plan = Plan.model_validate_json(json.dumps(document))
        policy = settings_at(git, commit).policy
    except (MergelineError, ValueError) as error:
        return unknown(name, f"the verdict cannot be read: {str(error)[:200]}")
    case = Case(evidence, plan.baseline, plan.baseline_evidence, plan.comparison)
    verdict = judge(policy, case, today=date.fromisoformat(promoted.time[:10]))
    said = _counted(verdict)
    if verdict.outcome.blocks:
        return broken(name, f"judged again it is {verdict.outcome.name}: {said}")
    waivers = f"; waived: {'; '.join(promoted.waivers)}" if promoted.waivers else ""
    return held(name, f"judged again: {said}{waivers}")


def _data(git: Git, commit: str, evidence: EvidenceSet) -> Link:
    name, prepare = "data", evidence.prepare
    if prepare is None:
        return broken(name, "the evidence does not name the data")
    content = prepare.content
    blob = git.read(commit, content.source)
    if blob is None:
        what = f"{content.source} is not in Git; the evidence states {content.sha256[:12]}"
        return unknown(name, what)
    found = sha256(blob)
    if found != content.sha256:
        return broken(name, f"{content.source} is {found[:12]}, not {content.sha256[:12]}")
    return held(name, f"{content.source}: {content.rows:,} rows, SHA-256 {found[:12]}")


def _parameters(git: Git, commit: str, evidence: EvidenceSet) -> Link:
    name = "parameters"
    if evidence.train is None:
        return broken(name, "the evidence does not tell how the model was trained")
    train = evidence.train.content
    try:
        model = settings_at(git, commit).model
    except MergelineError as error:
        return unknown(name, error.message)
    made, said = (train.estimator, train.params), (model.estimator or model.factory, model.params)
    if made != said or train.seed != model.seed:
        return broken(name, f"trained as {made[0]} {made[1]}, the commit says {said[0]} {said[1]}")
    return held(name, f"{made[0]}, {len(made[1])} parameters, seed {train.seed}")


def _environment(git: Git, commit: str, evidence: EvidenceSet) -> Link:
    name = "environment"
    try:
        pinned = pins(CommitTree(git, commit))
    except MergelineError as error:
        return unknown(name, error.message)
    libraries = evidence.train.content.libraries if evidence.train else {}
    stated = _versions(pinned)
    other = [f"{k} {v}" for k, v in libraries.items() if v not in stated.get(k, {v})]
    if other:
        return broken(name, f"trained with {', '.join(other)}, the pins say otherwise")
    with_them = ", ".join(f"{key} {value}" for key, value in sorted(libraries.items()))
    return held(name, f"{', '.join(sorted(pinned)) or 'no pins'}; trained with {with_them}")


def settings_at(git: Git, commit: str) -> Settings:
    """Return the settings of a commit.

    Raises:
        ConfigError: It has none, or they are not right.
    """
    data = git.read(commit, layout.SETTINGS) or b""
    origin = f"{layout.SETTINGS} at {commit[:12]}"
    return parse_settings(data.decode("utf-8-sig", errors="replace"), origin=origin)


def _versions(pinned: Mapping[str, bytes]) -> dict[str, set[str]]:
    """Return the versions that requirement files fix, by name: several by Python or system."""
    found: dict[str, set[str]] = {}
    for data in pinned.values():
        for line in data.decode(errors="replace").splitlines():
            name, fixed, version = line.partition("==")
            if fixed:
                number = re.split(r"[\s;\\]", version.strip(), maxsplit=1)[0]
                found.setdefault(name.strip().lower(), set()).add(number)
    return found


def _counted(verdict: Verdict) -> str:
    counts: dict[str, int] = {}
    for gate in verdict.gates:
        counts[gate.outcome.name.lower()] = counts.get(gate.outcome.name.lower(), 0) + 1
    return ", ".join(f"{number} {name}" for name, number in counts.items())
