"""The request log: whole files, bounded, and never in the way of an answer."""

import io
import time
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from mergeline.model.decision import DecisionRule
from mergeline.serve.request_log import RELEASE, SAID, TIME, LogSettings, RequestLog

SECONDS = 60.0
RULE = DecisionRule("binary", ("no", "yes"), "yes", 0.002)


def rows(*ages):
    towns = pd.Series([f"town {age}" if age % 2 else None for age in ages], dtype=object)
    return {"age": np.array(ages, dtype=float), "town": towns.to_numpy()}


def scores(*ages):
    return np.array([age / 1000 for age in ages])


def add(log, *ages):
    log.add(rows(*ages), scores(*ages))


def files(folder):
    return sorted(folder.glob("[!.]*"))


def read(folder):
    # Bytes first: pyarrow opens a path more than once, and a longer file may take its place.
    whole = [io.BytesIO(path.read_bytes()) for path in files(folder)]
    return pd.concat(map(pd.read_parquet, whole), ignore_index=True)


def settings(folder, **more):
    return LogSettings(folder=str(folder), **{"seconds": 3600.0, **more})


def test_rows_are_kept_with_time_release_and_what_was_said(tmp_path):
    folder = tmp_path / "log"
    before = datetime.now(UTC)
    with RequestLog(settings(folder), "7", RULE) as log:
        add(log, 1, 2)
        add(log, 3)
    found = read(folder)
    said = [f"{SAID}{name}" for name in ("probability", "label", "positive")]
    assert found.columns.tolist() == ["age", "town", TIME, RELEASE, *said]
    assert found["age"].tolist() == [1.0, 2.0, 3.0]
    assert found["town"].tolist()[::2] == ["town 1", "town 3"]
    assert found["town"].isna().tolist() == [False, True, False]
    assert set(found[RELEASE]) == {"7"}
    assert found[said].to_numpy().tolist() == [
        [0.001, "no", False],
        [0.002, "yes", True],
        [0.003, "yes", True],
    ]
    assert found[TIME].between(before, datetime.now(UTC)).all()
    assert folder.stat().st_mode & 0o077 == 0


def test_files_hold_so_many_rows_and_the_oldest_go(tmp_path):
    with RequestLog(settings(tmp_path, rows=10, files=3), "1", RULE) as log:
        for start in range(0, 70, 7):
            add(log, *range(start, start + 7))
            wait_until_written(log)
    assert [len(pd.read_parquet(path)) for path in files(tmp_path)] == [10, 10, 10]
    assert read(tmp_path)["age"].tolist() == list(range(40, 70))


def wait_until_written(log):
    """Have everything written that was added."""
    log._wake.set()
    end = time.monotonic() + SECONDS
    while log._count or log._wake.is_set():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_request_of_more_rows_than_a_file_is_spread(tmp_path):
    with RequestLog(settings(tmp_path, rows=10), "1", RULE) as log:
        add(log, *range(25))
    assert [len(pd.read_parquet(path)) for path in files(tmp_path)] == [10, 10, 5]


def test_until_it_is_full_a_file_is_replaced_by_a_longer_one(tmp_path):
    with RequestLog(settings(tmp_path, rows=100, seconds=0.05), "1", RULE) as log:
        sizes = set()
        end = time.monotonic() + SECONDS
        for age in range(5):
            add(log, age)
            while not files(tmp_path) or len(read(tmp_path)) <= age:
                assert time.monotonic() < end
                time.sleep(0.01)
            sizes.add((len(files(tmp_path)), len(read(tmp_path))))
    assert sizes == {(1, number) for number in range(1, 6)}


def test_another_processs_files_count_too(tmp_path):
    for number in range(5):
        (tmp_path / f"requests-2000010{number}T000000.000000Z-1-000001.parquet").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("mine")
    with RequestLog(settings(tmp_path, files=2), "1", RULE) as log:
        add(log, 1)
    names = [path.name for path in files(tmp_path)]
    assert names[:2] == ["notes.txt", "requests-20000104T000000.000000Z-1-000001.parquet"]
    assert len(names) == 3


def test_a_disk_that_is_too_slow_costs_rows_and_not_answers(tmp_path, capfd):
    with RequestLog(settings(tmp_path, rows=10), "1", RULE) as log:
        with log._lock:  # nobody writes meanwhile
            log._count = 40
        add(log, *range(7))
        log._count = 0
        add(log, 7)
    assert read(tmp_path)["age"].tolist() == [7.0]
    assert "slower than the requests: 7 rows are not in it" in capfd.readouterr().err


def test_a_folder_that_cannot_be_written_is_said_and_costs_no_answer(tmp_path, capfd):
    (tmp_path / "log").write_text("a file")
    with RequestLog(settings(tmp_path / "log"), "1", RULE) as log:
        add(log, 1)
    assert "the request log cannot be written" in capfd.readouterr().err


@pytest.mark.parametrize("wrong", [{"rows": 0}, {"files": 0}, {"seconds": 0.0}])
def test_settings_that_keep_nothing_are_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match="greater than"):
        settings(tmp_path, **wrong)
