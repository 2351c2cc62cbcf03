"""Whether the data is there for every job, and its contract."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mergeline.adapters.git_process import run_git
from mergeline.config.document import read_document
from mergeline.config.settings import Data
from mergeline.errors import MergelineError
from mergeline.project.doctor.finding import Finding, missing, ok, warn


def data_findings(root: Path, data: Data) -> Iterator[Finding]:
    """Look at the data's file and at its contract."""
    yield _source(root, data.source)
    if data.contract is not None:
        yield _contract(root, data.contract)


def pointer_of(root: Path, source: str) -> str | None:
    """Return the `.dvc` file that stands for a path or for a folder that it is in."""
    path = PurePosixPath(source)
    names = [f"{part}.dvc" for part in (path, *path.parents) if part.name]
    return next((name for name in names if (root / name).is_file()), None)


def is_tracked(root: Path, path: str) -> bool:
    """Return whether Git tracks a file."""
    done = run_git(root, "ls-files", "--error-unmatch", "--", path)
    return done.returncode == 0


def _source(root: Path, source: str) -> Finding:
    there, pointer = (root / source).is_file(), pointer_of(root, source)
    if pointer is not None:
        if not is_tracked(root, pointer):
            return missing("data", f"{pointer} is not in Git", f"git add {pointer}, and commit it")
        if there:
            return ok("data", f"{source}, in DVC by {pointer}")
        return warn("data", f"{source} is not here, only its {pointer}", f"dvc pull {pointer}")
    if not there:
        detail = f"{source} is not there, nor a .dvc file that stands for it"
        return missing("data", detail, "bring it, or name another file in data.source")
    if is_tracked(root, source):
        return ok("data", f"{source}, in Git")
    return missing(
        "data",
        f"{source} is in this folder only: neither Git nor DVC has it, so no job can read it",
        f"dvc add {source}, then commit {source}.dvc; a small file may go into Git: "
        f"git add {source}",
    )


def _contract(root: Path, contract: str) -> Finding:
    path = root / contract
    if not path.is_file():
        detail = f"{contract} is not there"
        return missing("contract", detail, "write it, or take data.contract out of params.yaml")
    try:
        text = path.read_bytes().decode("utf-8-sig")
        columns = read_document(text, origin=contract).data.get("columns")
    except UnicodeDecodeError:
        return missing("contract", f"{contract} is not UTF-8", "save it as UTF-8")
    except MergelineError as error:
        return missing("contract", " ".join(error.message.split()), f"mend {contract}")
    if not columns:
        detail = f"{contract} names no columns"
        return missing("contract", detail, "compare it with pandera's YAML format")
    return ok("contract", f"{contract}, {len(columns)} columns")
