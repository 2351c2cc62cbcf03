"""Train a pipeline and log it, as MLflow's quickstart for scikit-learn does."""

import joblib
import mlflow
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

train, test = pd.read_csv("train.csv"), pd.read_csv("test.csv")
features = train.drop(columns=["default", "sex", "debt_ratio"])
encode = make_column_transformer(
    (
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
        make_column_selector(dtype_exclude="number"),
    ),
    remainder="passthrough",
)
model = make_pipeline(encode, HistGradientBoostingClassifier(max_iter=100, random_state=0))
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("credit-default")
with mlflow.start_run():
    model.fit(features, train["default"])
    mlflow.log_params(model[-1].get_params())
    mlflow.sklearn.log_model(
        model,
        name="model",
        serialization_format="cloudpickle",
        input_example=features.head(),
        registered_model_name="credit-default",
    )
joblib.dump(model, "model.pkl")
for name, table in (("train", train), ("test", test)):
    scores = model.predict_proba(table[features.columns])
    pd.DataFrame(scores).to_csv(f"predictions_{name}.csv", index=False)
