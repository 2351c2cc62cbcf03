"""The example in the package's own words runs."""

import re
from pathlib import Path
from textwrap import dedent

from github import Auth, Github

import mergeline.rehearsal

from .clients import Clone


def test_the_example_of_the_package(tmp_path: Path) -> None:
    example = re.search(r"\n\n((?:    .+\n)+)\n", mergeline.rehearsal.__doc__ or "")
    assert example

    def push_main_and_topic(remote: str) -> None:
        clone = Clone.make(tmp_path / "clone", remote)
        clone.commit("README", "hello\n", push="main")
        clone.topic("topic")

    names = {
        "Auth": Auth,
        "Github": Github,
        "Rehearsal": mergeline.rehearsal.Rehearsal,
        "folder": tmp_path / "hub",
        "push_main_and_topic": push_main_and_topic,
    }
    exec(dedent(example[1]), names)  # noqa: S102 - our own words
    assert isinstance(names["commit"], str)
