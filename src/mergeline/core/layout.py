"""Where the files of a project lie, relative to its root (POSIX paths)."""

SETTINGS = "params.yaml"
PIPELINE = "dvc.yaml"
LOCK = "dvc.lock"

# Outputs of the stages; all of them are DVC outputs with cache.
TRAIN_TABLE = "data/prepared/train.parquet"
TEST_TABLE = "data/prepared/test.parquet"
MODEL = "reports/model"
PREDICTIONS = "reports/predictions.parquet"
PROBES = "reports/probes.json"
METRICS = "reports/metrics.json"
PLOTS = "reports/plots"

# What `mergeline check` writes.
CANDIDATE = "reports/candidate.json"
VERDICT = "reports/verdict.json"
COMMENT = "reports/comment.md"
OUTPUTS = "reports/outputs.json"
PAGE = "reports/report.html"
CARD = "reports/card.md"

# Remembered baselines, worktrees, the embedded MLflow store; ignored by Git.
STATE = ".mergeline"

# The column of the prepared tables that names what a row stands for: a hash of its
# group, else of its id, else of the whole row. The same key is never on both sides.
KEY = "_mergeline_key"


def evidence(stage: str) -> str:
    """Return the path of a stage's evidence file."""
    return f"reports/{stage}.json"
