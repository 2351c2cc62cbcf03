"""pack and unpack: what a build uploads comes out as it went in, and nothing else does."""

import io
import stat
import zipfile

import pytest

from bundle.parts import parts_of, write_parts
from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART, PARTS, archive_limit
from mergeline.bundle.pack import pack
from mergeline.bundle.unpack import unpack
from mergeline.errors import ContractError, InvalidBundle
from report import plans


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A checked project, as far as its parts go."""
    root = tmp_path_factory.mktemp("project")
    write_parts(root, *parts_of(plans.better()))
    (root / "reports/comment.md").write_text("not part of any artifact")
    return root


def zipped(files, method=zipfile.ZIP_DEFLATED, mode=stat.S_IFREG | 0o644):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, mode << 16
            target.writestr(info, data, method)
    return buffer.getvalue()


def test_parts_come_out_as_they_went_in(project):
    evidence, model = parts_of(plans.better())
    assert unpack(pack(project, EVIDENCE_PART), EVIDENCE_PART) == evidence
    assert unpack(pack(project, MODEL_PART), MODEL_PART) == model


@pytest.mark.parametrize("part", PARTS)
def test_packing_repeats_its_bytes_whatever_the_time_and_the_modes(project, part):
    before = pack(project, part)
    for path in (project / "reports").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.touch()
    assert pack(project, part) == before


def test_a_file_that_is_missing_is_named(tmp_path):
    write_parts(tmp_path, *parts_of(plans.better()))
    (tmp_path / "reports/explain.json").unlink()
    assert "explain.json" not in unpack(pack(tmp_path, EVIDENCE_PART), EVIDENCE_PART)
    (tmp_path / "reports/train.json").unlink()
    with pytest.raises(ContractError, match=r"reports/train\.json is not there"):
        pack(tmp_path, EVIDENCE_PART)


@pytest.fixture(scope="module")
def evidence(project):
    return unpack(pack(project, EVIDENCE_PART), EVIDENCE_PART)


@pytest.mark.parametrize(
    "name",
    [
        "comment.md",
        "/etc/passwd",
        "../train.json",
        "reports/train.json",
        "./train.json",
        "train.json/",
        "TRAIN.JSON",
        "model\\MLmodel",
        "model/MLmodel",
        "train.json\n",
    ],
)
def test_a_name_that_is_not_on_the_list_is_refused(evidence, name):
    files = {**evidence, name: b"x"}
    if name.upper() == name:
        del files["train.json"]
    with pytest.raises(InvalidBundle, match="mergeline-evidence is refused") as caught:
        unpack(zipped(files), EVIDENCE_PART)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("name", ["train.json", "prepare.json", "evaluate.json", "verdict.json"])
def test_what_must_be_there_is(evidence, name):
    files = {key: data for key, data in evidence.items() if key != name}
    with pytest.raises(InvalidBundle, match=f"does not hold {name}"):
        unpack(zipped(files), EVIDENCE_PART)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO])
def test_links_and_devices_are_refused(evidence, kind):
    with pytest.raises(InvalidBundle, match="expected a regular file"):
        unpack(zipped(evidence, mode=kind | 0o644), EVIDENCE_PART)


def test_the_model_may_bring_no_code(project):
    model = unpack(pack(project, MODEL_PART), MODEL_PART)
    with pytest.raises(InvalidBundle, match=r"'model/code/evil\.py' is not one of"):
        unpack(zipped({**model, "model/code/evil.py": b"x"}), MODEL_PART)


def test_many_entries_are_refused(evidence):
    files = {**evidence, **{f"{number}.json": b"" for number in range(20)}}
    with pytest.raises(InvalidBundle, match="entries, at most 20 are allowed"):
        unpack(zipped(files), EVIDENCE_PART)


def test_an_entry_is_no_larger_than_allowed(evidence):
    most = PARTS[EVIDENCE_PART]["candidate.json"].most
    grown = evidence["candidate.json"].ljust(most)
    assert len(unpack(zipped({**evidence, "candidate.json": grown}), EVIDENCE_PART)) == 9
    with pytest.raises(InvalidBundle, match=r"'candidate\.json' has 65,537 bytes, at most 65,536"):
        unpack(zipped({**evidence, "candidate.json": grown + b" "}), EVIDENCE_PART)


def test_a_bomb_is_refused_by_what_it_states(evidence):
    bomb = zipped({**evidence, "train.json": b" " * 8_000_000})
    with pytest.raises(InvalidBundle, match="at most 500 times"):
        unpack(bomb, EVIDENCE_PART)


def test_an_archive_is_no_larger_than_its_content_may_be():
    most = archive_limit(EVIDENCE_PART)
    assert most > sum(allowed.most for allowed in PARTS[EVIDENCE_PART].values())
    with pytest.raises(InvalidBundle, match=f"{most + 1:,} bytes, at most {most:,} are allowed"):
        unpack(bytes(most + 1), EVIDENCE_PART)


@pytest.mark.parametrize("part", PARTS)
def test_what_is_no_archive_is_refused_and_names_the_part(part):
    for data in (b"", b"{}", b"\x1f\x8b" + b"x" * 100):
        with pytest.raises(InvalidBundle, match=f"the artifact {part} is refused"):
            unpack(data, part)
