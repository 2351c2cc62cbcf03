"""Split the table at random, as scikit-learn's getting started does."""

import pandas as pd
from sklearn.model_selection import train_test_split

table = pd.read_parquet("applications.parquet").drop(columns=["application_id", "applied_on"])
train, test = train_test_split(table, test_size=0.2, random_state=0)
train.to_csv("train.csv", index=False)
test.to_csv("test.csv", index=False)
