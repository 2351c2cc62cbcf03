"""archive: zip files as tools write them are read; what two readers read in two ways is not."""

import io
import struct
import zipfile

import pytest

from mergeline.core.archive import content, read_members

TEXT = b"text " * 100


class NoSeek(io.RawIOBase):
    """A pipe: whoever writes a zip into it states sizes behind the data."""

    def __init__(self):
        self.data = b""

    def writable(self):
        return True

    def write(self, data):
        self.data += bytes(data)
        return len(data)


def zipped(files, method=zipfile.ZIP_DEFLATED, **attributes):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, (2026, 1, 31, 12, 0, 0))
            info.create_system = 3
            for key, value in attributes.items():
                setattr(info, key, value)
            target.writestr(info, data, method)
    return buffer.getvalue()


def streamed(files):
    pipe = NoSeek()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in files.items():
            target.writestr(name, data)
    return pipe.data


FILES = {"one.txt": TEXT, "two.txt": b"", "folder/three.bin": bytes(range(256))}


def read(data, most=20):
    return {member.name: content(data, member) for member in read_members(data, most=most)}


@pytest.mark.parametrize(
    "data",
    [
        zipped(FILES),
        zipped(FILES, zipfile.ZIP_STORED),
        zipped(FILES, external_attr=0o100644 << 16),
        zipped(FILES, extra=struct.pack("<HHBI", 0x5455, 5, 1, 0)),
        streamed(FILES),
    ],
    ids=["deflated", "stored", "with-mode", "with-time", "streamed"],
)
def test_what_tools_write_is_read(data):
    assert read(data) == FILES


def test_an_empty_archive_holds_nothing():
    assert read(zipped({})) == {}


# --- patches of single bytes and numbers -----------------------------------------------------

END = b"PK\x05\x06"
CENTRAL = b"PK\x01\x02"
LOCAL = b"PK\x03\x04"
ONE = zipped({"one.txt": TEXT})
TWO = zipped({"one.txt": TEXT, "two.txt": TEXT}, zipfile.ZIP_STORED)


def patched(data, mark, offset, form, value, *, last=False):
    """The archive with one field of one header changed."""
    start = (data.rindex if last else data.index)(mark) + offset
    packed = struct.pack(form, value)
    return data[:start] + packed + data[start + len(packed) :]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no zip archive"),
        (b"x" * 100, "does not end"),
        (ONE[:-1], "does not end"),
        (ONE[10:], "not where it states"),
        (ONE + b"more", "does not end"),
        (b"more" + ONE, "not where it states"),
        (patched(ONE, END, 20, "<H", 4) + b"note", "does not end"),
        (patched(ONE, END, 4, "<H", 1), "not where it states"),
        (patched(ONE, END, 8, "<H", 2), "not where it states"),
        (patched(ONE, END, 16, "<I", 0xFFFFFFFF), "zip64"),
        (patched(patched(ONE, END, 8, "<H", 0), END, 10, "<H", 0), "longer than its entries"),
        (patched(patched(ONE, END, 8, "<H", 2), END, 10, "<H", 2), "cut off"),
        (patched(ONE, CENTRAL, 0, "<H", 0), "something else than entries"),
        (patched(ONE, CENTRAL, 8, "<H", 1), "'one.txt' is encrypted"),
        (patched(ONE, CENTRAL, 8, "<H", 0x2000), "'one.txt' is encrypted"),
        (patched(ONE, CENTRAL, 8, "<H", 0x8000), "flags 0x8000"),
        (patched(ONE, CENTRAL, 10, "<H", 12), "compressed by method 12"),
        (patched(ONE, CENTRAL, 34, "<H", 1), "lies in another archive"),
        (patched(ONE, CENTRAL, 38, "<I", 0o120777 << 16), "'one.txt' is a link"),
        (patched(ONE, CENTRAL, 38, "<I", 0o040755 << 16), "'one.txt' is a folder"),
        (patched(ONE, CENTRAL, 38, "<I", 0x10), "'one.txt' is a folder"),
        (patched(ONE, CENTRAL, 38, "<I", 0o020644 << 16), "'one.txt' is a device"),
        (patched(ONE, CENTRAL, 38, "<I", 0o010644 << 16), "'one.txt' is a device"),
        (patched(ONE, CENTRAL, 42, "<I", 5), "header of 'one.txt' says something else"),
        (patched(ONE, CENTRAL, 42, "<I", 2**31), "cut off"),
        (patched(ONE, CENTRAL, 28, "<H", 2_000), "cut off"),
        (patched(ONE, CENTRAL, 46, "<B", 0xFF), "not plain ASCII"),
        (patched(ONE, CENTRAL, 46, "<B", 0), "not plain ASCII"),
        (patched(ONE, LOCAL, 30, "<B", ord("x")), "says something else than the directory"),
        (patched(ONE, LOCAL, 8, "<H", 0), "says something else than the directory"),
        (patched(ONE, LOCAL, 22, "<I", 9), "says something else than the directory"),
        (patched(ONE, LOCAL, 26, "<H", 60_000), "cut off"),
    ],
)
def test_what_readers_would_disagree_about_is_refused(data, said):
    with pytest.raises(ValueError, match=said):
        read(data)


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (struct.pack("<HHQQ", 0x0001, 16, 1, 1), "zip64"),
        (struct.pack("<HH5s", 0x7075, 5, b"other"), "a second name"),
        (struct.pack("<HH7s", 0x9901, 7, b"secrets"), "encryption"),
        (struct.pack("<HH", 0x5455, 9), "cut off"),
    ],
)
def test_fields_that_mean_another_size_or_name_are_refused(extra, said):
    with pytest.raises(ValueError, match=said):
        read(zipped({"one.txt": TEXT}, extra=extra))


def test_a_comment_of_an_entry_is_refused():
    with pytest.raises(ValueError, match="has a comment"):
        read(zipped({"one.txt": TEXT}, comment=b"trust me"))


def test_two_entries_over_the_same_bytes_are_refused():
    first = TWO.index(CENTRAL)
    second = TWO.index(CENTRAL, first + 1)
    overlapping = TWO[: second + 42] + struct.pack("<I", 0) + TWO[second + 46 :]
    with pytest.raises(ValueError, match=r"says something else|overlaps"):
        read(overlapping)


def test_an_entry_inside_the_data_of_another_is_refused():
    """Quoted overlap: each header is right, and the second lies within the first's data."""
    inner = zipped({"in.txt": TEXT}, zipfile.ZIP_STORED)
    local = inner[: inner.index(CENTRAL)]
    outer = zipped({"out.txt": local}, zipfile.ZIP_STORED)
    start, end = outer.index(CENTRAL), outer.index(END)
    entry = inner[inner.index(CENTRAL) : inner.index(END)]
    entry = entry[:42] + struct.pack("<I", outer.index(local)) + entry[46:]
    directory = outer[start:end] + entry
    tail = struct.pack("<4s4H2IH", END, 0, 0, 2, 2, len(directory), start, 0)
    with pytest.raises(ValueError, match="overlaps another"):
        read(outer[:start] + directory + tail)


def test_bytes_between_members_are_refused():
    middle = TWO.index(LOCAL, 1)
    gap = b"hidden"
    moved = TWO[:middle] + gap + TWO[middle:]
    second = moved.rindex(CENTRAL)
    moved = moved[: second + 42] + struct.pack("<I", middle + len(gap)) + moved[second + 46 :]
    moved = patched(moved, END, 16, "<I", TWO.index(CENTRAL) + len(gap))
    with pytest.raises(ValueError, match="bytes are between"):
        read(moved)


def test_a_descriptor_that_says_something_else_is_refused():
    data = streamed({"one.txt": TEXT})
    place = data.index(b"PK\x07\x08") + 12
    with pytest.raises(ValueError, match="overlaps another, or bytes are between"):
        read(data[:place] + b"\x00\x00\x00\x09" + data[place + 4 :])


def renamed(data, old, new):
    """The archive with a member of another name, of the same length, in both places."""
    assert data.count(old) == 2
    return data.replace(old, new)


@pytest.mark.parametrize("name", [b"one.txt", b"ONE.TXT"])
def test_a_name_that_is_there_twice_is_refused(name):
    with pytest.raises(ValueError, match="is there twice"):
        read(renamed(TWO, b"two.txt", name))


def test_many_entries_are_refused_before_they_are_read():
    data = zipped({f"{number}": b"" for number in range(21)})
    with pytest.raises(ValueError, match="it has 21 entries, at most 20"):
        read(data)
    assert len(read(data, most=21)) == 21


# --- contents that are not what they state -----------------------------------------------------


def restated(size, checksum=None):
    """An archive whose headers state another size or checksum of the content."""
    data = ONE
    for mark, offset in ((LOCAL, 14), (CENTRAL, 16)):
        if checksum is not None:
            data = patched(data, mark, offset, "<I", checksum)
        data = patched(data, mark, offset + 8, "<I", size)
    return data


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (restated(len(TEXT) - 1), "does not hold the 499 bytes"),
        (restated(len(TEXT) + 1), "does not hold the 501 bytes"),
        (restated(len(TEXT), checksum=1), "another checksum"),
        (ONE.replace(ONE[37:45], b"\xff" * 8), "cannot be decompressed"),
    ],
)
def test_a_content_that_is_not_as_stated_is_refused(data, said):
    (member,) = read_members(data, most=1)
    with pytest.raises(ValueError, match=said):
        content(data, member)


def test_a_stored_member_has_one_size():
    data = zipped({"one.txt": TEXT}, zipfile.ZIP_STORED)
    for mark, offset in ((LOCAL, 22), (CENTRAL, 24)):
        data = patched(data, mark, offset, "<I", 3)
    with pytest.raises(ValueError, match="states two sizes"):
        read_members(data, most=1)


def test_a_bomb_is_never_inflated_beyond_what_it_states():
    import tracemalloc

    data = zipped({"bomb": b"\0" * 50_000_000})
    for mark, offset in ((LOCAL, 22), (CENTRAL, 24)):
        data = patched(data, mark, offset, "<I", 1_000)
    (member,) = read_members(data, most=1)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="does not hold the 1,000 bytes"):
            content(data, member)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
