"""Curves and bins are for people to look at: evidence of more points is refused."""

import pytest
from pydantic import ValidationError

from mergeline.core.evidence import EvaluateContent
from mergeline.core.evidence.evaluate import MOST_POINTS
from report import plans


@pytest.mark.parametrize("name", ["calibration", "thresholds"])
def test_no_curve_has_more_points_than_can_be_looked_at(name: str) -> None:
    stated = plans.better().evidence.evaluate.content.as_json()
    point = stated[name][0]
    EvaluateContent.model_validate(stated | {name: [point] * MOST_POINTS}, strict=False)
    with pytest.raises(ValidationError, match="too_long"):
        EvaluateContent.model_validate(stated | {name: [point] * (MOST_POINTS + 1)}, strict=False)


def test_errors_are_not_told_in_more_bins_than_can_be_looked_at() -> None:
    stated = plans.regression().evidence.evaluate.content.as_json()
    found = stated["residuals"]
    found["bins"] = found["bins"][:1] * (MOST_POINTS + 1)
    with pytest.raises(ValidationError, match="too_long"):
        EvaluateContent.model_validate(stated, strict=False)
