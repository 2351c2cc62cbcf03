"""A release's outputs to the DVC remote, so that a fresh clone restores them and trains nothing.

The bytes are those that the reviewed run handed over, hashed again; no model is loaded, and
no code of the project is run. What they were made from is not the run's word: see `tables`.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mergeline.adapters.dvc import adopt
from mergeline.adapters.dvc_publish import Pushed, Stated, default_remote, push_outputs
from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.adapters.github import GitHub
from mergeline.bundle.handed import Handed, handed_over
from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART, PARTS
from mergeline.bundle.outputs import Outputs
from mergeline.bundle.read import Bundle
from mergeline.bundle.reviewed import Gone, is_foreign, reviewed_bundle
from mergeline.core.answers import Answer, Name
from mergeline.errors import BytesMismatch, InvalidBundle, ToolError
from mergeline.inputs.digest import inputs_digest, output_paths, within
from mergeline.inputs.settings import require_settings_at
from mergeline.inputs.trees import CommitTree
from mergeline.ledger.entries import Promoted, Rejected, Release, Reviewed, RolledBack, Settled
from mergeline.ledger.history import History
from mergeline.release.tables import MakeTables, require_plain, tables_in

_SHOWN = 5


@dataclass(frozen=True)
class Job:
    """What was asked for.

    Attributes:
        git: A whole clone, with `.dvc` of the commit and the credential in place.
        history: The ledger.
        remote: Where main is.
        commit: Of main.
        make_tables: Makes the prepared tables in a worktree, and runs no code of the project.
        environment: None for the one that the settings name.
        rebuilt: The run of a second build of the commit, whose outputs stand in where the
            reviewed ones may not be published; None without one.
    """

    git: Git
    github: GitHub
    history: History
    remote: Remote
    commit: str
    make_tables: MakeTables
    environment: str | None = None
    rebuilt: int | None = None


@dataclass(frozen=True)
class Nothing:
    """There is nothing to publish, and nothing to mend; `why` is a sentence."""

    why: str


def publish(job: Job, say: Callable[[str], None]) -> Pushed | Nothing | Answer:
    """Push the outputs of the release that a commit was promoted as.

    Args:
        job: What to publish.
        say: Is told, a line each, what is going on.

    Raises:
        ToolError: The remote cannot be used, or something did not arrive.
        GitHubError: GitHub cannot be asked.
        MergelineError: Git, the ledger or the settings cannot be read.
    """
    environment = job.environment or require_settings_at(job.git, job.commit).deploy.environment
    promoted = _promotion(job, environment)
    if isinstance(promoted, Answer):
        return promoted
    remote = default_remote(job.git.root)
    if not remote:
        return Nothing("There is no DVC remote: .dvc/config names none as `core.remote`.")
    say(f"fetching what was reviewed in #{promoted.pull_request}")
    found = _handed_over(job, promoted)
    if not isinstance(found, Bundle):
        return found
    say(f"pushing to the DVC remote {remote!r}")
    pushed = push_bundle(job.git, job.commit, found, job.make_tables)
    if pushed.others:
        stages, entries = ", ".join(pushed.others), ", ".join(pushed.others.values())
        return _answer(
            Name.DRIFTED,
            f"The DVC remote {remote!r} holds another result of the very same inputs of {stages}; "
            "it stays.",
            f"find out which build made which; if the one there is wrong, remove {entries} and "
            "run this again",
        )
    if pushed.wrong:
        shown = "; ".join(pushed.wrong[:_SHOWN])
        raise ToolError(
            f"{len(pushed.wrong)} files are not at the DVC remote {remote!r} as they should be: "
            f"{shown}",
            hint="run this again; remove there what has other bytes, and find out who wrote it",
        )
    return pushed


def _promotion(job: Job, environment: str) -> Promoted | Answer:
    """Return how a commit was promoted, or why there is nothing of it to publish."""
    history, commit, short = job.history, job.commit, job.commit[:12]
    ours = (e for e in reversed(history.of(environment)) if isinstance(e, Promoted | Settled))
    entry = next((each for each in ours if each.position == commit), None)
    if entry is None:
        main = job.remote.default_branch()
        tip = job.remote.fetched(main)
        if tip and tip != commit and job.git.is_ancestor(commit, tip):
            reason = f"{main} has gone on to {tip[:12]}, and {short} was not promoted."
            return _answer(Name.SUPERSEDED, reason)
        reason = f"The ledger holds no promotion of {short} for {environment}."
        return _answer(Name.NO_EVIDENCE, reason, "see what `mergeline promote` said of it")
    if isinstance(entry, Settled):
        return _answer(Name(entry.answer), f"{short} changed nothing that is published.")
    if isinstance(history.outcome(entry), Rejected):
        return _answer(Name.REJECTED, f"The server kept what it had in place of {short}.")
    desired = history.desired(environment)
    if isinstance(desired, RolledBack) and desired.number > entry.number:
        return _answer(Name.BARRED, f"The model of {short} was rolled back.")
    return entry


# --- what was handed over ------------------------------------------------------------------


def _handed_over(job: Job, promoted: Promoted) -> Bundle | Nothing | Answer:
    """Return what may be published: the reviewed bytes, else those of a second build."""
    release = promoted.release
    if inputs_digest(job.git, job.commit) != release.inputs:
        reason = f"The inputs of {job.commit[:12]} are not those of its release."
        return _answer(Name.MOVED, reason, "look at the ledger: mergeline audit")
    first = _reviewed(job, promoted)
    if not isinstance(first, Nothing) or job.rebuilt is None:
        return first
    return _second(job, job.rebuilt, release, first)


def _reviewed(job: Job, promoted: Promoted) -> Bundle | Nothing | Answer:
    """Return the reviewed bytes, where they are the release's and may be believed."""
    entries = (e for e in job.history.entries if isinstance(e, Reviewed))
    reviewed = next((e for e in entries if e.number == promoted.reviewed), None)
    if reviewed is None:
        raise BytesMismatch(
            f"entry {promoted.number} of the ledger rests on entry {promoted.reviewed}, "
            "which is no review",
            hint="look at the ledger: mergeline audit",
        )
    if is_foreign(reviewed, job.github.repository):
        where = reviewed.head_repository
        return Nothing(f"The reviewed run is of {where}: a stranger's outputs are not published.")
    release = promoted.release
    if (reviewed.key, reviewed.evidence) != (release.key, release.evidence):
        return Nothing("The release is of a second build, whose outputs are not kept.")
    bundle = reviewed_bundle(job.github, reviewed)
    if isinstance(bundle, Gone):
        return Nothing(bundle.why)
    if isinstance(bundle, Bundle) and (bundle.outputs is None or bundle.plan.candidate.dirty):
        return Nothing("The reviewed run did not hand over the addresses of its outputs.")
    return bundle


def _second(job: Job, run: int, release: Release, first: Nothing) -> Bundle | Nothing:
    """Return the second build, where it is of this commit and came to the release's model."""
    try:
        found = handed_over(job.github, run)
    except InvalidBundle as error:
        return Nothing(f"{first.why} The second build: {error.message}.")
    if not isinstance(found, Handed):
        return first
    made = found.bundle.plan.candidate
    if made.dirty or (made.commit, made.key) != (job.commit, release.key):
        return Nothing(f"{first.why} The second build is of something else than the release.")
    return found.bundle if found.bundle.outputs else first


def push_bundle(git: Git, commit: str, bundle: Bundle, make_tables: MakeTables) -> Pushed:
    """Lay what a build handed over out in a worktree of its commit, and push it from there.

    Args:
        git: The project, whose default remote and credential are used.
        commit: What it was made from.
        bundle: Its digests were held against what is believed.
        make_tables: As of `Job`.

    Raises:
        ToolError: The remote cannot be used, or the data cannot be got.
    """
    outputs = bundle.outputs or Outputs(stages={}, files={})
    stated = {
        stage: {path: Stated(at.md5, at.size, at.nfiles) for path, at in outs.items()}
        for stage, outs in outputs.stages.items()
    }
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, "tree").resolve()
        git.add_worktree(tree, commit)
        try:
            # Nothing of an earlier cache: what has the right name there may have other bytes.
            adopt(git.root, tree, cache=Path(scratch, "cache").resolve())
            made = tables_in(tree, git, commit, make_tables)
            outs = frozenset(output_paths(CommitTree(git, commit)))
            for path, data in _files(bundle, outputs).items():
                if within(path, outs):  # anything else of that name is the commit's
                    _lay(tree, path, data)
            pushed = push_outputs(tree, stated, made.paths)
        finally:
            git.remove_worktree(tree)
    if not made.why:
        return pushed
    why = f"The prepared tables were not made again, so nothing counts that reads them: {made.why}."
    return replace(pushed, notices=(*pushed.notices, why))


def _files(bundle: Bundle, outputs: Outputs) -> Mapping[str, bytes]:
    """Return all that is in hand, by its path in the project."""
    model = PARTS[MODEL_PART]
    named = {f"model/{name}": data for name, data in bundle.model.items()}
    named |= {"probes.json": bundle.probes, "predictions.parquet": bundle.predictions}
    evidence = {PARTS[EVIDENCE_PART][name].path: data for name, data in bundle.evidence.items()}
    texts = {path: text.encode() for path, text in outputs.files.items()}
    return evidence | {model[name].path: data for name, data in named.items()} | texts


def _lay(tree: Path, path: str, data: bytes) -> None:
    require_plain(tree, path)
    target = tree / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def _answer(name: Name, reason: str, next_step: str = "") -> Answer:
    return Answer(name=name, reason=f"{reason} Nothing is published.", next_step=next_step)
