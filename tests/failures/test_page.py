"""The page tells every case, and nothing else."""

import os
from pathlib import Path

from failures.case import PAGE, TITLES, read_page, titles_by_family

FEWEST = 8


def test_the_page_holds_every_case_in_order():
    expected = [
        (TITLES[family], title) for family, titles in titles_by_family().items() for title in titles
    ]
    assert list(read_page()) == expected
    assert len(set(expected)) == len(expected)


def test_each_family_has_its_cases():
    assert {family: len(titles) >= FEWEST for family, titles in titles_by_family().items()} == (
        dict.fromkeys(TITLES, True)
    )


def test_nothing_of_one_machine_is_on_the_page():
    text = PAGE.read_text(encoding="utf-8")
    assert "pytest-of" not in text
    assert os.fspath(Path(__file__).parents[2]) not in text
    assert "Traceback" not in text
    assert " None" not in text
