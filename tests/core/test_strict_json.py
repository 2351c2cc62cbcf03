"""strict_json: one document, one reading, whatever somebody wrote."""

import pytest

from mergeline.core.strict_json import read_json, shortened


def read(data, **bounds):
    return read_json(data, **{"values": 1_000, "text": 100, **bounds})


def test_plain_json_is_read():
    text = '{"a": [1, -2.5, true, null], "ü": "😀"}'
    assert read(text.encode()) == {"a": [1, -2.5, True, None], "ü": "😀"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "Expecting value"),
        (b"{} {}", "Extra data"),
        (b"{'a': 1}", "Expecting property name"),
        (b"\xef\xbb\xbf{}", "BOM"),
        ("{}".encode("utf-16"), "UTF-8"),
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        (b'{"a": 1, "a": 2}', "the key 'a' is given twice"),
        (b'{"b": {"a": 1, "\\u0061": 2}}', "the key 'a' is given twice"),
        (b"[NaN]", "NaN is not a number"),
        (b"[-Infinity]", "-Infinity is not a number"),
        (b"[1e400]", "beyond what a double holds"),
        (b"[18446744073709551616]", "beyond 64 bits"),
        (b"[" + b"9" * 5_000 + b"]", "Exceeds the limit"),
        (b'["\\ud800"]', "half a character"),
        (b'{"\\udc00": 1}', "half a character"),
        (b'["' + b"x" * 101 + b'"]', "101 characters, at most 100"),
        (b'{"' + b"x" * 101 + b'": 1}', "101 characters, at most 100"),
        (b"[" * 120 + b"]" * 120, "nested deeper than 100"),
        (b"[" * 100_000 + b"]" * 100_000, "at most 1,000 are allowed"),
    ],
)
def test_what_could_be_read_in_two_ways_or_fill_memory_is_refused(data, said):
    with pytest.raises(ValueError, match=said) as caught:
        read(data)
    assert len(str(caught.value)) < 300


def test_depth_is_refused_and_does_not_overflow_the_stack():
    with pytest.raises(ValueError, match="nested"):
        read(b"[" * 100_000 + b"]" * 100_000, values=10**6)


def test_the_largest_numbers_that_are_allowed():
    assert read(b"[18446744073709551615, -9223372036854775808, 1.7e308]") == [
        2**64 - 1,
        -(2**63),
        1.7e308,
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\u202eb", "'a\\u202eb'"),
        ("x" * 99, "'" + "x" * 56 + "..."),
        ({"a": 1}, "an object of 1 keys"),
        ([1, 2], "a list of 2 values"),
        (None, "None"),
    ],
)
def test_a_value_in_a_message_is_short_and_printable(value, text):
    assert shortened(value) == text
    assert len(text) <= 60
