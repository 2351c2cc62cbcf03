"""What scores is kept to the last bit; what only training needed is not, and stays untouched."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from mergeline.model.kept import scoring_part
from mergeline.model.walk import walk


def rows():
    random = np.random.default_rng(0)
    values = random.standard_normal((200, 3))
    return values, (values[:, 0] + random.standard_normal(200) > 0).astype(int)


def search(estimator, **grid):
    return GridSearchCV(estimator, grid, cv=2, scoring="neg_log_loss")


def of(last):
    values, target = rows()
    return make_pipeline(StandardScaler(), last).fit(values, target)


@pytest.mark.parametrize(
    ("last", "kept"),
    [
        (search(DecisionTreeClassifier(), max_depth=[1, 2]), DecisionTreeClassifier),
        (
            TunedThresholdClassifierCV(search(LogisticRegression(), C=[0.1, 1]), cv=2),
            LogisticRegression,
        ),
        (
            search(make_pipeline(StandardScaler(), LogisticRegression()), verbose=[False]),
            Pipeline,
        ),
    ],
    ids=["search", "search in a threshold", "search of a pipeline"],
)
def test_an_estimator_that_was_searched_for_stands_alone(last, kept):
    pipeline = of(last)
    found = scoring_part(pipeline)
    assert type(found[-1]) is kept
    assert pipeline[-1] is last
    values, _ = rows()
    np.testing.assert_array_equal(found.predict_proba(values), pipeline.predict_proba(values))


def test_a_search_within_another_estimator_keeps_no_times():
    parts = [("a", search(DecisionTreeClassifier(), max_depth=[1, 2])), ("b", LogisticRegression())]
    pipeline = of(VotingClassifier(parts, voting="soft"))
    found = scoring_part(pipeline)
    searches = [item for item in walk(found) if isinstance(item, GridSearchCV)]
    assert searches
    assert not any(hasattr(item, "cv_results_") for item in searches)
    assert hasattr(pipeline[-1].estimators_[0], "cv_results_")
    values, _ = rows()
    np.testing.assert_array_equal(found.predict_proba(values), pipeline.predict_proba(values))


def test_a_scorer_of_boosting_is_left_behind():
    last = HistGradientBoostingClassifier(early_stopping=True, scoring="roc_auc", max_iter=3)
    pipeline = of(last)
    found = scoring_part(pipeline)
    assert not {"_scorer", "_raw_predict"} & vars(found[-1]).keys()
    assert "_scorer" in vars(pipeline[-1])
    values, _ = rows()
    np.testing.assert_array_equal(found.predict_proba(values), pipeline.predict_proba(values))


def test_what_has_nothing_to_leave_is_the_same_object():
    pipeline = of(LogisticRegression())
    assert scoring_part(pipeline) is pipeline


def test_a_subclass_may_score_as_it_likes():
    class Turned(GridSearchCV):
        def predict_proba(self, values):
            return super().predict_proba(values)[:, ::-1]

    pipeline = of(Turned(DecisionTreeClassifier(), {"max_depth": [1]}, cv=2))
    assert scoring_part(pipeline) is pipeline
