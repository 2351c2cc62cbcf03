"""Where the bytes of a release come from: the reviewed run, or a second build on main."""

from dataclasses import dataclass
from pathlib import Path

from mergeline.adapters.git import Git
from mergeline.adapters.github import GitHub
from mergeline.bundle.handed import Handed, handed_over
from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART, PARTS
from mergeline.bundle.other_base import other_base
from mergeline.bundle.pack import pack
from mergeline.bundle.read import Bundle, read_bundle
from mergeline.bundle.reviewed import Gone, is_foreign
from mergeline.bundle.unpack import unpack
from mergeline.config.settings import Settings
from mergeline.core.answers import Answer, Name, answer
from mergeline.errors import BytesMismatch, InvalidBundle, UsageError
from mergeline.inputs.changed import changed_paths, is_workflow, steers_build
from mergeline.inputs.settings import readable_settings_at
from mergeline.ledger.entries import Reviewed
from mergeline.promote.attribute import Merge
from mergeline.promote.line import Line

# A project's root after `mergeline check`, or a folder with its unpacked parts by name; or the
# run that handed them over.
Rebuilt = Path | int
# From the one that proves least to the one that proves most.
_BUILDS = ("reuse", "auto", "rebuild")


def rebuilt_bundle(github: GitHub, rebuilt: Rebuilt, commit: str) -> Bundle | Answer:
    """Read a second build, as hostile as the first.

    Args:
        github: Has the run.
        rebuilt: Where it lies.
        commit: What it must have been made from.

    Returns:
        Else what is wrong with it; UNDECIDED for a run that handed nothing over.

    Raises:
        UsageError: A folder holds nothing of the kind, or a build of another commit.
        ContractError: A file that a part must hold is not in the folder.
        GitHubError: GitHub cannot be asked.
    """
    try:
        found = _of_run(github, rebuilt) if isinstance(rebuilt, int) else _in_folder(rebuilt)
    except BytesMismatch as error:
        return answer(Name.BYTES_MISMATCH, f"The second build: {error.message}.", error.hint)
    except InvalidBundle as error:
        return answer(Name.EVIDENCE_INVALID, f"The second build: {error.message}.", error.hint)
    if isinstance(found, Answer):
        return found
    made = found.plan.candidate
    if made.commit == commit and not made.dirty:
        return found
    what = f"the commit {made.commit[:12]}" + (", with changed files" if made.dirty else "")
    wrong = f"holds a build of {what}, expected one of {commit[:12]} as it is"
    hint = f"check out {commit}, then: mergeline check"
    if isinstance(rebuilt, int):
        return answer(Name.EVIDENCE_INVALID, f"The second build: run {rebuilt} {wrong}.", hint)
    raise UsageError(f"--rebuilt {rebuilt} {wrong}", hint=hint)


def _of_run(github: GitHub, run: int) -> Bundle | Answer:
    found = handed_over(github, run)
    if isinstance(found, Handed):
        return found.bundle
    how = "has lost" if found.removed else "handed over no"
    return answer(
        Name.UNDECIDED,
        f"Run {run} {how} {found}.",
        "see what stopped its build, then run its failed jobs again",
    )


def _in_folder(folder: Path) -> Bundle:
    files = {part: _part_in(folder, part) for part in PARTS}
    return read_bundle(files[EVIDENCE_PART], files[MODEL_PART])


@dataclass(frozen=True)
class Wanted:
    """A second build is wanted.

    Attributes:
        why: A sentence.
        doubt: Why the reviewed bytes may be something else than what the commit makes, so that
            a second build must come to the very same; empty where an equivalent one will do.
    """

    why: str
    doubt: str = ""


def second_build(
    line: Line, merge: Merge, reviewed: Reviewed, github: GitHub, gone: Gone | None
) -> Wanted | None:
    """Return why the reviewed bytes alone are not enough; None when they are.

    The stricter of what the policy before the merge says, and its own, counts. `reuse` trusts
    the builds of this very pull request, whose workflows people can read in it: neither a
    stranger's nor those that may have run by the workflows of another branch.

    Raises:
        GitHubError: GitHub cannot be asked.
    """
    if is_foreign(reviewed, github.repository):
        where = reviewed.head_repository
        why = f"The reviewed run is of {where}, another repository."
        return Wanted(why, f"the reviewed bytes are of {where}, a stranger's")
    elsewhere = other_base(github, merge.pull, line.main)
    if elsewhere:
        why = f"{elsewhere}: the reviewed run may have taken its workflows from there."
        return Wanted(why, "the reviewed bytes may be of another branch's workflows")
    sides = (readable_settings_at(line.git, each) for each in (merge.base, merge.commit))
    build = _strictest(*(side for side in sides if side is not None))
    if build == "reuse":
        return None
    touched = _steering(line.git, merge)
    own = any(map(is_workflow, touched))
    doubt = "the reviewed bytes are of the pull request's own workflows" if own else ""
    if build == "rebuild":
        return Wanted("promotion.build is rebuild.", doubt)
    if touched:
        return Wanted(f"The pull request touched {', '.join(touched[:3])}.", doubt)
    return Wanted(gone.why) if gone else None


def _strictest(*sides: Settings) -> str:
    return max((side.promotion.build for side in sides), key=_BUILDS.index)


def _steering(git: Git, merge: Merge) -> list[str]:
    """Return what a merge changed of workflows and requirements: what steers a build."""
    return [path for path in changed_paths(git, merge.base, merge.commit) if steers_build(path)]


# --- reading -----------------------------------------------------------------------


def _part_in(folder: Path, part: str) -> dict[str, bytes]:
    if (folder / "reports").is_dir():
        return unpack(pack(folder, part), part)
    own = folder / part
    if not own.is_dir():
        raise UsageError(
            f"--rebuilt {folder} holds neither reports/ nor {part}/",
            hint="name a project's root after `mergeline check`, or the folder that the "
            "artifacts of a build were unpacked into",
        )
    files = {}
    for name, allowed in PARTS[part].items():
        path = own / name
        if path.is_file():
            if path.stat().st_size > allowed.most:
                size = f"{path.stat().st_size:,} bytes, at most {allowed.most:,} are allowed"
                raise InvalidBundle(f"{path} has {size}", hint="look at what made it so large")
            files[name] = path.read_bytes()
    return files
