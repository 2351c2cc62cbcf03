"""The demo as a process; once run, its cache spares other tests of the example the training."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cli.conftest import Done, environment
from projects import quick_example
from shared import made_once, shared_folder

_RECORD, _CACHE = "done.json", "cache"


def started(*arguments: str, cwd: Path, env: Mapping[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "mergeline", "demo", *arguments],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: str, cwd: Path, env: Mapping[str, str]) -> Done:
    with started(*arguments, cwd=cwd, env=env) as process:
        out, err = process.communicate(timeout=1300)
    return Done(process.returncode, out, err)


@dataclass(frozen=True)
class FirstDemo:
    """A demo that began with nothing, of an example that is quicker to check.

    Attributes:
        folder: Holds the demo (`here`), its example and what it came from.
        done: The process.
        env: What it ran with.
    """

    folder: Path
    done: Done
    env: Mapping[str, str]

    @property
    def source(self) -> Path:
        return self.folder / "source"

    @property
    def here(self) -> Path:
        return self.folder / "here"

    @property
    def options(self) -> tuple[str, ...]:
        return "--folder", str(self.here), "--example", str(self.folder / "example")

    def lend_cache(self, folder: Path) -> None:
        """Put what DVC kept into the folder of a demo or rehearsal to come."""
        shutil.copytree(self.folder / _CACHE, folder / "cache", copy_function=os.link)


def demo_once(paths: pytest.TempPathFactory, deepchecks: Mapping[str, str]) -> FirstDemo:
    """Return the first demo, run by whichever process of the tests comes first."""
    folder = shared_folder(paths, "demo") / "made"
    env = environment(folder / "empty") | deepchecks
    first = FirstDemo(folder, Done(0, "", ""), env)

    def make(folder: Path) -> None:
        quick_example(first.source)
        done = run(*first.options, cwd=first.source, env=env)
        assert done.code == 0, done.out + done.err
        (folder / _RECORD).write_text(json.dumps([done.code, done.out, done.err]))
        # A copy, since the next demo works in the other one.
        shutil.copytree(folder / "here/cache", folder / _CACHE, copy_function=os.link)

    made_once(folder.parent, make)
    return replace(first, done=Done(*json.loads((folder / _RECORD).read_text())))
