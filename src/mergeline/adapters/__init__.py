"""Tools that Mergeline does not own; their types and their habits stop here.

- `git`: commits, files, worktrees.
- `dvc`: what DVC knows about a pipeline, and running its stages.
- `mlflow`: what a check leaves in the tracking store.
- `registry`: the versions of a project's model, and their files.
- `deepchecks`: suites in a process of their own; `deepchecks_environment` makes the
  environment of that process, `deepchecks_worker` is its script, and
  `deepchecks_accounts` says what became of each check.
"""
