"""What every stage has in common: settings in, content out, one evidence file."""

import platform
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from mergeline.config.load import load_settings
from mergeline.core import layout
from mergeline.core.base import Frozen
from mergeline.core.evidence import EVIDENCE_TYPES, STAGES, Timing
from mergeline.errors import ContractError, UsageError, first_line
from mergeline.files import write_set

if TYPE_CHECKING:
    import pandas as pd


class Clock:
    """Seconds by named part of a stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Add the time spent inside to the part of that name."""
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self.seconds[name] = round(self.seconds.get(name, 0.0) + spent, 3)


@dataclass(frozen=True)
class Result:
    """What a stage's `run(root, settings, clock)` returns.

    Attributes:
        content: The evidence's content.
        files: What else to write, by path relative to the root: all of it together with
            the evidence, or nothing.
        latency_ms: Scoring latency by batch size; evaluate only.
    """

    content: Frozen
    files: Mapping[str, bytes] = field(default_factory=dict)
    latency_ms: Mapping[str, float] = field(default_factory=dict)


def run_stage(name: str, root: Path) -> None:
    """Run one stage in a project and write its evidence.

    Args:
        name: One of `STAGES`.
        root: The project's root, which holds `params.yaml`.

    Raises:
        MergelineError: Whatever the stage has to say; no evidence file is changed then.
    """
    if name not in STAGES:
        raise UsageError(f"there is no stage {name!r}", hint=f"the stages are: {', '.join(STAGES)}")
    started = datetime.now(UTC).isoformat(timespec="seconds")
    clock = Clock()
    # A project's own factory and types lie in the project, not in the environment.
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    with clock.part("total"):
        settings = load_settings(root / layout.SETTINGS)
        result: Result = import_module(f"mergeline.stages.{name}").run(root, settings, clock)
    timing = Timing(
        started=started,
        seconds=clock.seconds,
        host=f"{platform.machine()}, {platform.python_implementation()} "
        f"{platform.python_version()}",
        latency_ms=dict(result.latency_ms),
    )
    evidence = EVIDENCE_TYPES[name](stage=name, content=result.content, timing=timing)
    text = evidence.model_dump_json(indent=1) + "\n"
    # The first is replaced last: evidence never speaks of files that are not there yet.
    files = {layout.evidence(name): text.encode(), **result.files}
    write_set({root / path: data for path, data in files.items()})


def read_prepared(root: Path, table: str) -> "pd.DataFrame":
    """Read a table that an earlier stage wrote.

    Args:
        root: The project's root.
        table: One of the paths of `mergeline.core.layout`.

    Raises:
        ContractError: It is not there or not readable.
    """
    import pandas as pd

    try:
        return pd.read_parquet(root / table)
    except (OSError, ValueError) as error:
        raise ContractError(
            f"{table} cannot be read: {first_line(error)}",
            hint="make it again with the stages before it: mergeline check",
        ) from error


def sampled(frame: "pd.DataFrame", most: int) -> "pd.DataFrame":
    """Return at most so many rows, in the table's order.

    Those with the smallest keys: these are hashes, and a row that is drawn stays so for as long
    as no row with a smaller key is added.
    """
    import numpy as np

    if len(frame) <= most:
        return frame
    order = np.argsort(frame[layout.KEY].to_numpy(str), kind="stable")
    return frame.iloc[np.sort(order[:most])].reset_index(drop=True)
