"""A running stand-in with two people and one commit on main, and a clone of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mergeline.rehearsal import Rehearsal

from .clients import Api, Clone


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Rehearsal]:
    with Rehearsal.start(tmp_path / "hub") as rehearsal:
        rehearsal.add_user("ann", "Ann", "ann@example.org", "write")
        rehearsal.add_user("bob", "Bob", "bob@example.org", "maintain")
        yield rehearsal


@pytest.fixture
def clone(hub: Rehearsal, tmp_path: Path) -> Clone:
    made = Clone.make(tmp_path / "clone", hub.remote)
    made.commit("README", "hello\n", push="main")
    return made


@pytest.fixture
def ann(hub: Rehearsal) -> Api:
    return Api(hub.api_url, hub.token("ann"), hub.name)


@pytest.fixture
def bob(hub: Rehearsal) -> Api:
    return Api(hub.api_url, hub.token("bob"), hub.name)
