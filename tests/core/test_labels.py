import pytest

from mergeline.core.labels import label_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1"),
        ("1", "1"),
        (" 1.0 ", "1"),
        (True, "true"),
        (False, "false"),
        ("yes", "yes"),
        (0.5, "0.5"),
        ("nan", "nan"),
        ("inf", "inf"),
        (2**60, str(2**60)),
        ("-0", "0"),
    ],
)
def test_equal_classes_have_equal_texts(value: object, text: str) -> None:
    assert label_text(value) == text
