"""A version's files against the digests that the ledger states: nothing loaded, all hashed."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bundle.parts import parts_of
from ledger.made import commit_id
from mergeline.bundle import release_files
from mergeline.bundle.release_files import (
    EVIDENCE,
    read_evidence,
    regular_files,
    require_same,
    verify,
)
from mergeline.core.digest import promotion_key
from mergeline.core.evidence import STAGES
from mergeline.errors import BytesMismatch
from mergeline.ledger.entries import Release
from mergeline.model.canonical import directory_digest
from report import plans


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A release as a version holds it."""
    evidence, model = parts_of(plans.better())
    files = {name: model[name] for name in model if name != "predictions.parquet"}
    files |= {f"evidence/{stage}.json": evidence[f"{stage}.json"] for stage in STAGES}
    for name, data in files.items():
        path = tmp_path / "version" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "version"


@pytest.fixture
def release(folder: Path) -> Release:
    """What the ledger says of it."""
    model, inputs = directory_digest(folder / "model"), "1" * 64
    return Release(
        project="credit-default",
        version="3",
        key=promotion_key("credit-default", inputs, model),
        inputs=inputs,
        model=model,
        evidence=read_evidence(regular_files(folder)).digest(),
        commit=commit_id("main"),
        tree=commit_id("tree"),
        pull_request=7,
    )


def test_what_was_released_passes(folder: Path, release: Release) -> None:
    verify(folder, release)
    (folder / "release.json").write_text("{}")  # the model server's own
    verify(folder, release)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model/model.skops", r"the model \(M\)"),
        ("model/MLmodel", r"the model \(M\)"),
        ("probes.json", "probes.json"),
    ],
)
def test_a_byte_that_differs(folder: Path, release: Release, name: str, said: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(BytesMismatch, match=f"{said}: the bytes have .{{12}}, the ledger states"):
        verify(folder, release)


def test_a_number_of_the_evidence_that_differs(folder: Path, release: Release) -> None:
    path = folder / "evidence/evaluate.json"
    path.write_text(path.read_text().replace('"threshold":0.5', '"threshold":0.4'))
    with pytest.raises(BytesMismatch, match=r"the evidence \(E\)"):
        verify(folder, release)


def test_evidence_written_in_another_way_is_the_same(folder: Path, release: Release) -> None:
    """E is of what it says, not of its spaces; seconds and hosts are no part of it."""
    path = folder / "evidence/train.json"
    document = json.loads(path.read_text())
    document["timing"]["host"] = "another"
    path.write_text(json.dumps(document, indent=3, sort_keys=True))
    verify(folder, release)


@pytest.mark.parametrize("name", ["project", "inputs", "key"])
def test_a_key_of_something_else(folder: Path, release: Release, name: str) -> None:
    other = release.model_copy(update={name: "2" * 64})
    with pytest.raises(BytesMismatch, match=r"the promotion's key \(K\)"):
        verify(folder, other)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model/MLmodel", r"the model \(M\)"),
        ("probes.json", "lacks the probe rows"),
        ("evidence/train.json", r"the evidence \(E\)"),
    ],
)
def test_a_file_that_is_missing(folder: Path, release: Release, name: str, said: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BytesMismatch, match=said):
        verify(folder, release)


def test_without_the_evidence_of_the_scores_nothing_is_held(folder: Path, release: Release) -> None:
    (folder / "evidence/evaluate.json").unlink()
    rest = read_evidence(regular_files(folder)).digest()
    with pytest.raises(BytesMismatch, match="the evidence of their scores"):
        verify(folder, release.model_copy(update={"evidence": rest}))


@pytest.mark.parametrize("name", ["evidence/other.json", "card.md", "model.skops", "models/x"])
def test_a_file_that_no_release_has(folder: Path, release: Release, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).touch()
    with pytest.raises(BytesMismatch, match=f"holds '{name}', which no release has"):
        verify(folder, release)


def linked(folder: Path) -> None:
    (folder / "model/extra").symlink_to("/etc/hostname")


def linked_folder(folder: Path) -> None:
    (folder / "model/extra").symlink_to(folder / "evidence")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "model/extra")


@pytest.mark.parametrize("make", [linked, linked_folder, pipe])
def test_what_is_no_file(folder: Path, release: Release, make: Callable[[Path], None]) -> None:
    make(folder)
    with pytest.raises(BytesMismatch, match="'model/extra' is a link or a device"):
        verify(folder, release)


def test_too_many_files(folder: Path) -> None:
    for number in range(release_files.MOST_FILES):
        (folder / f"model/{number}").touch()
    with pytest.raises(BytesMismatch, match="more than 100 files"):
        regular_files(folder)


def test_folders_without_end(folder: Path) -> None:
    for number in range(release_files.MOST_FILES):
        (folder / f"{number}/deeper").mkdir(parents=True)
    with pytest.raises(BytesMismatch, match="more than 100 files"):
        regular_files(folder)


def test_too_many_bytes(folder: Path) -> None:
    with (folder / "model/large").open("wb") as file:
        file.truncate(release_files.MOST_BYTES)  # a hole: nothing is written
    with pytest.raises(BytesMismatch, match=f"{release_files.MOST_BYTES} bytes"):
        regular_files(folder)


def test_evidence_that_is_too_large_is_not_read(folder: Path) -> None:
    with (folder / "evidence/train.json").open("ab") as file:
        file.truncate(64 * 2**20 + 1)
    with pytest.raises(BytesMismatch, match=r"evidence/train.json is larger than 67108864 bytes"):
        read_evidence(regular_files(folder))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version": 2}', "\xff"])
def test_evidence_that_is_none(folder: Path, text: str) -> None:
    (folder / "evidence/train.json").write_text(text, encoding="latin-1")
    with pytest.raises(BytesMismatch, match="not of this version of Mergeline: ") as caught:
        read_evidence(regular_files(folder))
    assert "registry" in caught.value.hint


def test_other_files_are_no_evidence(folder: Path) -> None:
    files = regular_files(folder)
    names = {name.removeprefix("evidence/").removesuffix(".json") for name in EVIDENCE}
    found = read_evidence(files)
    assert {name for name in STAGES if getattr(found, name) is not None} == names
    assert read_evidence({"model/MLmodel": files["model/MLmodel"]}).digest() != found.digest()


def test_both_digests_are_told() -> None:
    require_same("x", "a" * 64, "a" * 64)
    with pytest.raises(BytesMismatch, match=r"x: the bytes have a{12}, .* states b{12}"):
        require_same("x", "a" * 64, "b" * 64)
