"""The settings of a commit."""

from pathlib import Path

import pytest

from bundle.commits import Repository, settings
from mergeline.adapters.git import Git
from mergeline.errors import ConfigError
from mergeline.inputs.settings import readable_settings_at, require_settings_at, settings_at


@pytest.fixture
def made(tmp_path: Path) -> Repository:
    return Repository.make(tmp_path / "one")


def test_those_that_are_right(made: Repository) -> None:
    commit = made.commit({"params.yaml": "\ufeff" + settings(promotion={"approvals": 3})})
    for read in (settings_at, readable_settings_at, require_settings_at):
        found = read(Git(made.root), commit)
        assert found is not None
        assert found.promotion.approvals == 3


def test_those_that_are_wrong(made: Repository) -> None:
    commit = made.commit({"params.yaml": "project: 7"})
    assert readable_settings_at(Git(made.root), commit) is None
    with pytest.raises(ConfigError, match=f"params.yaml at {commit[:12]}"):
        settings_at(Git(made.root), commit)


def test_none_at_all(made: Repository) -> None:
    commit = made.commit({"README.md": "an idea"})
    assert settings_at(Git(made.root), commit) is None
    assert readable_settings_at(Git(made.root), commit) is None
    assert readable_settings_at(Git(made.root), None) is None
    with pytest.raises(ConfigError, match="nothing says what to make"):
        require_settings_at(Git(made.root), commit)
