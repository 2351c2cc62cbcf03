"""Any table that pandas can hold is prepared, or refused by one of our errors."""

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tables import settings_for, tables, write

from mergeline.core import layout
from mergeline.core.evidence import EVIDENCE_TYPES, PrepareContent, Timing
from mergeline.errors import MergelineError
from mergeline.files import write_set
from mergeline.stages import evaluate, fairness, prepare, train
from mergeline.stages.base import Clock

TIMING = Timing(started="2026-01-01T00:00:00+00:00", seconds={}, host="", latency_ms={})
BOUNDED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def require_said(error):
    assert error.message
    assert error.hint


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_any_table_is_prepared_or_refused(ending):
    @BOUNDED
    @given(st.data())
    def holds(draw):
        frame = draw.draw(tables())
        with TemporaryDirectory() as folder:
            root = Path(folder)
            assume(write(frame, root / f"t.{ending}"))
            known = draw.draw(settings_for(frame, f"t.{ending}"))
            try:
                result = prepare.run(root, known, Clock())
            except MergelineError as error:
                require_said(error)
                return
        content = PrepareContent.model_validate_json(result.content.model_dump_json())
        assert content == result.content
        sides = [
            pd.read_parquet(BytesIO(result.files[path]))
            for path in (layout.TRAIN_TABLE, layout.TEST_TABLE)
        ]
        assert [len(side) for side in sides] == [content.split.train_rows, content.split.test_rows]
        assert sum(map(len, sides)) + content.split.dropped == content.rows
        keys = [set(side[layout.KEY]) for side in sides]
        assert keys[0].isdisjoint(keys[1])

    holds()


@pytest.mark.filterwarnings("ignore")
def test_what_is_prepared_is_trained_and_judged_or_refused():
    @settings(BOUNDED, max_examples=15)
    @given(st.data())
    def holds(draw):
        frame = draw.draw(tables(most_rows=90))
        random = np.random.default_rng(draw.draw(st.integers(0, 9)))
        frame["outcome"] = random.integers(0, 2, len(frame))
        with TemporaryDirectory() as folder:
            root = Path(folder)
            assume(write(frame, root / "t.parquet"))
            known = draw.draw(settings_for(frame, "t.parquet", target="outcome"))
            try:
                for stage in (prepare, train, evaluate, fairness):
                    result = stage.run(root, known, Clock())
                    name = stage.__name__.rpartition(".")[2]
                    made = EVIDENCE_TYPES[name]
                    evidence = made(stage=name, content=result.content, timing=TIMING)
                    text = evidence.model_dump_json()
                    assert made.model_validate_json(text) == evidence
                    write_set({root / layout.evidence(name): text.encode()})
                    write_set({root / path: data for path, data in result.files.items()})
            except MergelineError as error:
                require_said(error)

    holds()
