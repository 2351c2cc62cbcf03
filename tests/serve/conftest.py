"""One registry with a few releases for all tests of the follower; a Git remote for each."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mergeline.core.digest import sha256
from serve.lines_made import Line, Stock, Stocked
from serve.releases_made import BRITTLE, FOREST, change_scores, make_release, whole_frame
from toys import set_apart


@pytest.fixture(scope="session", autouse=True)
def _apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        set_apart(patch, tmp_path_factory.mktemp("empty"))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """The registry."""
    return Stock(tmp_path_factory.mktemp("registry"))


@pytest.fixture(scope="session")
def plain(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Stocked:
    """A good release."""
    return stock.add(make_release(tmp_path_factory.mktemp("plain")).folder)


@pytest.fixture(scope="session")
def forest(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Stocked:
    """Another good release, which scores the same rows otherwise."""
    return stock.add(make_release(tmp_path_factory.mktemp("forest"), model=FOREST).folder)


@pytest.fixture(scope="session")
def brittle(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Stocked:
    """A release that passes the smoke test, and fails a request with a missing number."""
    folder = tmp_path_factory.mktemp("brittle")
    return stock.add(make_release(folder, model=BRITTLE, frame=whole_frame()).folder)


@pytest.fixture(scope="session")
def wrong(stock: Stock, forest: Stocked, tmp_path_factory: pytest.TempPathFactory) -> Stocked:
    """A release whose evidence states other scores of the probe rows than its model gives."""
    folder = _copy(forest, tmp_path_factory)
    change_scores(folder)
    path = folder / "evidence/evaluate.json"
    evidence = json.loads(path.read_bytes())
    evidence["content"]["probes_sha256"] = sha256((folder / "probes.json").read_bytes())
    path.write_text(json.dumps(evidence))
    return stock.add(folder)


@pytest.fixture(scope="session")
def with_code(stock: Stock, plain: Stocked, tmp_path_factory: pytest.TempPathFactory) -> Stocked:
    """A release whose model names a folder of code, declared with all its right digests."""
    folder = _copy(plain, tmp_path_factory)
    path = folder / "model/MLmodel"
    described = json.loads(path.read_bytes())
    described["flavors"]["sklearn"]["code"] = "code"
    path.write_text(json.dumps(described, indent=1))
    return stock.add(folder)


def _copy(stocked: Stocked, paths: pytest.TempPathFactory) -> Path:
    return shutil.copytree(stocked.folder, paths.mktemp("copy") / "release")


@pytest.fixture
def new_line(stock: Stock, tmp_path: Path) -> Callable[..., Line]:
    """Makes a Git remote whose settings name the registry."""
    return lambda **options: Line(tmp_path, stock.uri, **options)


@pytest.fixture
def line(new_line: Callable[..., Line]) -> Line:
    """A Git remote whose releases are watched for a moment."""
    return new_line()
