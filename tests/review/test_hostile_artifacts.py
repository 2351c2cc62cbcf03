"""Artifacts made to harm the trusted job: nothing is posted, one reason is named, exit code 12.

The table of `HOSTILE` goes through the command as its workflow runs it, with its memory
measured; that of `MORE` through the same job in this process.
"""

import io
import random
import stat
import struct
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from bundle.parts import Files, evidence_files, rewritten, sealed
from core.test_archive import CENTRAL, END, LOCAL, patched, streamed
from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART
from mergeline.config.problem import printable
from mergeline.core.answers import Answer, Name
from mergeline.review.run import review
from report import plans
from review.jobs import comment
from review.lines import SmallLine, commit_files, git, zipped

# Resident, of a process that refuses; the command itself takes 62.
MOST_MEGABYTES = 250


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLine]:
    made = SmallLine.start(tmp_path_factory.mktemp("hostile"))
    with made.world:
        yield made


@dataclass(frozen=True)
class Built:
    """What an honest build of a head hands over; `other` is the head of another pull request."""

    evidence: Files
    model: Files
    head: str
    other: str

    def parts(self, evidence: bytes | None = None, model: bytes | None = None) -> dict[str, bytes]:
        """Both archives, one of them another."""
        return {
            EVIDENCE_PART: zipped(self.evidence) if evidence is None else evidence,
            MODEL_PART: zipped(self.model) if model is None else model,
        }

    def named(self, name: str, mode: int = stat.S_IFREG | 0o644) -> dict[str, bytes]:
        """With one more entry, of any name and kind, in the model's archive."""
        return self.parts(model=written({**self.model, name: b"/etc/passwd"}, {name: mode}))

    def saying(self, name: str, change: Callable[[dict[str, Any]], None]) -> dict[str, bytes]:
        """With another content of one JSON file."""
        return self.holding(name, rewritten(self.evidence[name], change))

    def holding(self, name: str, data: bytes) -> dict[str, bytes]:
        """With other bytes of one file of the evidence."""
        return self.parts(evidence=zipped({**self.evidence, name: data}))

    def replaced(self, name: str, old: bytes, new: bytes) -> dict[str, bytes]:
        """With one text in the place of another in one file."""
        assert old in self.evidence[name]
        return self.holding(name, self.evidence[name].replace(old, new, 1))


def written(files: Mapping[str, bytes], modes: Mapping[str, int]) -> bytes:
    """An archive whose entries have the names and kinds given, whatever they are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo("x" * len(name))
            info.filename, info.create_system = name, 3
            info.external_attr = modes.get(name, stat.S_IFREG | 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return buffer.getvalue()


def twice(files: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in (*files.items(), ("train.json", b"{}")):
            archive.writestr(name, data)
    return buffer.getvalue()


def crowded(entries: int, stated: int | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(entries):
            archive.writestr(zipfile.ZipInfo(f"{number}"), b"")
    data = buffer.getvalue()
    if stated is None:
        return data
    return patched(patched(data, END, 8, "<H", stated), END, 10, "<H", stated)


def restated(data: bytes, name: str, size: int) -> bytes:
    """The archive of which one member states another size, in both places."""
    for mark, stated, length, start in ((LOCAL, 22, 26, 30), (CENTRAL, 24, 28, 46)):
        here = data.index(mark)
        while data[here + start : here + start + len(name)] != name.encode():
            here = data.index(mark, here + length)
        data = data[: here + stated] + struct.pack("<I", size) + data[here + stated + 4 :]
    return data


def swollen(files: Files, name: str, pieces: Iterable[bytes]) -> bytes:
    """The archive of which one file is another, written piece by piece."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, data in files.items():
            if each != name:
                archive.writestr(each, data)
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(info, "w") as file:
            for piece in pieces:
                file.write(piece)
    return buffer.getvalue()


def bomb(built: Built) -> dict[str, bytes]:
    zeros = (bytes(1_000_000) for _ in range(250))
    return built.parts(model=swollen(built.model, "predictions.parquet", zeros))


def lying_bomb(built: Built) -> dict[str, bytes]:
    zeros = (bytes(1_000_000) for _ in range(300))
    data = swollen(built.model, "predictions.parquet", zeros)
    return built.parts(model=restated(data, "predictions.parquet", 100_000))


def patient_bomb(built: Built) -> dict[str, bytes]:
    """Below the ratio that is refused, in a file of any bytes: it is unpacked and hashed."""
    noise = random.Random(1)  # noqa: S311 -- no secret
    pieces = (noise.randbytes(8_000) + bytes(992_000) for _ in range(250))
    return built.parts(model=swollen(built.model, "predictions.parquet", pieces))


def long_text(built: Built) -> bytes:
    letters = (b"x" * 1_000_000 for _ in range(300))
    pieces = (b'{"schema_version":1,"stage":"explain","content":"', *letters, b'"}')
    return swollen(built.evidence, "explain.json", pieces)


def long_text_hidden(built: Built) -> dict[str, bytes]:
    return built.parts(evidence=restated(long_text(built), "explain.json", 8_000_000))


def many_errors(built: Built) -> dict[str, bytes]:
    columns = [{"name": f"column {number}"} for number in range(200_000)]
    return built.saying("prepare.json", lambda it: it["content"].update(columns=columns))


def of_the_other(built: Built) -> dict[str, bytes]:
    swap = (built.head.encode(), built.other.encode())
    files = {name: data.replace(*swap) for name, data in built.evidence.items()}
    return built.parts(evidence=zipped(files))


def numbered(built: Built) -> dict[str, bytes]:
    return built.saying("candidate.json", lambda it: it.update(pull_request=1))


Case = tuple[str, Callable[[Built], dict[str, bytes]], str]

# The list that a trusted job has to withstand, and what it says of each.
HOSTILE: tuple[Case, ...] = (
    ("a path out", lambda b: b.named("../../.bashrc"), "'../../.bashrc' is not one of"),
    ("a symlink", lambda b: b.named("model/code", stat.S_IFLNK | 0o777), "is a link"),
    ("a bomb", bomb, "become 250,000,000; at most 500 times as many"),
    ("a bomb that lies", lying_bomb, "does not hold the 100,000 bytes that it states"),
    ("a bomb within bounds", patient_bomb, "predictions.parquet, by evaluate.json"),
    ("100,000 entries", lambda b: b.parts(crowded(100_000)), "zip64"),
    ("65,535 entries", lambda b: b.parts(crowded(65_535)), "65535 entries, at most 20"),
    ("20 of 60,000 stated", lambda b: b.parts(crowded(60_000, 20)), "longer than its entries"),
    ("a name twice", lambda b: b.parts(twice(b.evidence)), "'train.json' is there twice"),
    ("NaN", lambda b: b.replaced("train.json", b'"seed":', b'"seed":NaN,"x":'), "NaN is not"),
    (
        "an extra key",
        lambda b: b.saying("train.json", lambda it: it.update(run="x")),
        "'evidence.train.run'",
    ),
    (
        "a text of 300 MB",
        lambda b: b.parts(long_text(b)),
        "has 300,000,051 bytes, at most 8,388,608",
    ),
    ("a text of 300 MB that lies", long_text_hidden, "does not hold the 8,000,000 bytes"),
    ("200,000 wrong items", many_errors, "columns.0.kind"),
    ("another pull request's number", numbered, "'pull_request'"),
    ("another pull request's commit", of_the_other, "the evidence is of"),
)


@pytest.fixture
def opened(line: SmallLine) -> tuple[str, int, Built]:
    """A branch, its pull request, and what an honest build of its head hands over."""
    other = line.push()
    line.world.open_pull(other, login="ann")
    branch = line.push()
    number = line.world.open_pull(branch, login="ann")
    head, foreign = (git(line.remote, "rev-parse", name) for name in (branch, other))
    plan, model = sealed(line.candidate(plans.better(), head))
    return branch, number, Built(evidence_files(plan), model, head, foreign)


def require_nothing_posted(line: SmallLine, number: int, head: str, since: int) -> None:
    """One failing status that names the reason, and nothing else: no comment, no check run."""
    (write,) = line.world.writes[since:]
    assert (write.method, write.path) == ("POST", f"/repos/acme/credit/statuses/{head}")
    assert write.body["state"] == "failure"
    assert write.body["description"].startswith("EVIDENCE_INVALID: ")
    assert not line.job().github.comments(number)
    assert [each for each in line.ledger() if each.commit == head] == []


@pytest.mark.parametrize(
    ("make", "said"), [case[1:] for case in HOSTILE], ids=[c[0] for c in HOSTILE]
)
def test_nothing_is_posted_and_the_reason_is_named(
    line: SmallLine,
    opened: tuple[str, int, Built],
    make: Callable[[Built], dict[str, bytes]],
    said: str,
) -> None:
    branch, number, built = opened
    run = line.run(branch, make(built))
    since = len(line.world.writes)
    job = comment(line, run)
    assert job.code == 12, job.err
    assert job.out.startswith("EVIDENCE_INVALID: ")
    assert said in job.out
    assert len(job.out) < 1_500
    assert job.out.count("\n") == 2
    assert job.err == ""
    assert job.summary.startswith("**EVIDENCE_INVALID** ")
    # What is within bounds is held as bytes, twice at most: 250 megabytes of it.
    assert job.megabytes < MOST_MEGABYTES + 500 * (make is patient_bomb)
    require_nothing_posted(line, number, built.head, since)


# --- the rest, in this process --------------------------------------------------------------


def one_archive(built: Built, change: Callable[[bytes], bytes]) -> dict[str, bytes]:
    return built.parts(evidence=change(zipped(built.evidence)))


def prepended(data: bytes) -> bytes:
    return b"#!/bin/sh\n" + data


def two_directories(data: bytes) -> bytes:
    start, end = data.index(CENTRAL), data.index(END)
    directory, tail = data[start:end], bytearray(data[end:])
    tail[16:20] = struct.pack("<I", end)
    return data[:end] + directory + bytes(tail)


def zip64_locator(data: bytes) -> bytes:
    """A second end in the zip64 format, which some readers believe and others do not see."""
    end = data.index(END)
    total, size, start = struct.unpack("<HII", data[end + 10 : end + 20])
    more = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, total, total, size, start)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    return data[:end] + more + locator + data[end:]


def swapped(built: Built) -> dict[str, bytes]:
    files = {**built.evidence, "train.json": built.evidence["evaluate.json"]}
    return built.parts(evidence=zipped({**files, "evaluate.json": built.evidence["train.json"]}))


def deep(text: bytes, times: int = 100_000) -> bytes:
    return b'{"a":' + text * times


MORE: tuple[Case, ...] = (
    ("an absolute name", lambda b: b.named("/etc/passwd"), "'/etc/passwd' is not one of"),
    ("a drive", lambda b: b.named("C:/x"), "'C:/x' is not one of"),
    ("another case", lambda b: b.named("MODEL/mlmodel"), "'MODEL/mlmodel' is there twice"),
    ("a dot", lambda b: b.named("./probes.json"), "'./probes.json' is not one of"),
    ("two slashes", lambda b: b.named("model//MLmodel"), "'model//MLmodel' is not one of"),
    ("a normal form", lambda b: b.named(unicodedata.normalize("NFD", "mod\u00e9l/x")), "ASCII"),
    ("a wide letter", lambda b: b.named("model/\uff2dLmodel"), "not plain ASCII"),
    ("a backslash", lambda b: b.named("model\\MLmodel.x"), "is not one of"),
    ("a NUL", lambda b: b.named("probes.json\0.txt"), "not plain ASCII"),
    ("a new line", lambda b: b.named("probes.json\n::error::x"), "not plain ASCII"),
    ("a command", lambda b: b.named("##[error]x"), "'#\\u0023[error]x' is not one of"),
    ("a folder", lambda b: b.named("model/code", stat.S_IFDIR | 0o755), "is a folder"),
    ("a device", lambda b: b.named("model/code", stat.S_IFBLK | 0o666), "is a device"),
    ("a pipe", lambda b: b.named("model/code", stat.S_IFIFO | 0o666), "is a device"),
    ("a socket", lambda b: b.named("model/code", stat.S_IFSOCK | 0o666), "is a device"),
    ("bytes before", lambda b: one_archive(b, prepended), "not where it states"),
    ("bytes behind", lambda b: one_archive(b, lambda data: data + b"x"), "does not end with"),
    ("two directories", lambda b: one_archive(b, two_directories), "bytes between the last"),
    ("two archives", lambda b: one_archive(b, lambda data: data + data), "not where it states"),
    ("a second end", lambda b: one_archive(b, zip64_locator), "zip64"),
    ("an archive in it", lambda b: b.holding("train.json", zipped(b.evidence)), "not JSON"),
    ("the other part", lambda b: b.parts(evidence=zipped(b.model)), "is not one of"),
    ("a file of the other part", lambda b: b.named("train.json"), "'train.json' is not one of"),
    ("two files swapped", swapped, "evidence."),
    ("depth of lists", lambda b: b.holding("train.json", deep(b"[")), "nested too deep"),
    ("depth of objects", lambda b: b.holding("train.json", deep(b'{"a":')), "nested too deep"),
    (
        "many digits",
        lambda b: b.replaced("train.json", b'"seed":', b'"seed":' + b"9" * 9_999),
        "JSON",
    ),
    (
        "beyond 64 bits",
        lambda b: b.replaced("train.json", b'"seed":', b'"seed":' + b"9" * 99),
        "64 bits",
    ),
    (
        "beyond a double",
        lambda b: b.replaced("train.json", b'"seed":', b'"seed":1e999,"x":'),
        "double",
    ),
    ("a key twice", lambda b: b.replaced("train.json", b'"seed":', b'"seed":1,"seed":'), "twice"),
    ("half a character", lambda b: b.holding("train.json", rb'{"a":"\udead"}'), "half a character"),
    ("a byte order mark", lambda b: b.holding("train.json", b"\xef\xbb\xbf{}"), "BOM"),
    ("UTF-16", lambda b: b.holding("train.json", '{"a":1}'.encode("utf-16")), "not UTF-8"),
    ("no object", lambda b: b.holding("verdict.json", b"[]"), "is not a verdict"),
    ("nothing", lambda b: b.holding("candidate.json", b""), "candidate.json is not JSON"),
)


@pytest.mark.parametrize(("make", "said"), [case[1:] for case in MORE], ids=[c[0] for c in MORE])
def test_nothing_is_posted_either(
    line: SmallLine,
    opened: tuple[str, int, Built],
    make: Callable[[Built], dict[str, bytes]],
    said: str,
) -> None:
    branch, number, built = opened
    run = line.run(branch, make(built))
    since = len(line.world.writes)
    answer = review(line.job(), run)
    assert isinstance(answer, Answer)
    assert (answer.name, answer.name.exit_code) == (Name.EVIDENCE_INVALID, 12)
    assert said in printable(answer.reason)
    assert answer.reason.isprintable()
    require_nothing_posted(line, number, built.head, since)


# --- what is strange and right ---------------------------------------------------------------


def test_an_archive_as_the_upload_action_writes_it(
    line: SmallLine, opened: tuple[str, int, Built]
) -> None:
    """Streamed: sizes and checksum stand behind the data, and modes are those of Unix."""
    branch, number, built = opened
    data = streamed(built.evidence)
    assert struct.unpack("<H", data[6:8])[0] & 0x0008
    run = line.run(branch, {EVIDENCE_PART: data, MODEL_PART: streamed(built.model)})
    done = comment(line, run)
    assert done.code == 0, done
    assert len(line.job().github.comments(number)) == 1


# --- files of the pull request that steer the trusted job ------------------------------------

MERGES = "a0: &a0 {k: 1, l: 2}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 30)
)
ALIASES = "a0: &a0 [1, 2]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)
)


@pytest.mark.parametrize("name", ["params.yaml", "dvc.yaml"])
@pytest.mark.parametrize(
    "text",
    [
        MERGES,
        f"{ALIASES}project: *a29\nstages: *a29\n",
        f"project: 0x{'f' * 9_999}\nstages: {{a: {{cmd: 0x{'f' * 9_999}}}}}\n",
        f"project: {'x' * 300_000}\n",
        f"%YAML {'9' * 9_999}.1\n---\na: 1\n",
        "[" * 100_000,
        "a: !!bool x\n",
        "{[a, {b: c}]: d}\n",
        "\ufeff\x00",
        "!!python/object/apply:os.system [id]\n",
        "##[error]x: &a [*a]\nstages: *a\n",
    ],
    ids=[
        "merges",
        "aliases",
        "hex",
        "long",
        "version",
        "deep",
        "tag",
        "key",
        "NUL",
        "code",
        "self",
    ],
)
def test_settings_made_to_harm_are_refused_in_little_time(
    line: SmallLine, opened: tuple[str, int, Built], name: str, text: str
) -> None:
    branch, number, built = opened
    head = commit_files(line.remote, branch, {name: text}, onto=branch)
    swap = (built.head.encode(), head.encode())
    files = {each: data.replace(*swap) for each, data in built.evidence.items()}
    run = line.run(branch, built.parts(evidence=zipped(files)))
    since = len(line.world.writes)
    answer = review(line.job(), run)
    assert isinstance(answer, Answer)
    assert answer.name is Name.EVIDENCE_INVALID
    assert name in answer.reason
    require_nothing_posted(line, number, head, since)
