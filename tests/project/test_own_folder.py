"""The folder of a demo or a rehearsal: made anew but for its cache, and nobody else's."""

from pathlib import Path

import pytest

from mergeline.errors import UsageError
from mergeline.project.own_folder import emptied


def test_only_the_cache_is_kept(tmp_path: Path) -> None:
    for name in ("cache/a", "server/b", "server.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    with emptied(tmp_path):
        assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "lock"]
        assert (tmp_path / "cache/a").is_file()


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "server.log").write_text("ours")
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match=r"holds 'thesis.txt', which no demo made"):
        emptied(tmp_path).__enter__()
    assert (tmp_path / "server.log").is_file()


def test_a_second_one_does_not_clean_up_under_the_first(tmp_path: Path) -> None:
    with emptied(tmp_path):
        (tmp_path / "server.log").write_text("at work")
        with pytest.raises(UsageError, match="another demo or rehearsal works in"):
            emptied(tmp_path).__enter__()
        assert (tmp_path / "server.log").is_file()
    with emptied(tmp_path):
        assert not (tmp_path / "server.log").exists()
