"""Strings of a pull request and of its data do nothing: comment, log, summary, status, check run.

Each goes through `mergeline comment` as its workflow runs it, standing wherever data or a pull
request can put one: names of columns, groups, gates, checks and files, waivers, titles, texts.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from bundle.commits import BASE, HEAD, more_iterations, settings
from cli.test_job_output import obeyed
from mergeline.adapters.cml import watermark_title, without_watermark
from mergeline.bundle.names import EVIDENCE_PART
from mergeline.core.plan import Plan
from mergeline.report.markdown import marker
from report import plans
from report.reading import problems, tables, visible
from report.test_check_run import acting
from review.jobs import Job, comment
from review.lines import SmallLine, commit_files, git

LIMIT = 60_000
# All that a branch may be called; Git has no spaces, colons or brackets there.
BRANCH = "x-$(id)-`id`-;id-&&id-|id-<img>-@octocat-#1-GH-1-deadbeef-__x__-\u202egnp"

HOSTILE = {
    "commands": "::error::x ##[error]x ::set-output name=x::y",
    "commands on lines": "\n::add-mask::PASSED\r\n \t##[stop-commands]x\r::add-path::/tmp\n",
    "HTML": "--></details></td><!-- mergeline: credit-default --><img src=x onerror=alert(1)>",
    "links": "[a](https://evil.example) ![b](//evil.example/x.png) www.evil.example [c]\n[c]: /x",
    "mentions": "@octocat cc @org/team #1 GH-2 owner/repo#3 deadbeefdeadbeef me@evil.example",
    "direction": "\u202egnp\u202c\u200b\u2066x\u2069\ufeff\u2028::error::\x85\x1b[31m\x07",
    "shell": "$(touch /tmp/x) `id` ; id && id | id > x \"'\\ ${IFS}",
    "blocks": "\n\n# x\n\n- [x] done\n> [!CAUTION]\n> x\n\n|a|b|\n|-|-|\n```\n</details>\n",
    "expressions": "${{ secrets.GITHUB_TOKEN }} $e^x$ $$x$$ :tada: ~~x~~ **x** [^1] <br>",
}


def poisoned_line(folder: Path, text: str) -> tuple[SmallLine, dict[str, str | None]]:
    """A line whose policy, and a branch whose settings, say the text wherever they can."""
    gates: dict[str, Any] = {
        f"{text}1": {"metric": "roc_auc", "at_least": 0.99},
        f"{text}2": {"fairness": plans.ODDS, "by": f"{text}s", "at_most": 0.01},
        f"{text}3": {"metric": "roc_auc", "at_least": 0.5},
        f"{text}4": {"check": "model"},
    }
    waiver = {
        "gate": f"{text}1",
        "owner": f"{text}o",
        "reason": f"{text}r",
        "expires": "2099-01-01",
    }
    main = json.loads(settings(data={"sensitive": [f"{text}s"], "noun": f"{text}n"}))
    main |= {"gates": gates, "waivers": [waiver]}
    fewer = {**gates, f"{text}3": {"metric": "roc_auc", "at_least": 0.1}}
    head = {**main, "model": json.loads(more_iterations())["model"], "gates": fewer}
    name = "".join(sign for sign in text if sign not in '\n\r"/\0')
    files = {f".github/workflows/{name}.yml": "x", f"requirements/{name}.txt": "x"}
    line = SmallLine.start(folder, {**BASE, "params.yaml": json.dumps(main)})
    return line, {**HEAD, "params.yaml": json.dumps(head), **files}


def poisoned_plan(text: str) -> Plan:
    """An unfair model, whose evidence has the text for names, details and notices."""
    found = plans.better(
        fairness=plans.fairness(0.31, remedies=True),
        check_model=plans.checks(plans.check(f"model/{text}", "failed", text, text)),
    )
    names = {"female": f"{text}f", "male": f"{text}m", "sex": f"{text}s", "defaulter": f"{text}n"}
    names |= {"postcode": f"{text}c"}
    poisoned = plans.replaced(found, names)
    assert isinstance(poisoned, Plan)
    return poisoned.model_copy(update={"notices": (text, f" {text}")})


def shown(line: SmallLine, number: int) -> str:
    """The one comment, without CML's own mark at its end."""
    (only,) = line.job().github.comments(number)
    return without_watermark(only.body, watermark_title(marker("credit-default")))


def require_inert(line: SmallLine, job: Job) -> None:
    """Nothing in log and summary acts, and nothing in what GitHub was asked to show."""
    assert obeyed(job.out) == obeyed(job.err) == []
    for printed in (job.out, job.err):
        assert all(each.isprintable() for each in printed.removesuffix("\n").split("\n"))
    assert problems(f"<!-- mergeline: x -->\n\n{job.summary}") == []
    for write in line.world.writes:
        if "/statuses/" in write.path:
            assert acting(write.body["description"]) == []
            assert len(write.body["description"]) <= 140
        if "/check-runs" in write.path:
            output = write.body["output"]
            assert acting(output["title"]) == []
            assert problems(f"<!-- mergeline: x -->\n\n{output['summary']}") == []
            for remark in output.get("annotations", ()):
                for said in (remark["title"], *remark["message"].split("\n")):
                    assert acting(said) == []


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_string_of_a_pull_request_acts(tmp_path: Path, text: str) -> None:
    line, files = poisoned_line(tmp_path, text)
    with line.world:
        commit_files(line.remote, BRANCH, files, onto="main")
        number = line.world.open_pull(BRANCH, login="ann", title=text, body=text)
        head = git(line.remote, "rev-parse", BRANCH)
        run = line.run(BRANCH, line.parts(poisoned_plan(text), head))
        done = comment(line, run)
        assert done.code == 0, done
        assert "FAILED" in done.out
        body = shown(line, number)
        assert problems(body) == []
        assert "This pull request changes what GitHub runs" in visible(body)
        outcomes = tables(body)[0].column("Rules in force (base)")
        assert [each.split()[1] for each in outcomes] == [
            "FAILED:",
            "FAILED:",
            "waived:",
            "passed:",
        ]
        require_inert(line, done)
        stale(line, run)


def stale(line: SmallLine, run: int) -> None:
    """A run that nobody waits for: the refusal names the branch."""
    commit_files(line.remote, BRANCH, {"b.txt": "more"}, onto=BRANCH)
    done = comment(line, run)
    assert done.code == 12
    assert done.out.startswith("STALE_RUN: ")
    assert "$(id)" in done.out
    require_inert(line, done)


# --- a great deal of it ----------------------------------------------------------------------


def test_a_megabyte_of_findings_is_one_comment(tmp_path: Path) -> None:
    """Hundreds of gates, groups and columns, and a megabyte of what checks found."""
    gates = {
        f"gate-{number} @octocat": {"metric": "roc_auc", "at_least": 0.99 if number == 7 else 0.5}
        for number in range(300)
    }
    main = {**json.loads(settings()), "gates": gates}
    line = SmallLine.start(tmp_path, {**BASE, "params.yaml": json.dumps(main)})
    found = plans.better()
    prepare, fairness = found.evidence.prepare, found.evidence.fairness
    assert prepare is not None
    assert fairness is not None
    columns = prepare.content.columns
    wide = [columns[1].model_copy(update={"name": f"column {n} [x](/x)"}) for n in range(500)]
    by = fairness.content.by[0]
    female, male, other = by.groups
    fewer = male.model_copy(update={"n": male.n - 1_200})
    groups = [plans.group(f"group {n} <b>", 4, 0.2, 0.5, 0.1, judged=False) for n in range(300)]
    finding = "::error::a finding @octocat <img src=x> [x](/x) " * 20
    noisy = plans.better(
        prepare=prepare.content.model_copy(update={"columns": (*columns, *wide)}),
        fairness=fairness.content.model_copy(
            update={"by": (by.model_copy(update={"groups": (female, fewer, other, *groups)}),)}
        ),
        check_model=plans.checks(
            *(plans.check(f"model/check {n}", "failed", finding) for n in range(1_100))
        ),
    )
    with line.world:
        head = {**json.loads(more_iterations()), "gates": gates}
        branch = line.push({**HEAD, "params.yaml": json.dumps(head)})
        number = line.world.open_pull(branch, login="ann")
        parts = line.parts(noisy, git(line.remote, "rev-parse", branch))
        assert sum(map(len, unpacked(parts[EVIDENCE_PART]))) > 1_000_000
        done = comment(line, line.run(branch, parts))
        assert done.code == 0, done
        body = shown(line, number)
        assert len(body) < LIMIT
        assert problems(body) == []
        first = tables(body)[0]
        assert ("FAILED" in first.rows[0][0], first.rows[0][1]) == (True, "gate-7 @octocat")
        assert "Not good enough: gate-7 @octocat failed" in visible(body)
        assert done.megabytes < 300
        require_inert(line, done)


def unpacked(data: bytes) -> list[bytes]:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [archive.read(name) for name in archive.namelist()]


# --- everything fails at once ----------------------------------------------------------------


def test_a_bad_day_ends_in_one_comment_and_one_entry(tmp_path: Path) -> None:
    """Listing, download, comment, check run, status and the ledger's push all fail once."""
    line = SmallLine.start(tmp_path)
    hook = line.remote / "hooks/pre-receive"
    hook.write_text('#!/bin/sh\nif [ -e "$0.done" ]; then exit 0; fi\n: > "$0.done"\nexit 1\n')
    hook.chmod(0o755)
    with line.world:
        branch = line.push()
        number = line.world.open_pull(branch, login="ann")
        head = git(line.remote, "rev-parse", branch)
        run = line.run(branch, line.parts(plans.better(), head))
        fault = line.world.fault
        fault("GET", "*/artifacts", status=502)
        fault("GET", "*/zip", "cut")
        fault("GET", "*/pulls", "truncate")
        fault("GET", f"*/issues/{number}/comments", status=500)
        fault("POST", f"*/issues/{number}/comments", "close", after=True)
        fault("POST", "*/check-runs", status=429, retry_after=1)
        fault("POST", "*/statuses/*", status=500, after=True)
        codes = [comment(line, run).code]
        while codes[-1] == 4 and len(codes) < 3:  # as the job's exit code asks for
            codes.append(comment(line, run).code)
        assert codes[-1] == 0, codes
        assert len(line.job().github.comments(number)) == 1
        (entry,) = line.ledger()
        assert entry.commit == head
        assert {state for state, _, _ in line.statuses()} == {line.statuses()[-1][0]}
        again = comment(line, run)
        assert again.code == 0
        assert len(line.job().github.comments(number)) == 1
        assert line.ledger() == (entry,)
