"""What the README and the example report say is so."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mergeline.config.load import parse_settings
from mergeline.core.answers import Name
from mergeline.core.digest import promotion_key
from mergeline.core.evidence import STAGES, EvidenceSet
from mergeline.core.policy import GATE_KINDS
from mergeline.core.verdict import Candidate, Outcome
from mergeline.errors import MergelineError

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
EXAMPLE = ROOT / "reports" / "example"


def test_the_settings_load() -> None:
    text = re.search(r"## What you write\n\n```yaml\n(.*?)```", README, re.DOTALL)
    assert text is not None
    settings = parse_settings(text[1], origin="README.md")
    assert next(iter(settings.gates)) == "auc-floor"


@pytest.mark.parametrize("gate", re.findall(r"^\| `(\{.+\})` \|", README, re.MULTILINE))
def test_every_kind_of_gate_in_the_table_loads(gate: str) -> None:
    text = re.search(r"## What you write\n\n```yaml\n(.*?)gates:", README, re.DOTALL)
    assert text is not None
    slices = "evaluate: {slices: [purpose]}\n"
    assert parse_settings(f"{text[1]}{slices}gates: {{g: {gate}}}\n", origin="README.md").gates


def test_every_kind_of_gate_is_in_the_table() -> None:
    told = set(re.findall(r"^\| `\{(\w+): ", README, re.MULTILINE))
    assert told == set(GATE_KINDS)


def test_every_exit_code_is_in_the_table() -> None:
    table = set(map(int, re.findall(r"^\| (\d+) \| ", README, re.MULTILINE)))
    raised = {kind.exit_code for kind in MergelineError.__subclasses__()}
    judged = {outcome.exit_code for outcome in Outcome}
    answered = {name.exit_code for name in Name}
    assert table == {1, *raised, *judged, *answered}


def test_every_answer_of_a_merge_is_in_the_table_with_its_exit_code() -> None:
    rows = re.findall(r"^\| ([A-Z_, ]+) \| .+ \| (\d+) \|$", README, re.MULTILINE)
    told = {name: int(code) for names, code in rows for name in names.split(", ")}
    # DATA_UNAVAILABLE is the answer of a build, STALE_RUN that of a comment.
    elsewhere = {Name.DATA_UNAVAILABLE, Name.STALE_RUN}
    assert told == {name.value: name.exit_code for name in Name if name not in elsewhere}


@pytest.mark.parametrize("verb", sorted(set(re.findall(r"`mergeline (\w+)", README))))
def test_every_verb_exists(verb: str) -> None:
    command = [sys.executable, "-m", "mergeline", verb, "--help"]
    assert subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


def test_every_path_exists() -> None:
    rows = README.split("## Where things live")[1].split("\n\n")[1]
    paths = re.findall(r"`([\w./-]+/|[\w-]+\.yaml)`", rows)
    assert len(paths) > 5
    for path in [*paths, *re.findall(r"\]\(([\w./-]+)\)", README)]:
        assert (ROOT / path).exists(), path


def test_make_knows_the_two_commands() -> None:
    targets = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make (\w+)", README):
        assert f"\n{target}:" in targets


def test_the_examples_digests_are_those_of_its_files() -> None:
    candidate = Candidate.model_validate_json((EXAMPLE / "candidate.json").read_bytes())
    files = {name: (EXAMPLE / f"{name}.json").read_bytes() for name in STAGES}
    evidence = EvidenceSet.parse(files)
    assert candidate.evidence == evidence.digest()
    assert evidence.train is not None
    assert candidate.model == evidence.train.content.model_sha256
    assert candidate.key == promotion_key(candidate.project, candidate.inputs, candidate.model)


def test_the_examples_comment_says_what_its_verdict_says() -> None:
    verdict = json.loads((EXAMPLE / "verdict.json").read_bytes())
    comment = (EXAMPLE / "comment.md").read_text()
    assert f"**{verdict['judgement']['answer']}**" in comment
    assert verdict["candidate"]["key"] in comment
    for gate in verdict["judgement"]["verdict"]["gates"]:
        assert f"`{gate['name']}`" in comment


@pytest.mark.parametrize("name", ["comment.png", "page.png"])
def test_the_pictures_are_shown_with_words_in_their_place(name: str) -> None:
    (words,) = re.findall(
        rf"^!\[(.+)\]\(reports/example/{re.escape(name)}\)$", README, re.MULTILINE
    )
    assert len(words) > 50
    assert (EXAMPLE / name).stat().st_size < 300_000
