"""SHAP values of 500 rows by whatever explainer SHAP chooses, as its overview does."""

import joblib
import pandas as pd
import shap

model = joblib.load("model.pkl")
columns = model.feature_names_in_
train, test = pd.read_csv("train.csv")[columns], pd.read_csv("test.csv")[columns]
encoded = model[0].transform(train.head(100)), model[0].transform(test.head(500))
explainer = shap.Explainer(lambda rows: model[-1].predict_proba(rows)[:, 1], encoded[0])
values = explainer(encoded[1])
pd.DataFrame(values.values, columns=model[0].get_feature_names_out()).to_csv("shap.csv")
