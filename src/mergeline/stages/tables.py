"""The tables of `prepare` made once more, in a job whose credentials no project code may see.

`mergeline stage prepare` looks for modules in the project's folder first, as training must.
Here only Mergeline's own `prepare` runs, in a process that finds no module of the project and
has no credential in its environment. It reads settings, contract and table, and imports
nothing that they name.
"""

import os
import subprocess
import sys
from pathlib import Path

from mergeline.config.load import load_settings
from mergeline.core import layout
from mergeline.errors import ContractError, MergelineError, ToolError, first_line
from mergeline.files import write_set
from mergeline.stages.base import Clock
from mergeline.stages.pinned import pinned_variables

_INHERITED = ("PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL", "SYSTEMROOT")


def make_tables(root: Path) -> None:
    """Make the training and the test table of a project where `prepare` writes them.

    Nothing else is written. A table of 100,000 rows takes two to four seconds.

    Args:
        root: The project's root, with its data in place.

    Raises:
        ContractError: The data is not what settings and contract promise.
        ToolError: The process failed otherwise.
    """
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    done = subprocess.run(
        # -P: the current folder is not one of those that modules are looked for in.
        [sys.executable, "-P", "-m", __name__, os.fspath(root.resolve())],
        cwd=root.resolve().parent,
        env={**inherited, **pinned_variables()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return
    said = (done.stderr.strip().splitlines() or ["it printed no error"])[-1]
    message = f"the prepared tables cannot be made here: {said}"
    if done.returncode == ContractError.exit_code:
        raise ContractError(message, hint="see what `mergeline stage prepare` says of this commit")
    raise ToolError(message, hint="run this again")


def _main(root: Path) -> int:
    from mergeline.stages import prepare

    try:
        result = prepare.run(root, load_settings(root / layout.SETTINGS), Clock())
    except MergelineError as error:
        sys.stderr.write(f"{first_line(error)}\n")
        return error.exit_code
    write_set({root / path: data for path, data in result.files.items()})
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))
