"""deepchecks' full suite, saved as a page, as its quickstart does."""

import pandas as pd
from deepchecks.tabular import Dataset
from deepchecks.tabular.suites import full_suite

train, test = (
    Dataset(pd.read_csv(f"{name}.csv"), label="default", cat_features=["purpose", "region", "sex"])
    for name in ("train", "test")
)
proba = {name: pd.read_csv(f"predictions_{name}.csv").to_numpy() for name in ("train", "test")}
result = full_suite().run(
    train_dataset=train,
    test_dataset=test,
    y_proba_train=proba["train"],
    y_proba_test=proba["test"],
    y_pred_train=proba["train"].argmax(axis=1),
    y_pred_test=proba["test"].argmax(axis=1),
    model_classes=[0, 1],
)
result.save_as_html("checks.html", as_widget=False)
