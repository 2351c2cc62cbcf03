"""What is said of a project's folder: of one that lacks nothing, and of each thing it may lack."""

import http.server
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from mergeline.project.doctor.finding import Finding
from mergeline.project.doctor.project import open_project, project

from .conftest import change, git, write

SECRET = "hunter2"  # noqa: S105


def findings(folder: Path) -> dict[str, Finding]:
    return {one.name: one for one in project(open_project(folder), {}).findings}


def test_a_project_that_lacks_nothing(folder: Path) -> None:
    found = findings(folder)
    warned = {name for name, one in found.items() if not one.ok}
    assert warned == {"dvc remote"}, "storage is a folder of this machine"
    assert "hosted runner" in found["dvc remote"].detail
    assert "may be written" in found["dvc remote"].detail
    assert not any(one.next_step for one in found.values() if one.ok)
    about = open_project(folder)
    assert about.settings is not None
    assert (about.root, about.settings.project) == (folder, "toy")


def test_no_repository(tmp_path: Path) -> None:
    about = open_project(tmp_path)
    (found,) = project(about, {}).findings
    assert (about.root, found.state) == (None, "missing")
    assert "git init" in found.next_step


def test_a_fresh_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    found = findings(tmp_path)
    assert list(found) == ["repository", "params.yaml"]
    assert found["params.yaml"].state == "missing"
    assert found["params.yaml"].next_step.startswith("mergeline init --data")


def remove(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).unlink()


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda root: change(root / name, old, new)


def written(name: str, text: str) -> Callable[[Path], None]:
    return lambda root: write(root / name, text)


def both(*steps: Callable[[Path], object]) -> Callable[[Path], None]:
    def run(root: Path) -> None:
        for step in steps:
            step(root)

    return run


def untracked(name: str) -> Callable[[Path], object]:
    return lambda root: git(root, "rm", "-q", "--cached", name)


POINTER = written("data/customers.csv.dvc", "outs: []\n")
ADD_POINTER = both(POINTER, lambda root: git(root, "add", "data/customers.csv.dvc"))

CASES: dict[str, tuple[Callable[[Path], object], str, str, str, str]] = {
    "settings that are wrong": (
        replaced("params.yaml", "target: left", "target: 7"),
        *("params.yaml", "missing", "target", ""),
    ),
    "no pipeline": (
        remove("dvc.yaml"),
        *(
            "dvc.yaml",
            "missing",
            "no such file",
            "mergeline init --data data/customers.csv --target left",
        ),
    ),
    "a stage is not there": (
        replaced("dvc.yaml", "  explain:", "  other:"),
        *("dvc.yaml", "missing", "no stage explain", "write_pipeline"),
    ),
    "a dependency is not there": (
        replaced("dvc.yaml", "      - reports/probes.json\n", ""),
        *("dvc.yaml", "warn", "evaluate lacks the output reports/probes.json", "write_pipeline"),
    ),
    "a stage of one's own": (
        replaced("dvc.yaml", "mergeline stage explain", "python explain.py"),
        *("dvc.yaml", "warn", "explain runs a command of its own", "write_pipeline"),
    ),
    "a pipeline that is no YAML": (
        written("dvc.yaml", "stages: ["),
        *("dvc.yaml", "missing", "dvc.yaml", ""),
    ),
    "no pins": (
        replaced("dvc.yaml", "      - requirements/mergeline.txt\n", ""),
        *("pins", "missing", "an upgrade is not seen", "write_pipeline"),
    ),
    "other versions": (
        written("requirements/mergeline.txt", "numpy==1.0.0\nno-such-thing==2 # here\n"),
        *("pins", "missing", f"numpy 1.0.0 is {version('numpy')} here", "-r requirements/"),
    ),
    "no data": (
        both(untracked("data/customers.csv"), remove("data/customers.csv")),
        *("data", "missing", "not there", "data.source"),
    ),
    "data in this folder only": (
        untracked("data/customers.csv"),
        *("data", "missing", "neither Git nor DVC", "dvc add data/customers.csv"),
    ),
    "data behind a pointer": (
        both(ADD_POINTER, untracked("data/customers.csv"), remove("data/customers.csv")),
        *("data", "warn", "only its data/customers.csv.dvc", "dvc pull data/customers.csv.dvc"),
    ),
    "a pointer that nobody else has": (
        POINTER,
        *("data", "missing", "not in Git", "git add data/customers.csv.dvc"),
    ),
    "no contract": (
        remove("data/contract.yaml"),
        *("contract", "missing", "not there", "data.contract"),
    ),
    "a contract that is no YAML": (
        written("data/contract.yaml", "columns: {"),
        *("contract", "missing", "data/contract.yaml", "mend"),
    ),
    "a contract without columns": (
        written("data/contract.yaml", "columns: {}\n"),
        *("contract", "missing", "no columns", "pandera"),
    ),
    "no DVC": (
        lambda root: (root / ".dvc").rename(root / "elsewhere"),
        *("dvc init", "missing", "no DVC project", "dvc init"),
    ),
    "an ignored lock": (
        lambda root: change(root / ".gitignore", "__pycache__/", "__pycache__/\ndvc.lock"),
        *("dvc.lock", "missing", "Git ignores dvc.lock", ".gitignore"),
    ),
    "a lock in conflict": (
        written("dvc.lock", "schema: '2.0'\n<<<<<<< ours\nstages: {}\n>>>>>>> theirs\n"),
        *("dvc.lock", "missing", "merge conflict", "rm dvc.lock"),
    ),
    "no remote": (
        written(".dvc/config", ""),
        *("dvc remote", "warn", "none", "dvc remote add --default"),
    ),
    "a remote that nobody describes": (
        written(".dvc/config", "[core]\n    remote = other\n"),
        *("dvc remote", "missing", "no remote has that name", "dvc remote add other"),
    ),
    "a remote whose folder is not there": (
        replaced(".dvc/config", "../../storage", "../../nowhere"),
        *("dvc remote", "warn", "no such folder", "mkdir -p"),
    ),
    "settings of DVC that cannot be read": (
        written(".dvc/config", "remote = 1\n"),
        *("dvc remote", "missing", "DVC's settings", "mend .dvc/config"),
    ),
    "a registry in a file": (
        replaced("params.yaml", "https://mlflow.example.org", "sqlite:///r.db"),
        *("registry", "warn", "hosted runner", "MLFLOW_TRACKING_URI"),
    ),
    "a registry that is none": (
        replaced("params.yaml", "https://mlflow.example.org", "ftp://x"),
        *("registry", "missing", "registry.uri is 'ftp'", "MLflow server"),
    ),
    "no environment": (
        lambda root: (root / "params.yaml").open("a").write("deploy: {environment: ''}\n"),
        *("deploy", "missing", "no name", "production"),
    ),
    "a wait that is too short": (
        lambda root: (root / "params.yaml").open("a").write("deploy: {confirm_seconds: 20}\n"),
        *("deploy", "missing", "always be UNCONFIRMED", "confirm_seconds: 120"),
    ),
    "a wait that is short": (
        lambda root: (root / "params.yaml").open("a").write("deploy: {confirm_seconds: 40}\n"),
        *("deploy", "warn", "little is left", "confirm_seconds: 120"),
    ),
    "a wait that is too long": (
        lambda root: (root / "params.yaml").open("a").write("deploy: {confirm_seconds: 9000}\n"),
        *("deploy", "missing", "the job ends after 60 minutes", "confirm_seconds: 2700"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_project_lacks(folder: Path, case: str) -> None:
    spoil, name, state, detail, step = CASES[case]
    spoil(folder)
    found = findings(folder)[name]
    assert found.state == state, found
    assert detail in found.detail
    assert step in found.next_step
    assert found.next_step


def test_a_section_that_may_be_misspelt(folder: Path) -> None:
    text = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(f"{text}crad: {{summary: Who pays back}}\ntrain: 1\n")
    found = findings(folder)["section"]
    assert found.state == "warn"
    assert "crad: taken for a section of the project's own" in found.detail
    assert "did you mean card?" in found.detail
    assert "mergeline schema" in found.next_step


def test_a_registry_in_a_file_on_a_hosted_runner(folder: Path) -> None:
    change(folder / "params.yaml", "https://mlflow.example.org", "sqlite:///r.db")
    hosted = {"GITHUB_ACTIONS": "true", "RUNNER_ENVIRONMENT": "github-hosted"}

    def registry(environ: dict[str, str]) -> str:
        found = project(open_project(folder), environ).findings
        return next(one.state for one in found if one.name == "registry")

    assert registry(hosted) == "missing"
    assert registry(hosted | {"MLFLOW_TRACKING_URI": "https://mlflow.example.org"}) == "ok"


def test_versions_of_another_system_are_no_fault(folder: Path) -> None:
    """Of several pins of a package one is for here; with a marker it may be for nobody here."""
    number = version("numpy")
    lines = [
        f"numpy==1.0 ; python_version < '3' \\\n    --hash=sha256:{'0' * 64}",
        f"numpy=={number} ; python_version > '3'",
        "no-such-thing==1 ; sys_platform == 'win32'",
    ]
    write(folder / "requirements/mergeline.txt", "\n".join(lines) + "\n")
    assert findings(folder)["pins"].ok


def test_deepchecks_pins_are_of_another_environment(folder: Path) -> None:
    write(folder / "requirements/deepchecks.txt", "deepchecks==0.19.1\nnumpy==1.26.4\n")
    pins = "      - requirements/mergeline.txt\n"
    change(folder / "dvc.yaml", pins, pins + "      - requirements/deepchecks.txt\n")
    git(folder, "add", ".")
    assert findings(folder)["pins"].ok


def test_data_in_dvc(folder: Path) -> None:
    ADD_POINTER(folder)
    untracked("data/customers.csv")(folder)
    assert findings(folder)["data"].detail == (
        "data/customers.csv, in DVC by data/customers.csv.dvc"
    )


def test_a_pointer_of_the_folder(folder: Path) -> None:
    write(folder / "data.dvc", "outs: []\n")
    git(folder, "add", "data.dvc")
    assert findings(folder)["data"].ok
    assert "data.dvc" in findings(folder)["data"].detail


def test_locks_that_are_fine(folder: Path) -> None:
    assert findings(folder)["dvc.lock"].detail.startswith("not there yet")
    write(folder / "dvc.lock", "schema: '2.0'\nstages: {}\n")
    assert (findings(folder)["dvc.lock"].ok, findings(folder)["dvc.lock"].detail) == (
        True,
        "not committed; fine",
    )
    git(folder, "add", "dvc.lock")
    assert findings(folder)["dvc.lock"].detail == "in Git"


@pytest.mark.parametrize(
    "line",
    [
        f"password = {SECRET}",
        f"secret_access_key = {SECRET}",
        f"connection_string = AccountKey={SECRET}",
        f"session_token = {SECRET}",
        f"proxy = http://ann:{SECRET}@proxy.example.org",
    ],
)
def test_a_secret_in_what_is_committed(folder: Path, line: str) -> None:
    with (folder / ".dvc/config").open("a") as file:
        file.write(f"    {line}\n")
    found = findings(folder)["dvc secrets"]
    assert found.state == "missing"
    assert f"`{line.split(maxsplit=1)[0]}`" in found.detail
    assert "--unset storage" in found.next_step
    assert all(SECRET not in one.model_dump_json() for one in findings(folder).values())


def test_a_secret_of_this_machine_only(folder: Path) -> None:
    section = f"['remote \"storage\"']\n    password = {SECRET}\n    access_key_id = AKIA\n"
    write(folder / ".dvc/config.local", section)
    assert "dvc secrets" not in findings(folder)


def test_a_remote_of_this_machine_only(folder: Path) -> None:
    (folder / ".dvc/config").rename(folder / ".dvc/config.local")
    group = project(open_project(folder), {})
    said = [one.detail for one in group.findings if one.name == "dvc remote"]
    assert "which no other machine has" in said[0]


# --- storage that is asked -----------------------------------------------------------------


@pytest.fixture
def storage() -> Iterator[str]:
    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/none"
    server.shutdown()
    server.server_close()
    thread.join()


def test_storage_that_answers(folder: Path, storage: str) -> None:
    change(folder / ".dvc/config", "../../storage", storage)
    found = findings(folder)["dvc remote"]
    assert found.ok, found
    assert "whether it may be written is not known" in found.detail


def test_storage_that_does_not_listen(folder: Path) -> None:
    change(folder / ".dvc/config", "../../storage", f"http://ann:{SECRET}@127.0.0.1:1/x")
    found = findings(folder)["dvc remote"]
    assert (found.state, "not reached" in found.detail) == ("warn", True)
    assert "MERGELINE_DVC_CONFIG" in found.next_step
    assert SECRET not in found.model_dump_json()


def test_storage_that_dvc_has_no_part_for(folder: Path) -> None:
    change(folder / ".dvc/config", "../../storage", "webhdfs://127.0.0.1:1/x")
    found = findings(folder)["dvc remote"]
    assert (found.state, "dvc[webhdfs]" in found.next_step) == ("missing", True), found
