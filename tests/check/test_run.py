"""What a check says of evidence that cannot be read."""

from pathlib import Path

import pytest

from mergeline.check.run import read_evidence
from mergeline.core import layout
from mergeline.errors import ToolError
from report import plans


@pytest.mark.parametrize(
    ("text", "said"), [("garbage", ": Invalid JSON"), ("{}", ": stage: Field required")]
)
def test_the_file_that_is_no_evidence_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "reports").mkdir()
    prepare = plans.better().evidence.prepare
    assert prepare is not None
    (tmp_path / layout.evidence("prepare")).write_text(prepare.model_dump_json())
    (tmp_path / layout.evidence("explain")).write_text(text)
    with pytest.raises(ToolError) as caught:
        read_evidence(tmp_path)
    assert f"reports/explain.json is not evidence of this version of Mergeline{said}" in str(
        caught.value
    )
