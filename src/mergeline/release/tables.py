"""The prepared tables of a commit, made in the job that publishes: what its outputs rest on.

The tables are rows of the data and are never handed over. A build states their addresses, and
if that were believed, a hostile build could state those of another day, and have its model
restored wherever that day's table is met again. A second build is no better: it runs the
same code. So the tables are made here, by Mergeline's own `prepare`, from the commit's
settings, contract and data. That runs no code of the project, needs the data (with the
credential that writes to the remote, which can read) and takes seconds. They are not sent:
the data may be in a private repository, and the remote may have other readers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mergeline.adapters.dvc_data import pull_data
from mergeline.adapters.git import Git
from mergeline.core import layout
from mergeline.errors import BytesMismatch, MergelineError, ToolError
from mergeline.inputs.digest import Reader, stages_of
from mergeline.inputs.settings import require_settings_at
from mergeline.inputs.trees import CommitTree

MakeTables = Callable[[Path], None]
_STAGE, _COMMAND = "prepare", "mergeline stage prepare"
_TABLES = (layout.TRAIN_TABLE, layout.TEST_TABLE)


@dataclass(frozen=True)
class Made:
    """What was made in a worktree.

    Attributes:
        paths: Of the tables; none where there are none.
        why: Then, why not.
    """

    paths: tuple[str, ...] = ()
    why: str = ""


def tables_in(tree: Path, git: Git, commit: str, make: MakeTables) -> Made:
    """Make the tables of a commit in a worktree of it.

    Args:
        tree: The worktree, with nothing in it but the commit, and with DVC's settings.
        git: The project.
        commit: Its stage `prepare` must be Mergeline's own.
        make: Makes them from the data that is in place.

    Raises:
        ToolError: The data cannot be got, or the tables cannot be made.
    """
    at = CommitTree(git, commit)
    stage = stages_of(at).get(_STAGE, {})
    if stage.get("cmd") != _COMMAND or stage.get("wdir"):
        return Made(why=f"its stage {_STAGE} is not Mergeline's own")
    if not set(_TABLES) <= set(Reader(at).outputs(stage)):
        return Made(why=f"{' and '.join(_TABLES)} are not both outputs of its stage {_STAGE}")
    data = require_settings_at(git, commit).data
    sources = [path for path in (data.source, data.contract) if path]
    try:
        for path in (*sources, *_TABLES):
            require_plain(tree, path)
        pull_data(tree, sources)
        make(tree)
    except ToolError:
        raise
    except MergelineError as error:
        return Made(why=error.message)
    return Made(_TABLES)


def require_plain(tree: Path, path: str) -> None:
    """See that a path in a worktree leads nowhere else, before anything is read or made there.

    Raises:
        BytesMismatch: A part of it is a link, or it leaves the worktree.
    """
    parts = Path(path).parts
    steps = [tree.joinpath(*parts[:end]) for end in range(1, len(parts) + 1)]
    if Path(path).is_absolute() or ".." in parts or any(step.is_symlink() for step in steps):
        raise BytesMismatch(
            f"{path} of the commit is a link, or lies behind one",
            hint="let stages read and write plain files and folders of the project",
        )
