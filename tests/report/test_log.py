from ledger import made
from mergeline.report.log import entry_said
from mergeline.report.markdown import SENTENCE


def test_every_kind_of_entry_is_one_sentence() -> None:
    one = made.promoted("A", "1")
    said = [
        entry_said(made.reviewed(12, "A")),
        entry_said(one),
        entry_said(made.rolled_back(one, made.promoted("B", "2"))),
        entry_said(made.live(one)),
        entry_said(made.rejected(one)),
        entry_said(made.settled(made.commit_id("tip"))),
    ]
    assert said[0] == f"Reviewed model {made.sha('A')[:12]} of pull request 12: PASSED, PROMOTE."
    assert said[1].startswith("Promoted version 1 of pull request 12 in production: PASSED, reused")
    assert said[2].startswith("Rolled back to version 1 of pull request 12 in production: replaces")
    assert said[4].endswith("row 3 scores 0.4 instead of 0.7.")
    assert all(line.endswith(".") and not line.endswith("..") for line in said)


def test_a_hostile_reason_stays_one_short_line() -> None:
    entry = made.rejected(made.promoted("A", "1"), reason="x\n\u202e\x1b[31m" * 900)
    said = entry_said(entry)
    assert len(said) <= SENTENCE
    assert said.isprintable()
