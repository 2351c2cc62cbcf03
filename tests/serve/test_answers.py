"""What the server says of scores, as MLflow's clients read it."""

import json

import numpy as np
import pandas as pd

from mergeline.model.decision import DecisionRule
from mergeline.serve.answers import predictions_json, scores_said


def test_an_answer_is_exact_and_decides_at_the_threshold():
    scores = [0.1 + 0.2, 0.25, 5e-324, 1.0]
    rule = DecisionRule("binary", ('ye"s', "no"), 'ye"s', 0.25)
    said = json.loads(predictions_json(rule, np.array(scores)))
    assert said["threshold"] == 0.25
    assert [row["probability"] for row in said["predictions"]] == scores
    assert [row["positive"] for row in said["predictions"]] == [True, True, False, True]
    assert [row["label"] for row in said["predictions"]] == ['ye"s', 'ye"s', "no", 'ye"s']


def test_mlflows_client_reads_an_answer_as_a_table():
    table = read_by_mlflow(DecisionRule("binary", ("0", "1"), "1", 0.5), [0.125, 0.75])
    expected = pd.DataFrame(
        {"probability": [0.125, 0.75], "label": ["0", "1"], "positive": [False, True]}
    )
    pd.testing.assert_frame_equal(table, expected)


def read_by_mlflow(rule, scores):
    from mlflow.deployments import PredictionsResponse

    said = predictions_json(rule, np.array(scores)).decode()
    return PredictionsResponse.from_json(said).get_predictions()


def test_mlflows_client_reads_an_answer_of_several_classes():
    rule = DecisionRule("multiclass", ("a", 'b"', "ç"))
    scores = [[0.1 + 0.2, 0.2, 0.5], [0.4, 0.4, 0.2]]
    table = read_by_mlflow(rule, scores)
    assert table["label"].tolist() == ["ç", "a"]  # the first of two equal ones
    assert table["probability"].tolist() == [0.5, 0.4]
    assert pd.DataFrame(table["probabilities"].tolist()).columns.tolist() == ["a", 'b"', "ç"]
    assert [list(row.values()) for row in table["probabilities"]] == scores
    assert scores_said(rule, predictions_json(rule, np.array(scores))) == [*map(tuple, scores)]


def test_mlflows_client_reads_numbers():
    rule, values = DecisionRule("regression"), [13270.42, -0.1, 1e300, 5e-324]
    table = read_by_mlflow(rule, values)
    assert table.columns.tolist() == ["value"]
    assert table["value"].tolist() == values
    assert scores_said(rule, predictions_json(rule, np.array(values))) == [(v,) for v in values]
