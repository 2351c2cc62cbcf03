"""The rehearsal's site without a browser: what each page shows, does and refuses."""

import asyncio
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from quick_line import QuickLine

from mergeline.project.rehearse import guard
from mergeline.project.rehearse.desk import Desk
from mergeline.project.rehearse.lanes import Jobs
from mergeline.project.rehearse.robot import Robot
from mergeline.project.rehearse.routes import make_app
from mergeline.project.rehearse.site import Site
from mergeline.rehearsal.state import Pull

PORT = 4711
HOST = f"127.0.0.1:{PORT}"
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
PAGES = ("/", "/pulls/1", "/live", "/predict", "/rollback", "/ledger", "/jobs", "/jobs/1")


@dataclass(frozen=True)
class Page:
    status: int
    headers: dict[str, str]
    html: str

    @property
    def text(self) -> str:
        """What a reader sees, spaces made one."""
        body = self.html.partition("<body>")[2] or self.html
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", body.replace("<wbr>", ""))).split())


class Visitor:
    """Somebody with a browser, which here is a few lines of ASGI."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.app = make_app(site)

    def get(self, path: str, **headers: str) -> Page:
        return self._ask("GET", path, headers, b"")

    def post(self, path: str, headers: dict[str, str] | None = None, **form: str) -> Page:
        fields = {"form-token": self.site.guard.token, **form}
        given = {"origin": f"http://{HOST}", "sec-fetch-site": "same-origin", **(headers or {})}
        return self._ask("POST", path, given, urlencode(fields).encode())

    def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Page:
        where, _, query = path.partition("?")
        sent = {"host": HOST, **{name.replace("_", "-"): text for name, text in headers.items()}}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": where,
            "raw_path": where.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), text.encode()) for name, text in sent.items()],
            "server": ("127.0.0.1", PORT),
        }
        got: list[dict[str, object]] = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, object]) -> None:
            got.append(message)

        asyncio.run(self.app(scope, receive, send))
        start, *bodies = got
        names = {name.decode(): text.decode() for name, text in start["headers"]}
        html = b"".join(message.get("body", b"") for message in bodies).decode()
        return Page(start["status"], names, html)

    def wait(self) -> None:
        """Wait until no job waits or runs."""
        limit = time.monotonic() + 60
        while self.site.robot.jobs.open() is not None:
            assert time.monotonic() < limit
            time.sleep(0.01)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[QuickLine]:
    with QuickLine(tmp_path / "line") as made:
        yield made


@pytest.fixture
def visitor(line: QuickLine) -> Iterator[Visitor]:
    robot = Robot(line, Jobs(line.folder / "logs"))
    desk = Desk(line.folder / "desk", line.github.remote)
    robot.start()
    yield Visitor(Site(robot, desk, guard.Guard(PORT)))
    line.hold.set()
    robot.jobs.stop()


def reviewed(
    visitor: Visitor, line: QuickLine, branch: str = "topic", title: str = "Deeper"
) -> int:
    """A pull request with its check and its comment."""
    number = line.propose(branch, title, {"params.yaml": "project: demo\nmodel: {depth: 5}\n"})
    visitor.site.robot.notice()
    visitor.wait()
    return number


# --- the pages -----------------------------------------------------------------------------------


def test_before_anything_every_page_says_so(visitor: Visitor) -> None:
    assert "None yet: Ada is about to open the first one." in visitor.get("/").text
    assert "Nothing is desired" in visitor.get("/live").text
    assert "No model is live yet" in visitor.get("/predict").text
    assert "It has no entry yet" in visitor.get("/ledger").text
    assert "There is nothing to return to" in visitor.get("/rollback").text
    assert visitor.get("/pulls/9").status == visitor.get("/jobs/9").status == 404
    assert visitor.get("/nowhere").status == 404
    assert "There is no such page." in visitor.get("/pulls/x").text


def test_a_pull_request_shows_what_it_changes_and_what_was_said(
    visitor: Visitor, line: QuickLine
) -> None:
    number = reviewed(visitor, line)
    listed = visitor.get("/").text
    assert "Deeper #1" in listed
    assert "check passed All is well" in listed
    page = visitor.get(f"/pulls/{number}")
    assert "model.depth 3 5" in page.text
    assert "<code>model.<wbr>depth</code>" in page.html
    assert "-model: {depth: 3} +model: {depth: 5}" in page.text
    assert "<h4>Good enough to release</h4>" in page.html
    assert 'role="region" aria-label="Table 1" tabindex="0"><table>' in page.html
    assert "by ada" in page.text
    assert "One more approval by people who may write is needed." in page.text
    log = re.search(r"/jobs/\d+", page.html)
    assert log is not None
    assert "running train <b>now</b>" in visitor.get(log[0]).text


def test_the_report_of_a_build_is_served_as_nobody(visitor: Visitor, line: QuickLine) -> None:
    number = reviewed(visitor, line)
    address = re.search(r"/runs/\d+/report.html", visitor.get(f"/pulls/{number}").html)
    assert address is not None
    report = visitor.get(address[0])
    assert report.html.startswith("<!doctype html><title>Report")
    policy = report.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert visitor.get("/runs/1/report.html").status == 404


def test_every_page_forbids_scripts(visitor: Visitor, line: QuickLine) -> None:
    reviewed(visitor, line)
    for path in (*PAGES, "/style.css", "/nowhere"):
        headers = visitor.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "script" not in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert headers["x-content-type-options"] == "nosniff", path


# --- the walk ------------------------------------------------------------------------------------


def test_approve_and_merge(visitor: Visitor, line: QuickLine) -> None:
    number = reviewed(visitor, line)
    approved = visitor.post(f"/pulls/{number}/approve", login="grace")
    assert (approved.status, approved.headers["location"]) == (303, f"/pulls/{number}")
    visitor.wait()
    page = visitor.get(f"/pulls/{number}").text
    assert "Grace: approved" in page
    assert "The rules of main are met." in page
    assert visitor.post(f"/pulls/{number}/merge", login="grace", method="squash").status == 303
    visitor.wait()
    page = visitor.get(f"/pulls/{number}").text
    assert "merged by Grace" in page
    assert "LIVE: Version 1 answers." in page
    assert "model.depth 3 5" in page
    again = visitor.post(f"/pulls/{number}/merge", login="grace", method="squash")
    assert again.status == 409
    assert "#1 is merged already" in again.text


def test_what_was_merged_but_not_promoted_can_be_approved_and_promoted_again(
    visitor: Visitor, line: QuickLine
) -> None:
    number = reviewed(visitor, line)
    visitor.post(f"/pulls/{number}/approve", login="grace")
    visitor.wait()
    live = line.answer
    line.answer = {"name": "STALE_APPROVAL", "reason": "It is old.", "next_step": "approve it"}
    visitor.post(f"/pulls/{number}/merge", login="grace", method="merge")
    visitor.wait()
    page = visitor.get(f"/pulls/{number}").text
    assert "it was not promoted. STALE_APPROVAL: It is old. Next: approve it. Promote" in page
    assert visitor.post(f"/pulls/{number}/merge", login="grace", method="merge").status == 409
    assert visitor.post(f"/pulls/{number}/approve", login="grace").status == 303
    assert visitor.site.robot.jobs.open() is None  # a closed pull request gets no comment
    line.answer = live
    assert visitor.post(f"/pulls/{number}/rerun").status == 303
    visitor.wait()
    page = visitor.get(f"/pulls/{number}").text
    assert page.count("Grace: approved") == 2
    assert "not promoted" not in page
    assert visitor.post(f"/pulls/{number}/rerun").status == 409


def test_nobody_approves_their_own(visitor: Visitor, line: QuickLine) -> None:
    number = reviewed(visitor, line)
    refused = visitor.post(f"/pulls/{number}/approve", login="ada")
    assert refused.status == 409
    assert "GitHub refuses: Review Can not approve your own pull request" in refused.text
    assert "act as Grace" in refused.text
    assert "Nobody has reviewed it yet." in refused.text


def test_what_no_rule_lets_through_is_not_merged(visitor: Visitor, line: QuickLine) -> None:
    number = reviewed(visitor, line, "bad-model", "Biased")
    assert "check failed 1 of 2 gates failed" in visitor.get("/").text
    visitor.post(f"/pulls/{number}/approve", login="grace")
    visitor.wait()
    refused = visitor.post(f"/pulls/{number}/merge", login="grace", method="merge")
    assert refused.status == 409
    assert "GitHub refuses to merge: the required status mergeline is not green" in refused.text
    assert visitor.site.tried.refused == {number}
    other = reviewed(visitor, line, "good", "Not approved")
    refused = visitor.post(f"/pulls/{other}/merge", login="grace", method="merge")
    assert "approvals by people who may write: 1 more needed" in refused.text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"login": "mallory", "method": "merge"}, "nobody is named 'mallory'"),
        ({"login": "grace", "method": "--force"}, "no way to merge: '--force'"),
    ],
)
def test_a_form_says_only_what_it_can(
    visitor: Visitor, line: QuickLine, form: dict[str, str], said: str
) -> None:
    number = reviewed(visitor, line)
    refused = visitor.post(f"/pulls/{number}/merge", **form)
    assert refused.status == 409
    assert said in refused.text


def test_while_a_build_runs_a_second_click_is_refused_in_words(
    visitor: Visitor, line: QuickLine
) -> None:
    line.hold.clear()
    number = line.propose("topic", "Deeper", {"a.txt": "1"})
    visitor.site.robot.notice()
    early = visitor.post(f"/pulls/{number}/approve", login="grace")
    assert "#1 has no comment yet, and an approval counts from its comment on" in early.text
    refused = visitor.post(f"/pulls/{number}/rerun")
    assert refused.status == 409
    assert re.search(r"not now: job 1 \(Check #1 at \w{12}\) (is running|waits)", refused.text)
    page = visitor.get(f"/pulls/{number}")
    assert page.headers["refresh"].startswith("2;")
    assert "Merge" not in re.findall(r"<button[^>]*>([^<]*)", page.html)
    assert "refresh" not in visitor.get(f"/pulls/{number}?still").headers
    line.hold.set()
    visitor.wait()
    assert "refresh" not in visitor.get(f"/pulls/{number}").headers
    assert visitor.post(f"/pulls/{number}/rerun").status == 303
    visitor.wait()
    assert len(visitor.site.robot.runs(line.github.pull(number))) == 2


def test_what_is_being_checked_again_cannot_be_approved_meanwhile(
    visitor: Visitor, line: QuickLine
) -> None:
    number = reviewed(visitor, line)
    line.hold.clear()
    visitor.post(f"/pulls/{number}/rerun")
    refused = visitor.post(f"/pulls/{number}/approve", login="grace")
    line.hold.set()
    assert refused.status == 409
    assert re.search(r"not now: job \d+ \(Check #1 at", refused.text)
    visitor.wait()
    assert line.github.pull(number).reviews == []
    assert visitor.post(f"/pulls/{number}/approve", login="grace").status == 303


def test_a_page_that_was_made_while_a_job_ended_asks_again(
    visitor: Visitor, line: QuickLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.hold.clear()
    number = line.propose("topic", "Deeper", {"a.txt": "1"})
    visitor.site.robot.notice()
    pulls = visitor.site.robot.pulls

    def meanwhile() -> list[Pull]:
        monkeypatch.undo()
        found = pulls()
        line.hold.set()
        visitor.wait()
        return found

    monkeypatch.setattr(visitor.site.robot, "pulls", meanwhile)
    page = visitor.get(f"/pulls/{number}")
    assert page.headers["refresh"].startswith("2;")
    assert "has just ended" in page.text


def test_the_oldest_pull_request_is_built_first(visitor: Visitor, line: QuickLine) -> None:
    for branch in ("one", "two", "three"):
        line.propose(branch, branch, {"a.txt": branch})
    visitor.site.robot.notice()
    visitor.wait()
    builds = [job.pull for job in visitor.site.robot.jobs.all() if job.kind == "build"]
    assert builds == [3, 2, 1]


def test_a_check_that_cannot_end_says_what_it_said(visitor: Visitor, line: QuickLine) -> None:
    number = reviewed(visitor, line, "broken", "Broken")
    assert "did not finish" in visitor.get("/").text
    page = visitor.get(f"/pulls/{number}").text
    assert "The check ended with exit code 3: see its log." in page
    assert "Not there yet" in page


def test_a_rollback_needs_its_reason(visitor: Visitor, line: QuickLine) -> None:
    refused = visitor.post("/rollback", reason="  ")
    assert refused.status == 409
    assert "a rollback needs a reason" in refused.text
    line.hold.clear()
    done = visitor.post("/rollback", reason="too strict")
    assert done.status == 303
    assert "not now: job 1" in visitor.post("/rollback", reason="again").text
    line.hold.set()
    visitor.wait()
    assert "LIVE: Version 1 is back." in visitor.get(done.headers["location"]).text


def test_a_job_that_fails_says_why(visitor: Visitor, line: QuickLine) -> None:
    done = visitor.post("/rollback", reason="break")
    visitor.wait()
    page = visitor.get(done.headers["location"])
    assert "failed" in page.text
    assert "the registry is <away>" in page.text
    assert "TIP start it" in page.text
    assert visitor.post("/rollback", reason="once more").status == 303


def test_a_prediction_is_asked_for(visitor: Visitor, line: QuickLine) -> None:
    line.serve_release()
    page = visitor.get("/predict")
    assert 'name="income" value="1000.5" inputmode="decimal"' in page.html
    assert 'value="boat"' in visitor.get("/predict?row=1").html
    answer = visitor.post("/predict", income="12", purpose="car", owner="true")
    assert (
        "Version 7 answers probability 0.25 label <1> positive false threshold 0.5" in answer.text
    )
    assert line._server.asked == [{"income": 12.0, "purpose": "car", "owner": True}]
    visitor.post("/predict", income="", purpose="", owner="")
    assert line._server.asked[1] == {"income": None, "purpose": None, "owner": None}
    wrong = visitor.post("/predict", income="twelve", purpose="car", owner="true")
    assert "The model server refused HTTP 400: income is <no> number" in wrong.text
    assert 'value="twelve"' in wrong.html


def test_the_ledger_is_told_in_sentences(visitor: Visitor, line: QuickLine) -> None:
    reviewed(visitor, line)
    page = visitor.get("/ledger")
    assert "Reviewed model 0123456789ab of pull request 1: PASSED, PROMOTE. #1" in page.text
    assert 'href="/pulls/1"' in page.html
    assert "1 entry; the whole chain was verified" in page.text


# --- hostile -------------------------------------------------------------------------------------


def test_nothing_that_others_wrote_acts(visitor: Visitor, line: QuickLine) -> None:
    line.comment_text = f"## {EVIL}\n\n[x](javascript:alert(1)) ![i](http://evil.example/i.png)\n"
    files = {"params.yaml": f"project: demo\nmodel: {{note: '{EVIL.replace(chr(39), '')}'}}\n"}
    files["<img src=x>.txt"] = EVIL
    number = line.propose("topic", EVIL, files, body=EVIL)
    visitor.site.robot.notice()
    visitor.wait()
    line.github.request_changes(number, "grace", EVIL)
    for path in (*PAGES, f"/pulls/{number}", "/jobs/2"):
        html = visitor.get(path).html
        assert "<script" not in html, path
        assert not re.search(r"<[a-z][^<>]* (onerror|onload|style)=", html), path
        assert "<img src=x" not in html, path
        assert "javascript:" not in re.sub(
            r"&#?\w+;", "", "".join(re.findall(r"href=\"[^\"]*", html))
        )
        assert "evil.example" not in "".join(re.findall(r"<img[^>]*>", html)), path


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1:80"},
        {"host": f"evil.example:{PORT}"},
    ],
)
def test_under_another_name_nothing_is_answered(visitor: Visitor, headers: dict[str, str]) -> None:
    for path in ("/", "/live/", "/jobs/1/", "/style.css"):
        page = visitor.get(path, **headers)
        assert page.status == 403
        assert "location" not in page.headers
        assert page.html == "This site answers at its own address on this machine only."


@pytest.mark.parametrize("number", ["9" * 300, "9" * 5000, "1\n", "-1", "\u0661", "x"])
def test_what_is_no_number_of_ours_is_not_here(visitor: Visitor, number: str) -> None:
    for path in (f"/jobs/{number}", f"/pulls/{number}", f"/runs/{number}/report.html"):
        assert visitor.get(path).status == 404
    assert visitor.post(f"/pulls/{number}/approve", login="grace").status == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": f"https://{HOST}"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_not_obeyed(
    visitor: Visitor, line: QuickLine, headers: dict[str, str]
) -> None:
    number = reviewed(visitor, line)
    refused = visitor.post(f"/pulls/{number}/approve", headers, login="grace")
    assert refused.status == 403
    assert line.github.pull(number).reviews == []


@pytest.mark.parametrize("token", ["", "x" * 32, "ö"])
def test_a_form_without_its_token_is_not_obeyed(
    visitor: Visitor, line: QuickLine, token: str
) -> None:
    number = reviewed(visitor, line)
    refused = visitor.post(f"/pulls/{number}/approve", login="grace", **{"form-token": token})
    assert refused.status == 403
    assert line.github.pull(number).reviews == []


def test_a_form_that_is_too_large_is_not_read(visitor: Visitor) -> None:
    assert visitor.post("/rollback", reason="x" * 100_000).status == 403
