"""What we write into a repository ourselves: objects and private refs, no branch and no file."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from mergeline.adapters.git_process import last_line, run_git
from mergeline.errors import ToolError

_AUTHOR = {"NAME": "Mergeline", "EMAIL": "mergeline@noreply.invalid"}
_IDENTITY = {
    f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _AUTHOR.items()
}


def written(
    root: Path,
    command: str,
    *arguments: str,
    given: bytes = b"",
    settings: tuple[str, ...] = (),
    environ: Mapping[str, str] | None = None,
) -> str:
    """Run a command of Git that writes, and return what it prints.

    Args:
        root: Of the repository, with a working tree or bare.
        command: Its name.
        arguments: After the name.
        given: For its standard input.
        settings: Before the name, `-c` each.
        environ: Variables beside those of this process.

    Raises:
        ToolError: It failed.
    """
    done = run_git(root, *settings, command, *arguments, given=given, environ=environ)
    if done.returncode != 0:
        raise ToolError(
            f"`git {command}` failed: {last_line(done)}",
            hint="check that the repository may be written and its disk has room",
        )
    return done.stdout.decode().strip()


def write_commit(root: Path, tree: str, parents: Iterable[str], message: str) -> str:
    """Make a commit of ours, and return its id.

    Raises:
        ToolError: Git cannot write.
    """
    return written(
        root,
        *("commit-tree", "--no-gpg-sign", tree),
        *(word for parent in parents for word in ("-p", parent)),
        given=message.encode(),
        settings=("-c", "i18n.commitEncoding=UTF-8"),
        environ=_IDENTITY,
    )
