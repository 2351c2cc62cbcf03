"""A whole promotion unpickles nothing, loads no model and imports nothing of the project."""

import json
import os
import subprocess
import sys
from pathlib import Path

from mergeline.core.answers import Name
from promote.scenario import Scenario, following, git, params

FORBIDDEN = ("sklearn", "skops", "joblib", "mlflow.sklearn", "mlflow.pyfunc")
DRIVER = """
import importlib.abc, json, os, pickle, sys
from pathlib import Path

forbidden, root, report = json.loads(sys.argv[1]), os.getcwd(), Path(sys.argv[2])
imported, unpickled, opened = [], [], []

class Watch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if any(name == each or name.startswith(each + ".") for each in forbidden):
            imported.append(name)
        return None

def audit(event, arguments):
    if event == "pickle.find_class":
        unpickled.append(".".join(map(str, arguments)))
    if event == "open" and str(arguments[0]).startswith(root) and str(arguments[0]).endswith(".py"):
        opened.append(str(arguments[0]))

sys.meta_path.insert(0, Watch())
sys.addaudithook(audit)
sys.path.insert(0, root)
from mergeline.cli import main

sys.argv = ["mergeline", "promote", "--json"]
try:
    main()
except SystemExit as ended:
    code = ended.code
loaded = sorted(name for name in sys.modules if name in forbidden)
found = {"code": code or 0, "imported": list(imported), "unpickled": list(unpickled),
         "loaded": loaded, "project": list(opened)}

# That it would have been seen.
import project_code, joblib
pickle.loads(pickle.dumps(Path("x")))
found["seen"] = [bool(imported), bool(unpickled), bool(opened)]
report.write_text(json.dumps(found))
"""
CODE = {"project_code.py": "SEEN = True\n", "sitecustomize.py": "raise SystemExit(9)\n"}


def test_it_does_none_of_these(scenario: Scenario, tmp_path: Path) -> None:
    more = "registry: {uri: 'sqlite:///../registry/registry.db'}\n"
    scenario.merged({"params.yaml": params(c=0.5, more=more), **CODE})
    git(scenario.clone, "checkout", "--quiet", "--detach", scenario.tip_in_clone())
    report = tmp_path / "report.json"
    with following(scenario):
        done = subprocess.run(
            [sys.executable, "-P", "-c", DRIVER, json.dumps(FORBIDDEN), str(report)],
            cwd=scenario.clone,
            env={**os.environ, **scenario.environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert report.exists(), done.stderr
    found = json.loads(report.read_bytes())
    assert found["seen"] == [True, True, True]
    assert (found["code"], json.loads(done.stdout)["name"]) == (0, Name.LIVE), done.stderr
    assert found["unpickled"] == []
    assert (found["imported"], found["loaded"]) == ([], [])
    assert found["project"] == []
