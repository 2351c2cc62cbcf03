"""Files are whole or as they were."""

import hashlib
import os
import stat

import pytest

from mergeline.files import file_sha256, whole_file, write_set, write_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_and_its_folders_are_made(tmp_path):
    write_whole(tmp_path / "a" / "b" / "file.txt", b"new")
    assert (tmp_path / "a" / "b" / "file.txt").read_bytes() == b"new"
    assert names(tmp_path / "a" / "b") == ["file.txt"]


def test_a_file_is_replaced_and_readable_by_all(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(b"old")
    path.chmod(0o600)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_failure_half_way_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(b"old")
    with pytest.raises(FileNotFoundError), whole_file(path) as temporary:
        temporary.write_bytes((tmp_path / "gone").read_bytes())
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file.txt"]


def test_a_reader_sees_the_old_file_until_the_end(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(b"old")
    with whole_file(path) as temporary:
        temporary.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_a_link_into_a_cache_is_replaced_and_the_cache_is_not_touched(tmp_path):
    cached, path = tmp_path / "cached", tmp_path / "file.txt"
    cached.write_bytes(b"cached")
    path.symlink_to(cached)
    write_whole(path, b"new")
    assert cached.read_bytes() == b"cached"
    assert path.read_bytes() == b"new"
    assert not path.is_symlink()


def test_a_set_is_written_as_a_whole(tmp_path):
    first, second, blocked = tmp_path / "a", tmp_path / "b", tmp_path / "file" / "c"
    first.write_bytes(b"old a")
    (tmp_path / "file").write_bytes(b"not a folder")
    with pytest.raises(OSError, match="file"):
        write_set({first: b"new a", second: b"new b", blocked: b"new c"})
    assert first.read_bytes() == b"old a"
    assert names(tmp_path) == ["a", "file"]

    write_set({first: b"new a", second: b"new b"})
    assert (first.read_bytes(), second.read_bytes()) == (b"new a", b"new b")


def test_the_first_of_a_set_is_replaced_last(tmp_path):
    evidence, table = tmp_path / "evidence", tmp_path / "table"
    table.mkdir()  # cannot be replaced by a file
    (table / "something").touch()
    evidence.write_bytes(b"old")
    with pytest.raises(OSError, match="table"):
        write_set({evidence: b"new", table: b"new"})
    assert evidence.read_bytes() == b"old"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_an_os_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        write_whole(tmp_path / "file.txt", b"new")


def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path):
    data = b"0123456789" * 100_000
    (tmp_path / "file").write_bytes(data)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(data).hexdigest()
