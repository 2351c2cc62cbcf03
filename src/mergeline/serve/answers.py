"""Scores as the body of an answer.

It is what MLflow's server gives for a model that returns a table: a list of records, one a
row, which its clients read as a data frame. By task, two classes, several, a number:

    {"predictions": [{"probability": 0.81, "label": "1", "positive": true}], "threshold": 0.25}
    {"predictions": [{"label": "b", "probability": 0.7, "probabilities": {"a": 0.3, "b": 0.7}}]}
    {"predictions": [{"value": 13270.42}]}

Numbers are exact to the last bit. `probability` is that of the positive class of two, and
of the predicted one of several. `label` is the class as text: that which the threshold decides
for, and `positive` is that decision; or the most probable one.
"""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mergeline.model.decision import DecisionRule

if TYPE_CHECKING:
    from mergeline.model.decision import Floats


def predictions_json(rule: DecisionRule, scores: "Floats") -> bytes:
    """Return the body of an answer; see the head of this module.

    Args:
        rule: What the release makes of scores.
        scores: As `Scorer.score` gives them.
    """
    if rule.task == "regression":
        rows = ",".join([f'{{"value":{value!r}}}' for value in scores.tolist()])
        return f'{{"predictions":[{rows}]}}'.encode()
    decided = rule.decided(scores).tolist()
    if rule.task == "multiclass":
        rows = ",".join(_of_classes(rule.classes, decided, scores.tolist()))
        return f'{{"predictions":[{rows}]}}'.encode()
    ends = {
        decision: f',"label":{json.dumps(label)},"positive":{json.dumps(decision)}}}'
        for decision, label in ((False, rule.negative), (True, rule.positive))
    }
    both = zip(scores.tolist(), decided, strict=True)
    rows = ",".join([f'{{"probability":{score!r}{ends[decision]}' for score, decision in both])
    return f'{{"predictions":[{rows}],"threshold":{rule.threshold!r}}}'.encode()


def _of_classes(
    classes: Sequence[str], decided: Sequence[int], scores: Sequence[Sequence[float]]
) -> Iterator[str]:
    names = [json.dumps(name) for name in classes]
    starts = [f'{{"label":{name},"probability":' for name in names]
    for place, row in zip(decided, scores, strict=True):
        each = ",".join([f"{name}:{score!r}" for name, score in zip(names, row, strict=True)])
        yield f'{starts[place]}{row[place]!r},"probabilities":{{{each}}}}}'


def scores_said(rule: DecisionRule, body: bytes) -> list[tuple[float, ...]]:
    """Return the scores that an answer holds, a row each, as `Probes.scores` has them."""
    rows = json.loads(body)["predictions"]
    if rule.task == "multiclass":
        return [tuple(row["probabilities"][name] for name in rule.classes) for row in rows]
    key = "probability" if rule.task == "binary" else "value"
    return [(row[key],) for row in rows]
