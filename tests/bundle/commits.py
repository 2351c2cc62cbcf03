"""A real repository whose commits fit the plans of `tests/report/plans.py`."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bundle.parts import chained, evidence_files, sealed, with_content
from mergeline.adapters.git import Git
from mergeline.bundle.read import Bundle, read_bundle
from mergeline.core.evidence import STAGES
from mergeline.core.plan import Plan
from mergeline.core.verdict import Baseline
from mergeline.inputs.digest import inputs_digest
from report import plans

PIPELINE = {
    "stages": {
        name: {
            "cmd": f"mergeline stage {name}",
            "deps": ["data/applications.parquet", "data/contract.yaml"],
            "params": ["data", "split", "model", "evaluate", "fairness"],
            "outs": [f"reports/{name}.json"],
        }
        for name in STAGES
    }
}
GATES = {name: gate.model_dump(exclude_none=True) for name, gate in plans.GATES.items()}
SETTINGS: dict[str, Any] = {
    "project": "credit-default",
    "data": {
        "source": "data/applications.parquet",
        "target": "default",
        "positive": 1,
        "noun": "defaulter",
        "id": "application_id",
        "sensitive": ["sex"],
        "contract": "data/contract.yaml",
    },
    "split": {"test": 0.2},
    "model": {
        "estimator": "sklearn.ensemble.HistGradientBoostingClassifier",
        "params": {"max_iter": 100, "learning_rate": 0.1},
    },
    "evaluate": {
        "slices": ["purpose"],
        "costs": {"false_negative": 5, "false_positive": 1, "unit": "monthly payments"},
    },
    "fairness": {},
    "gates": GATES,
}


def settings(**sections: Any) -> str:
    """`params.yaml` with some keys of some sections changed."""
    changed = {
        name: {**SETTINGS.get(name, {}), **value} if isinstance(value, dict) else value
        for name, value in sections.items()
    }
    return json.dumps({**SETTINGS, **changed}, indent=1)


def more_iterations(**sections: Any) -> str:
    """The settings of the better model."""
    model = {"params": {"max_iter": 200, "learning_rate": 0.1}}
    return settings(**{"model": model, **sections})


BASE: Mapping[str, str | None] = {
    "params.yaml": settings(),
    "dvc.yaml": json.dumps(PIPELINE, indent=1),
    "data/applications.parquet": "applications 20000",
    "data/contract.yaml": "contract",
}
HEAD: Mapping[str, str | None] = {
    "params.yaml": more_iterations(),
    "data/applications.parquet": "applications 22000",
}


@dataclass(frozen=True)
class Repository:
    """A repository to commit to, and a bare clone of it as a trusted job has one.

    Attributes:
        root: The working tree.
    """

    root: Path

    @classmethod
    def make(cls, folder: Path) -> "Repository":
        folder.mkdir(parents=True)
        made = cls(folder)
        made.run("init", "-q", "-b", "main")
        return made

    def run(self, *arguments: str) -> str:
        identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
        command = ["git", *identity, *arguments]
        done = subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | None]) -> str:
        """Commit files; None removes one."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
        self.run("add", "-A")
        self.run("commit", "-q", "--allow-empty", "-m", "files")
        return self.run("rev-parse", "HEAD")

    def trusted(self) -> Git:
        """A new bare clone."""
        target = self.root.parent / f"{self.root.name}-{len(list(self.root.parent.iterdir()))}.git"
        self.run("clone", "-q", "--bare", str(self.root), str(target))
        return Git(target)


def fitted(plan: Plan) -> Plan:
    """The plan with as many held-out rows as were scored."""
    split = plan.evidence.prepare.content.split.model_copy(update={"test_rows": 4_000})
    return with_content(plan, "prepare", split=split)


def of_commits(plan: Plan, git: Git, head: str, base: str | None) -> Plan:
    """The plan as a build of these commits states it."""
    baseline = Baseline(status="none", commit=base, reason="none")
    if plan.baseline.status != "none":
        baseline = plan.baseline.model_copy(update={"commit": base})
    plan = fitted(plan).model_copy(update={"baseline": baseline})
    inputs = inputs_digest(git, head)
    return chained(plan, commit=head, tree=git.tree(head), base=base, inputs=inputs)


def bundle_of(plan: Plan) -> Bundle:
    """What a build of this plan hands over, read."""
    plan, model = sealed(plan)
    return read_bundle(evidence_files(plan), model)
