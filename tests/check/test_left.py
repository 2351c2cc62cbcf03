"""What the last check left is read as a file that somebody else may have written."""

import json
import subprocess
from pathlib import Path

import pytest

from mergeline.check.left import last_check
from mergeline.check.run import read_evidence
from mergeline.core import layout
from mergeline.core.plan import Forecast
from mergeline.errors import NoReport
from report import plans


@pytest.fixture
def root(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    who = ["-c", "user.name=a", "-c", "user.email=a@example.invalid"]
    commit = ["commit", "--quiet", "--allow-empty", "-m", "x"]
    subprocess.run(["git", *who, *commit], cwd=tmp_path, check=True)
    (tmp_path / "reports").mkdir()
    return tmp_path


@pytest.mark.parametrize("text", ["[" * 200_000, "null", "5", '{"schema_version": NaN}'])
def test_a_verdict_that_is_none_is_refused(root: Path, text: str) -> None:
    (root / layout.VERDICT).write_text(text)
    with pytest.raises(NoReport, match="is not a verdict of this version"):
        last_check(root)


def test_what_the_trusted_job_alone_tells_is_not_taken_from_a_file(root: Path) -> None:
    plan = plans.better()
    told = Forecast(answer="PROMOTE", environment="live", needed=0).as_json()
    forged = {"forecast": told, "page": "https://github.com/a/b/actions/runs/1", "reuse": {}}
    stated = plan.as_json()
    for name, found in stated.pop("evidence").items():
        if found is not None:
            path = root / layout.evidence(name)
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(json.dumps(found))
    candidate = plan.candidate.as_json() | {"evidence": read_evidence(root).digest()}
    (root / layout.VERDICT).write_text(json.dumps(stated | forged | {"candidate": candidate}))
    (root / layout.CANDIDATE).write_text(json.dumps(candidate))
    found = last_check(root).plan
    assert (found.forecast, found.page, found.reuse) == (None, "", None)


@pytest.mark.parametrize(
    ("commit", "said"),
    [
        (None, "is not there, or cannot be read"),
        ("0" * 40, "is another one than reports/verdict.json names"),
    ],
)
def test_a_candidate_that_is_not_the_verdicts_is_refused(
    root: Path, commit: str | None, said: str
) -> None:
    stated = plans.better().as_json()
    stated.pop("evidence")
    candidate = stated["candidate"] | {"evidence": read_evidence(root).digest()}
    (root / layout.VERDICT).write_text(json.dumps(stated | {"candidate": candidate}))
    if commit is not None:
        (root / layout.CANDIDATE).write_text(json.dumps(candidate | {"commit": commit}))
    with pytest.raises(NoReport) as caught:
        last_check(root)
    assert str(caught.value) == f"reports/candidate.json {said}"
