"""One version per key, whatever was killed, answered late or done twice; against real MLflow."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from bundle.parts import evidence_files, parts_of, sealed, with_content
from mergeline.bundle.read import read_bundle
from mergeline.core.answers import Answer, Name
from mergeline.core.digest import sha256
from mergeline.core.plan import CardWords
from mergeline.ledger.entries import Reviewed
from mergeline.ledger.history import History
from mergeline.promote.register import (
    described,
    register,
    release_files,
    release_tags,
    reviewed_evidence,
)
from mergeline.report.card import render_card
from registries import Place
from report import plans

BUNDLE = read_bundle(*parts_of(plans.better()))
PLAN = BUNDLE.plan
KEY = PLAN.candidate.key
FILES = release_files(BUNDLE, PLAN, "# card\n")
TAGS = release_tags(PLAN)
# The same model, measured once more: its evidence has another digest.
MEASURED, _ = sealed(with_content(PLAN, "explain", rows=1))
AGAIN = FILES | {f"evidence/{name}": data for name, data in evidence_files(MEASURED).items()}

# As little as can be registered.
SMALL, _ = sealed(
    PLAN.model_copy(
        update={
            "evidence": PLAN.evidence.model_copy(
                update=dict.fromkeys(("check_data", "check_model", "fairness", "explain"))
            )
        }
    )
)
SMALL_TAGS = release_tags(SMALL)
SMALL_FILES = {
    **{name: FILES[name] for name in ("model/MLmodel", "model/model.skops", "probes.json")},
    **{
        f"evidence/{name}": data
        for name, data in evidence_files(SMALL).items()
        if name in ("prepare.json", "train.json", "evaluate.json")
    },
}


def read(registry, number, folder):
    return {name: path.read_bytes() for name, path in registry.download(number, folder).items()}


def numbers(registry):
    return [version.number for version in registry.versions()]


def mismatch(found):
    assert isinstance(found, Answer), found
    assert found.name is Name.REGISTRY_MISMATCH
    assert found.next_step
    return found.reason


# --- what is registered ------------------------------------------------------------------


def test_the_files_of_a_version():
    evidence = ("check_data", "check_model", "evaluate", "explain", "fairness", "prepare", "train")
    assert sorted(FILES) == [
        "card.md",
        *(f"evidence/{name}.json" for name in sorted((*evidence, "candidate", "verdict"))),
        *(f"model/{name}" for name in sorted(BUNDLE.model)),
        "probes.json",
    ]
    assert FILES["model/model.skops"] == BUNDLE.model["model.skops"]


def test_the_verdict_is_the_one_judged_again():
    judged = PLAN.model_copy(update={"noun": "as it was judged again"})
    files = release_files(BUNDLE, judged, "")
    assert b"as it was judged again" in files["evidence/verdict.json"]
    assert b"as it was judged again" not in BUNDLE.evidence["verdict.json"]
    assert files["evidence/train.json"] == BUNDLE.evidence["train.json"]


def test_the_tags_never_change():
    later = PLAN.model_copy(
        update={"judgement": PLAN.judgement.model_copy(update={"answer": "POLICY_ONLY"})}
    )
    assert release_tags(later) == TAGS
    assert {
        "mergeline.inputs": PLAN.candidate.inputs,
        "mergeline.model": PLAN.candidate.model,
        "mergeline.evidence": PLAN.candidate.evidence,
        "mergeline.commit": PLAN.candidate.commit,
        "mergeline.data": PLAN.evidence.prepare.content.sha256,
    } == TAGS


def test_a_release_is_registered_whole_and_found_again(place, tmp_path):
    registry = place.registry()
    version = register(registry, KEY, FILES, TAGS)
    assert (version.number, version.key) == ("1", KEY)
    named = {"mergeline.key": KEY, "mergeline.project": registry.project}
    assert version.tags == TAGS | named
    assert read(registry, "1", tmp_path / "1") == FILES
    assert register(place.registry(registry.project), KEY, FILES, TAGS) == version
    assert numbers(registry) == ["1"]


def test_a_version_says_what_its_card_begins_with(place):
    card = render_card(PLAN.model_copy(update={"card": CardWords(summary="Says who pays.")}))
    said = described(release_files(BUNDLE, PLAN, card))
    assert said.startswith("# Model card: ")
    assert "Says who pays." in said
    assert "## " not in said
    assert "library_name" not in said
    registry = place.registry()
    register(registry, KEY, release_files(BUNDLE, PLAN, card), TAGS)
    client = registry._store.client
    assert client.get_model_version(registry.project, "1").description == said
    assert "card.md" in client.get_registered_model(registry.project).description


def test_a_description_that_is_too_long_is_cut(embedded):
    registry = embedded.registry()
    registry.create(KEY, FILES, TAGS, "x" * 100_000)
    found = registry._store.client.get_model_version(registry.project, "1")
    assert found.description == "x" * 5000


def test_another_key_is_another_version(embedded):
    registry = embedded.registry()
    register(registry, KEY, FILES, TAGS)
    assert register(registry, "07" * 32, FILES, TAGS).number == "2"


def test_a_later_promotion_of_the_same_model_keeps_the_version(place, tmp_path):
    registry = place.registry()
    first = register(registry, KEY, FILES, TAGS)
    tags = TAGS | {"mergeline.commit": "d" * 40, "mergeline.evidence": MEASURED.candidate.evidence}
    reviewed = {TAGS["mergeline.evidence"]}
    assert register(registry, KEY, AGAIN, tags, reviewed) == first
    assert first.tags["mergeline.evidence"] == PLAN.candidate.evidence
    assert read(registry, "1", tmp_path / "1") == FILES
    # Evidence that no review had is nobody's word.
    reason = mismatch(register(registry, KEY, AGAIN, tags))
    assert "which no review has" in reason
    assert numbers(registry) == ["1"]


def test_the_evidence_of_all_reviews_of_a_key():
    def reviewed(key, evidence):
        return Reviewed(
            time="2026-11-20T09:00:00Z", project="p", by="job", pull_request=1, commit="a" * 40,
            tree="b" * 40, base=None, inputs="1" * 64, model="2" * 64, evidence=evidence * 64,
            key=key * 64, outcome="PASSED", answer="PROMOTE", run=1, parts=(),
            head_repository="o/n", comment=1, commented="2026-11-20T09:00:00Z",
        )  # fmt: skip

    history = History((reviewed("5", "e"), reviewed("5", "f"), reviewed("6", "d")))
    assert reviewed_evidence(history, "5" * 64) == {"e" * 64, "f" * 64}
    assert reviewed_evidence(History(), "5" * 64) == frozenset()


# --- what stands is held against what is promoted ------------------------------------------


@pytest.mark.parametrize("tag", ["mergeline.inputs", "mergeline.model", "mergeline.data"])
def test_a_version_with_another_tag_does_not_stand(place, tag):
    registry = place.registry()
    registry.create(KEY, FILES, TAGS | {tag: "0" * 64})
    assert tag in mismatch(register(registry, KEY, FILES, TAGS))
    assert numbers(registry) == ["1"]


@pytest.mark.parametrize("change", ["changed", "gone", "more"])
def test_a_version_of_another_model_does_not_stand(embedded, change):
    registry = embedded.registry()
    files = dict(FILES)
    if change == "changed":
        files["model/model.skops"] += b"!"
    elif change == "gone":
        del files["model/model.skops"]
    else:
        files["model/code/x.py"] = b"import os"
    registry.create(KEY, files, TAGS)
    registry.create(KEY, FILES, TAGS)
    assert "another 'model/" in mismatch(register(registry, KEY, FILES, TAGS))
    assert numbers(registry) == ["1", "2"], "nothing is deleted while nothing stands"


def test_evidence_that_was_changed_does_not_stand(embedded):
    lower, _ = sealed(with_content(PLAN, "evaluate", threshold=0.01))
    registry = embedded.registry()
    registry.create(KEY, FILES | _evidence(lower), TAGS)
    assert "and another tag" in mismatch(register(registry, KEY, FILES, TAGS))


def test_changed_evidence_with_its_own_tag_does_not_stand(embedded):
    lower, _ = sealed(with_content(PLAN, "evaluate", threshold=0.01))
    registry = embedded.registry()
    tags = TAGS | {"mergeline.evidence": lower.candidate.evidence}
    registry.create(KEY, FILES | _evidence(lower), tags)
    assert "which no review has" in mismatch(register(registry, KEY, FILES, TAGS))


@pytest.mark.parametrize("data", [b"{", b"{}", b'{"schema_version": 2}', b"\xff"])
def test_evidence_that_is_none_does_not_stand(embedded, data):
    registry = embedded.registry()
    registry.create(KEY, FILES | {"evidence/evaluate.json": data}, TAGS)
    assert "not of this version" in mismatch(register(registry, KEY, FILES, TAGS))


@pytest.mark.parametrize("probes", [b"[]", None])
def test_other_probe_rows_do_not_stand(embedded, probes):
    registry = embedded.registry()
    files = {name: data for name, data in FILES.items() if name != "probes.json"}
    registry.create(KEY, files | ({"probes.json": probes} if probes else {}), TAGS)
    assert "other probe rows" in mismatch(register(registry, KEY, FILES, TAGS))


def test_a_byte_changed_in_the_store_does_not_stand(embedded):
    registry = embedded.registry()
    made = register(registry, KEY, FILES, TAGS)
    folder = embedded.root / ".mergeline/registry" / made.run / "artifacts" / made.digest
    (folder / "card.md").write_bytes(b"# cart\n")
    assert "not what was registered" in mismatch(register(registry, KEY, FILES, TAGS))


def test_a_copy_by_somebody_else_neither_stands_nor_is_deleted(place):
    registry = place.registry()
    registry.create("07" * 32, FILES, TAGS)
    client = registry._store.client
    tags = TAGS | {"mergeline.key": KEY}
    client.create_model_version(registry.project, "s3://elsewhere/model", tags=tags)
    assert "no version of Mergeline's" in mismatch(register(registry, KEY, FILES, TAGS))
    registry.delete("2")
    assert register(registry, KEY, FILES, TAGS).number == "3"
    client.create_model_version(registry.project, "s3://elsewhere/model", tags=tags)
    assert register(registry, KEY, FILES, TAGS).number == "3"
    assert numbers(registry) == ["1", "3", "4"]


def _evidence(plan):
    return {f"evidence/{name}": data for name, data in evidence_files(plan).items()}


# --- faults ------------------------------------------------------------------------------


def test_the_lowest_stands_and_later_ones_of_ours_are_deleted(place, tmp_path):
    registry = place.registry()
    for _ in range(3):
        registry.create(KEY, FILES, TAGS)
    registry.create("07" * 32, FILES, TAGS)
    assert register(registry, KEY, FILES, TAGS).number == "1"
    assert numbers(registry) == ["1", "4"]
    assert read(registry, "1", tmp_path / "1") == FILES


def test_a_registry_that_is_away_is_said_and_changes_nothing(proxy, tmp_path):
    registry = Place(proxy.uri, tmp_path).registry()
    proxy.closed = True
    found = register(registry, KEY, FILES, TAGS)
    assert (found.name, found.name.exit_code) == (Name.REGISTRY_UNAVAILABLE, 4)
    assert proxy.uri in found.reason
    assert found.next_step.startswith("start it")
    proxy.closed = False
    assert numbers(registry) == []
    assert register(registry, KEY, FILES, TAGS).number == "1"


def test_a_registry_that_stores_and_then_answers_503_has_one_version(proxy, tmp_path):
    registry = Place(proxy.uri, tmp_path).registry()
    create = "model-versions/create"
    proxy.change = lambda answer: (503, b"") if answer.path.endswith(create) else None
    version = register(registry, KEY, SMALL_FILES, SMALL_TAGS)
    assert version.number == "1"
    assert proxy.count("POST", create) == 1
    assert register(registry, KEY, SMALL_FILES, SMALL_TAGS) == version
    assert numbers(registry) == ["1"]
    assert read(registry, "1", tmp_path / "1") == SMALL_FILES


CALLS = [
    "experiments/get-by-name",
    "experiments/create",
    "runs/search",
    "runs/create",
    "runs/get",
    "artifacts/MLmodel",
    "runs/update",
    "registered-models/create",
    "model-versions/search",
    "model-versions/create",
]


@pytest.mark.parametrize(
    ("call", "status"),
    [*((call, 503) for call in CALLS), *(("model-versions/create", at) for at in (200, 429))],
)
def test_any_call_that_is_done_and_not_answered_is_mended_by_the_next(
    proxy, tmp_path, call, status
):
    registry = Place(proxy.uri, tmp_path).registry()
    cut = []

    def once(answer):
        wanted = answer.path.endswith(call) or (
            call.startswith("artifacts/") and answer.path.endswith("/model/MLmodel")
        )
        if not wanted or cut:
            return None
        cut.append(answer)
        return status, b'{"cut'

    proxy.change = once
    first = register(registry, KEY, SMALL_FILES, SMALL_TAGS)
    assert len(cut) == 1, "the call was made"
    if isinstance(first, Answer):
        assert first.name is Name.REGISTRY_UNAVAILABLE
    second = register(registry, KEY, SMALL_FILES, SMALL_TAGS)
    assert second.number == "1"
    assert numbers(registry) == ["1"]
    runs = [answer for answer in proxy.seen if answer.path.endswith("runs/create")]
    assert len(runs) == 1


def test_a_search_that_fails_after_the_create_leaves_one_version(proxy, tmp_path):
    registry = Place(proxy.uri, tmp_path).registry()
    searches = []

    def second(answer):
        if answer.path.endswith("model-versions/search"):
            searches.append(answer)
            return (503, b"") if len(searches) == 2 else None
        return None

    proxy.change = second
    assert register(registry, KEY, SMALL_FILES, SMALL_TAGS).name is Name.REGISTRY_UNAVAILABLE
    assert register(registry, KEY, SMALL_FILES, SMALL_TAGS).number == "1"
    assert numbers(registry) == ["1"]


# --- two at once -------------------------------------------------------------------------

ROUNDS = {"embedded": 20, "served": 10}
WORKER = """
import json, sys
from pathlib import Path
import mlflow.tracking
from mergeline.adapters.registry import Registry
from mergeline.promote.register import register

for line in sys.stdin:
    asked = json.loads(line)
    if "files" in asked:
        files = {name: bytes.fromhex(data) for name, data in asked["files"].items()}
        tags = asked["tags"]
        registry = Registry(asked["uri"], Path(asked["root"]), asked["project"])
        registry.versions()
        print("ready", flush=True)
    else:
        found = register(registry, asked["key"], files, tags)
        print(getattr(found, "number", found), flush=True)
"""


class Worker:
    """A process that registers whatever key it is given, in the registry that it was given."""

    def __init__(self, card):
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        # The card differs, as it does where two commits bring the same model.
        files = {**SMALL_FILES, "card.md": card}
        self.files = {name: data.hex() for name, data in files.items()}

    def ask(self, **asked):
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def use(self, registry):
        return self.ask(
            uri=registry.uri, root=str(registry.root), project=registry.project,
            files=self.files, tags=SMALL_TAGS,
        )  # fmt: skip

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


CARDS = (b"# one\n", b"# two\n")


@pytest.fixture(scope="module")
def workers():
    """Two processes."""
    made = [Worker(card) for card in CARDS]
    yield made
    for worker in made:
        worker.end()


def test_of_two_that_register_at_once_one_version_stands(request, place, workers, tmp_path):
    registry, rounds = place.registry(), ROUNDS[request.node.callspec.params["place"]]
    keys = [sha256(str(number).encode()) for number in range(rounds)]
    with ThreadPoolExecutor(2) as pool:
        assert [worker.use(registry) for worker in workers] == ["ready", "ready"]
        for key in keys:
            one, two = pool.map(lambda worker, key=key: worker.ask(key=key), workers)
            assert one == two
            assert [version.number for version in registry.find(key)] == [one]
    standing = registry.versions()
    assert [version.key for version in standing] == keys
    for version in standing:
        files = read(registry, version.number, tmp_path / version.number)
        assert files.pop("card.md") in CARDS
        assert files == SMALL_FILES
