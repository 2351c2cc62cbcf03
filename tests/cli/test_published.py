"""What was published is restored by a check elsewhere: nothing is trained there."""

from pathlib import Path

import pytest

from cli.conftest import RESTORED, Checked, Project
from mergeline.adapters.dvc_publish import Pushed
from mergeline.adapters.git import Git
from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART
from mergeline.bundle.pack import pack
from mergeline.bundle.read import read_bundle
from mergeline.bundle.unpack import unpack
from mergeline.release.publish import push_bundle
from mergeline.stages.tables import make_tables
from toys import set_apart

CONFIG = "[core]\n    remote = store\n['remote \"store\"']\n    url = ../../nowhere\n"


def published(project: Project) -> Pushed:
    """Push what a check's artifacts hold, in a clone that has nothing else."""
    parts = (unpack(pack(project.root, part), part) for part in (EVIDENCE_PART, MODEL_PART))
    project.git("clone", "--quiet", ".", "../publishing")
    git = Git(project.root.parent / "publishing")
    (git.root / ".dvc/config.local").write_text(credential(project.root.parent))
    return push_bundle(git, git.head(), read_bundle(*parts), make_tables)


def credential(folder: Path) -> str:
    return f"['remote \"store\"']\n    url = {folder}/store\n"


def test_elsewhere_only_the_tables_are_made_again(
    first: Checked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_apart(monkeypatch, tmp_path / "empty")
    project = first.project.copy(tmp_path / "project")
    project.write(".dvc/config", CONFIG)
    project.commit("A remote")
    pushed = published(project)
    assert set(pushed.stages) == RESTORED.keys() - {"prepare"}
    assert (pushed.wrong, pushed.notices) == ((), ())

    project.git("clone", "--quiet", ".", "../clone")
    clone = Project(tmp_path / "clone", project.env)
    done = clone.check(env={"MERGELINE_DVC_CONFIG": credential(tmp_path)})
    assert done.code == 0, done.err
    assert clone.actions() == RESTORED | {"prepare": "ran"}
    assert clone.json("candidate")["model"] == project.json("candidate")["model"]
    assert clone.json("candidate")["evidence"] == project.json("candidate")["evidence"]
    assert not (clone.root / ".dvc/config.local").exists()
