"""What the workflows printed, kept as files where `MERGELINE_TRANSCRIPTS` names a folder."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from workflows.hosted import Ran

_PATH = re.compile(r"(?:/[\w.@+-]+)*/runs/\d+-\d+/jobs/[0-9a-f]+")
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
# What act says of itself, and the stand-ins' own scripts.
_NOISE = re.compile("LocalRepositoryCache| (Pre|Post) |Set up job|Complete job|Cleaning up|::")
_SHOWN = re.compile("  \\| |⭐ Run Main (mergeline|make|[a-z]+/)|❌|🏁|exit status")


def keep(runs: Iterable[Ran]) -> None:
    """Write the first run of each workflow, without the paths of this machine."""
    place = os.environ.get("MERGELINE_TRANSCRIPTS")
    if not place:
        return
    folder = Path(place)
    folder.mkdir(parents=True, exist_ok=True)
    for ran in reversed(list(runs)):
        (folder / f"{ran.name}.txt").write_text(readable(ran.log))


def readable(log: str) -> str:
    """Return the steps of a log and what they printed."""
    lines = (_COLOUR.sub("", line).rstrip() for line in log.splitlines() if line.startswith("["))
    kept = [line for line in lines if _SHOWN.search(line) and not _NOISE.search(line)]
    return "\n".join(_PATH.sub("RUNNER", line) for line in kept) + "\n"
