"""Releases on disk: links that are whole at any moment, and nothing half made under a name."""

import json
import os
import shutil
from pathlib import Path

import pytest

from mergeline.errors import BytesMismatch
from mergeline.ledger.entries import Release
from mergeline.serve.releases import Releases, write_release_file
from mergeline.serve.standing import ReleaseFile, read_release_file


def release(version: str, model: str = "c") -> Release:
    return Release(
        project="toy",
        version=version,
        key="a" * 64,
        inputs="b" * 64,
        model=model * 64,
        evidence="d" * 64,
        commit="e" * 40,
        tree="f" * 40,
        pull_request=1,
    )


def file_of(version: str, entry: int = 1) -> ReleaseFile:
    return ReleaseFile(entry=entry, environment="production", release=release(version))


def placed(releases: Releases, version: str) -> Path:
    made = releases.state / f"made-{version}"
    made.mkdir(parents=True)
    (made / "weights").write_text(version)
    write_release_file(made, file_of(version))
    return releases.keep(made, release(version))


def names(releases: Releases) -> list[str]:
    return sorted(path.name for path in (releases.state / "releases").iterdir())


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    return Releases(tmp_path / "state")


def test_a_release_is_found_under_its_version_and_digest(releases: Releases) -> None:
    assert not releases.has(release("3"))
    folder = placed(releases, "3")
    assert folder == releases.state / "releases/3-cccccccccccc"
    assert releases.has(release("3"))
    assert not releases.has(release("3", "d"))
    assert not (releases.state / "made-3").exists()


@pytest.mark.parametrize("version", ["", "../../etc", "a/b", ".", "..", "-rf", "x" * 65, "1\n"])
def test_a_version_that_is_no_name_has_no_folder(releases: Releases, version: str) -> None:
    with pytest.raises(BytesMismatch, match="no number"):
        releases.folder(release(version))
    assert not releases.has(release(version))


def test_what_passed_its_watch_is_current_and_what_did_before_is_previous(
    releases: Releases,
) -> None:
    assert releases.linked("current") is None
    one, two, three = (placed(releases, version) for version in "123")
    releases.settle(one, file_of("1"), None)
    assert (releases.linked("current"), releases.linked("previous")) == (one, None)
    releases.settle(two, file_of("2"), one)
    releases.settle(three, file_of("3"), two)
    assert (releases.linked("current"), releases.linked("previous")) == (three, two)
    releases.settle(two, file_of("2", entry=9), three)
    assert (releases.linked("current"), releases.linked("previous")) == (two, three)
    assert read_release_file(two).entry == 9


def test_the_same_release_for_another_entry_leaves_previous_as_it_is(releases: Releases) -> None:
    one, two = placed(releases, "1"), placed(releases, "2")
    releases.settle(one, file_of("1"), None)
    releases.settle(two, file_of("2"), one)
    releases.settle(two, file_of("2", entry=5), two)
    assert (releases.linked("current"), releases.linked("previous")) == (two, one)
    assert read_release_file(two).entry == 5


def test_links_are_relative_so_that_the_state_folder_can_be_moved(
    releases: Releases, tmp_path: Path
) -> None:
    releases.settle(placed(releases, "1"), file_of("1"), None)
    moved = Releases(tmp_path / "moved")
    releases.state.rename(moved.state)
    assert moved.linked("current") == moved.state / "releases/1-cccccccccccc"


@pytest.mark.parametrize(
    "target", ["/etc", "..", "releases", "releases/../..", "releases/none", "elsewhere/1"]
)
def test_a_link_to_somewhere_else_is_no_release(releases: Releases, target: str) -> None:
    placed(releases, "1")
    (releases.state / "elsewhere/1").mkdir(parents=True)
    (releases.state / "current").symlink_to(target)
    assert releases.linked("current") is None


def test_a_link_is_replaced_and_never_absent(releases: Releases) -> None:
    one, two = placed(releases, "1"), placed(releases, "2")
    releases.point("current", one)
    before = os.lstat(releases.state / "current").st_ino
    os.link(releases.state / "current", releases.state / "old", follow_symlinks=False)
    releases.point("current", two)
    assert releases.linked("current") == two
    # The old link still is what it was: a new one took its name.
    assert os.lstat(releases.state / "old").st_ino == before
    assert str((releases.state / "old").readlink()) == "releases/1-cccccccccccc"


def test_old_releases_are_removed_and_those_in_use_are_not(releases: Releases) -> None:
    folders = [placed(releases, version) for version in "12345"]
    releases.point("current", folders[1])
    releases.point("previous", folders[2])
    releases.prune([folders[4], None])
    assert names(releases) == [folders[index].name for index in (1, 2, 4)]
    releases.prune([])
    assert names(releases) == [folders[index].name for index in (1, 2)]


def test_a_folder_takes_the_place_of_a_damaged_one(releases: Releases) -> None:
    folder = placed(releases, "1")
    releases.point("current", folder)
    (folder / "weights").write_text("damaged")
    assert placed(releases, "1") == folder
    assert (folder / "weights").read_text() == "1"
    assert releases.linked("current") == folder


def test_what_is_dropped_leaves_its_link_to_nothing(releases: Releases) -> None:
    folder = placed(releases, "1")
    releases.point("current", folder)
    releases.drop(folder)
    releases.drop(folder)
    assert releases.linked("current") is None
    assert names(releases) == []
    assert list(releases.scratch().iterdir()) == []


def test_release_json_is_written_without_leaving_anything_beside_it(releases: Releases) -> None:
    folder = placed(releases, "1")
    assert releases.describes(folder, file_of("1", entry=7))
    assert not releases.describes(folder, file_of("1", entry=7), exactly=True)
    assert not releases.describes(folder, file_of("2"))
    releases.describe(folder, file_of("1", entry=7))
    assert releases.describes(folder, file_of("1", entry=7), exactly=True)
    assert sorted(path.name for path in folder.iterdir()) == ["release.json", "weights"]
    (folder / "release.json").write_text(json.dumps({"entry": 7}))
    assert not releases.describes(folder, file_of("1", entry=7))


def test_what_a_killed_follower_left_half_made_is_removed(releases: Releases) -> None:
    folder = placed(releases, "1")
    shutil.copytree(folder, releases.scratch() / "half/made")
    releases.clean()
    assert not releases.scratch().exists()
    assert names(releases) == [folder.name]
