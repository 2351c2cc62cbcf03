import pytest

EXAMPLE = """\
project: credit-default                  # name in the registry
data:
  source: data/applications.parquet
  target: default
  positive: 1
  noun: defaulter
  id: application_id
  group: null
  time: null
  sensitive: [sex, age_band, age]
  exclude: [sex]
  contract: data/contract.yaml
split: {test: 0.2}
model:
  estimator: sklearn.ensemble.HistGradientBoostingClassifier
  params: {max_iter: 200}
  class_weight: null
evaluate:
  primary: roc_auc
  metrics: [roc_auc, average_precision, brier_score]
  threshold: 0.5
  slices: [purpose]
fairness:
  metrics: [selection_rate, true_positive_rate, false_positive_rate]
  min_group: 50
  bins: {age: [18, 30, 45, 60, 120]}
explain: {rows: 2000, budget_seconds: 60}
gates:
  auc-floor:     {metric: roc_auc, at_least: 0.75}
  auc-baseline:  {metric: roc_auc, no_worse_than_baseline_by: 0.01}
  equal-odds:    {fairness: equalized_odds_difference, by: sex, at_most: 0.10}
  no-new-gap:
    {fairness: equalized_odds_difference, by: sex, no_worse_than_baseline_by: 0.02, level: warn}
  data-checks:   {check: data, new_only: true}
  model-checks:  {check: model, new_only: true}
waivers: []
promotion: {approvals: 1, build: auto, accept: [], reinstate: []}
registry: {uri: sqlite:///.mergeline/registry.db}
deploy: {environment: production, confirm_seconds: 120, watch_seconds: 30}
report: {transport: cml, rows: false}
"""

SMALL = """\
project: p
data:
  source: data/a.csv
  target: y
  positive: 1
  sensitive: [sex, age]
model: {estimator: a.B}
"""


@pytest.fixture
def example() -> str:
    """The settings of the design, whole."""
    return EXAMPLE


@pytest.fixture
def small() -> str:
    """The least that a project says; line 8 is the next one."""
    return SMALL
