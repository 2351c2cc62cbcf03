"""Mergeline: from pull request to production model.

The map of the package; each room imports only from those above it.

- `errors`: every error, with its hint and exit code.
- `core`: the frozen types (evidence, policy, verdict, plan), the judge, digests.
- `files`: files written whole or not at all.
- `config`: `params.yaml` to `Settings`, or to errors in plain words.
- `stats`: metrics, bootstrap intervals, gaps between groups, paired comparison.
- `model`: tables, the pipeline, the canonical model directory, parse-and-score.
- `adapters`: Git, GitHub, DVC, deepchecks' process, MLflow; third-party APIs stop there.
- `inputs`: I, the digest of what decides the stages' inputs, from Git alone.
- `ledger`: what was reviewed, promoted, live, rolled back: entries, hash chain, history.
- `approval`: whose approvals of a pull request count.
- `bundle`: what a build hands over: read as hostile, every digest computed, judged again.
- `stages`: one file per DVC stage.
- `check`: the pull request: reproduce, baseline, compare, judge.
- `review`: the trusted job behind a pull request: a build's bundle in, the comment out.
- `promote`: the merge: identify, approvals, verify, register, declare, confirm; rollback.
- `release`: what is done with a release: publish, audit, checkout, predict.
- `serve`: the model server: the follower, and the scoring API.
- `report`: comment, model card, log and status as text; data in, text out.
- `rehearsal`: a stand-in for GitHub, to rehearse the line on one machine; the only fake.
- `project`: what a project starts with, the doctor, the demo, the rehearsal in a browser.
- `cli`: one file per verb; the only place that prints.
"""

__version__ = "0.1.0"
