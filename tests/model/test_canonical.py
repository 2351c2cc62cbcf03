"""Equal models have equal bytes."""

import io
import json
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier

from mergeline.model.canonical import canonical_skops, directory_bytes, directory_digest


def dump(value):
    return skops.io.dumps(value)


def example():
    shared = np.arange(5.0)
    return {"a": [shared, shared], "b": {"deep": [[np.ones((2, 3))]]}, "c": "text", "n": None}


def test_two_dumps_differ_and_their_canonical_forms_do_not():
    kept = example()
    first, second = dump(kept), dump(example())
    assert first != second
    assert canonical_skops(first) == canonical_skops(second)


def test_the_canonical_form_of_a_canonical_form_is_itself():
    once = canonical_skops(dump(example()))
    assert canonical_skops(once) == once


def test_other_values_have_other_bytes():
    changed = example()
    changed["b"]["deep"][0][0][1, 2] += 1e-15
    assert canonical_skops(dump(changed)) != canonical_skops(dump(example()))


def test_the_canonical_form_loads_to_the_same_values():
    value = skops.io.loads(canonical_skops(dump(example())))
    np.testing.assert_array_equal(value["a"][0], np.arange(5.0))
    assert value["a"][0] is value["a"][1]
    np.testing.assert_array_equal(value["b"]["deep"][0][0], np.ones((2, 3)))
    assert (value["c"], value["n"]) == ("text", None)


def test_members_are_sorted_uncompressed_and_without_a_time():
    with zipfile.ZipFile(io.BytesIO(canonical_skops(dump(example())))) as found:
        members = found.infolist()
        ids = json.dumps(json.loads(found.read("schema.json")))
    names = [member.filename for member in members]
    assert names == sorted(names)
    assert {member.date_time for member in members} == {(1980, 1, 1, 0, 0, 0)}
    assert {member.compress_type for member in members} == {zipfile.ZIP_STORED}
    assert '"__id__": 0' in ids


def test_a_fitted_forest_round_trips(table):
    numbers = table.rows[["age"]]
    forest = RandomForestClassifier(5, random_state=0).fit(numbers, table.labels)
    again = RandomForestClassifier(5, random_state=0).fit(numbers, table.labels)
    data = canonical_skops(dump(forest))
    assert data == canonical_skops(dump(again))
    loaded = skops.io.loads(data, trusted=["sklearn.tree._tree.Tree", "numpy.dtype"])
    np.testing.assert_array_equal(loaded.predict_proba(numbers), forest.predict_proba(numbers))


@pytest.mark.parametrize("change", ["content", "name", "place", "more"])
def test_every_byte_and_name_of_a_directory_counts(tmp_path, change):
    def write(folder):
        (folder / "sub").mkdir(parents=True)
        (folder / "a").write_bytes(b"1")
        (folder / "sub" / "b").write_bytes(b"22")

    write(tmp_path / "one")
    write(tmp_path / "two")
    two = tmp_path / "two"
    assert directory_digest(tmp_path / "one") == directory_digest(two)
    assert directory_bytes(two) == 3
    if change == "content":
        (two / "a").write_bytes(b"2")
    elif change == "name":
        (two / "a").rename(two / "A")
    elif change == "place":
        (two / "sub" / "b").rename(two / "b")
    else:
        (two / "c").touch()
    assert directory_digest(tmp_path / "one") != directory_digest(two)
