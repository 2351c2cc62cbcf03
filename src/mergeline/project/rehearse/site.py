"""The addresses of the rehearsal's site, and what each shows or does."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.errors import MergelineError, UsageError
from mergeline.project.line import REPOSITORY, REVIEWER
from mergeline.project.rehearse import asking, entries, guard, guide, pulls
from mergeline.project.rehearse.desk import Desk
from mergeline.project.rehearse.rendering import PEOPLE, Asked, render, response
from mergeline.project.rehearse.robot import Robot
from mergeline.rehearsal.merging import METHODS

if TYPE_CHECKING:
    from starlette.responses import Response

Handler = Callable[["Site", Asked], "Response"]

_STYLE = Path(__file__).parent / "style.css"
_WAYS = {
    "merge": "a merge commit",
    "squash": "one squashed commit",
    "rebase": "its commits rebased",
}
_MOST_DIGITS = 5
_SECONDS = 2  # between two looks at a page on which something goes on


@dataclass
class Site:
    """The pages over one line.

    Attributes:
        demo: Whether it shows what a demo left.
    """

    robot: Robot
    desk: Desk
    guard: guard.Guard
    demo: bool = False
    tried: guide.Tried = field(default_factory=guide.Tried)

    # --- pages -------------------------------------------------------------------------------

    def pulls(self, asked: Asked) -> "Response":
        """Show all pull requests, and what to try."""
        found = self.robot.pulls()
        steps = () if self.demo else guide.steps(found, self.desk.history(), self.tried)
        rows = [pulls.row(self.robot, pull) for pull in found]
        return self._page(
            asked, "pulls.html", {"rows": rows, "steps": steps}, watched=bool(asked.going_on)
        )

    def pull(self, asked: Asked, error: UsageError | None = None) -> "Response":
        """Show one pull request; `error` says what was refused."""
        found = next((one for one in self.robot.pulls() if one.number == asked.number), None)
        if found is None:
            return self.missing(asked)
        job = self.robot.jobs.open(pull=asked.number)
        about = {
            "whole": pulls.whole(self.robot, found),
            "pull": found,
            "people": PEOPLE,
            "ways": {method: _WAYS[method] for method in METHODS},
            "job": job,
            "error": error,
        }
        status = 409 if error else 200
        own = job is not None or any(one.pull == asked.number for one in asked.going_on)
        return self._page(asked, "pull.html", about, status, watched=own)

    def live(self, asked: Asked) -> "Response":
        """Show what is desired, what is live and what waits."""
        about = {"standing": self.desk.standing(), "release": self.robot.line.release()}
        return self._page(asked, "live.html", about, watched=bool(asked.going_on))

    def predict(self, asked: Asked) -> "Response":
        """Ask for a prediction."""
        row = asked.query.get("row", "")
        number = int(row) if row.isdecimal() and len(row) <= _MOST_DIGITS else 0
        wanted = asking.form(self.robot.line.folder / "server", number)
        reply = None
        if wanted is not None and asked.method == "POST":
            reply = asking.ask(self.robot.line.port, wanted, asked.form)
            if not reply.problem:
                self.tried.asked.add(reply.version)
        about = {"form": wanted, "given": asked.form, "reply": reply, "row": number}
        return self._page(asked, "predict.html", about)

    def ledger(self, asked: Asked) -> "Response":
        """Show the ledger."""
        return self._page(asked, "ledger.html", {"lines": entries.lines(self.desk.history())})

    def back(self, asked: Asked, error: UsageError | None = None) -> "Response":
        """Show the form of a rollback; `error` says what was refused."""
        about = {"standing": self.desk.standing(), "given": asked.form, "error": error}
        return self._page(asked, "rollback.html", about, 409 if error else 200)

    def jobs(self, asked: Asked) -> "Response":
        """Show all jobs."""
        return self._page(
            asked, "jobs.html", {"jobs": self.robot.jobs.all()}, watched=bool(asked.going_on)
        )

    def job(self, asked: Asked) -> "Response":
        """Show one job and what it said so far."""
        found = self.robot.jobs.get(asked.number)
        if found is None:
            return self.missing(asked)
        watched = found in asked.going_on
        return self._page(asked, "job.html", {"job": found}, watched=watched)

    def report(self, asked: Asked) -> "Response":
        """Give a build's report: a page of its own that nothing of the site lets in."""
        path = self.robot.line.page(asked.number)
        if not path.is_file():
            return self.missing(asked)
        return response(path.read_bytes(), guard.headers(guard.REPORT))

    def style(self, _asked: Asked) -> "Response":
        """Give the one style sheet."""
        return response(_STYLE.read_bytes(), guard.headers(guard.PAGE), kind="text/css")

    def missing(self, asked: Asked) -> "Response":
        """Say that there is no such page."""
        return self._trouble(asked, 404, "Not here", "There is no such page.")

    # --- acts --------------------------------------------------------------------------------

    def approve(self, asked: Asked) -> "Response":
        """Approve as somebody."""
        return self._on_pull(asked, lambda n: self.robot.approve(n, _person(asked)))

    def merge(self, asked: Asked) -> "Response":
        """Merge as somebody."""

        def act(number: int) -> None:
            self.tried.refused.add(number)
            self.robot.merge(number, asked.form.get("method", ""), _person(asked))
            self.tried.refused.discard(number)

        return self._on_pull(asked, act)

    def rerun(self, asked: Asked) -> "Response":
        """Build once more."""
        return self._on_pull(asked, self.robot.rerun)

    def rollback(self, asked: Asked) -> "Response":
        """Roll back."""
        try:
            job = self.robot.rollback(asked.form.get("reason", ""), None)
        except UsageError as error:
            return self.back(asked, error)
        return _see(f"/jobs/{job.number}")

    def _on_pull(self, asked: Asked, act: Callable[[int], object]) -> "Response":
        try:
            act(asked.number)
        except UsageError as error:
            return self.pull(asked, error)
        return _see(f"/pulls/{asked.number}")

    # --- what all pages share ------------------------------------------------------------------

    def answer(self, handler: Handler, asked: Asked) -> "Response":
        """Answer one request, whatever goes wrong."""
        objection = self.guard.objection(asked.headers)
        if objection:  # a stranger sees nothing of ours, not even what goes on
            return response(objection.encode(), guard.headers(guard.PAGE), 403, kind="text/plain")
        if asked.method == "POST":
            token = asked.form.get("form-token", "")
            objection = self.guard.objection_to_act(asked.headers, token)
            if objection:
                return self._trouble(asked, 403, "Not done", objection)
        going_on = tuple(job for job in reversed(self.robot.jobs.all()) if job.open)
        try:
            return handler(self, replace(asked, going_on=going_on))
        except MergelineError as error:
            return self._trouble(asked, 500, "That did not work", error.message, error.hint)

    def _trouble(
        self, asked: Asked, status: int, title: str, said: str, hint: str = ""
    ) -> "Response":
        about = {"title": title, "said": said, "hint": hint}
        return self._page(asked, "trouble.html", about, status)

    def _page(
        self,
        asked: Asked,
        name: str,
        about: dict[str, Any],
        status: int = 200,
        *,
        watched: bool = False,
    ) -> "Response":
        """Render a page; one on which something goes on is asked for again by the browser."""
        going_on = asked.going_on
        still = "still" in asked.query
        reloads = watched and not still and asked.method == "GET"
        # As a header, not in the page, which can be held still by a link.
        again = {"Refresh": f"{_SECONDS}; url={asked.path}"} if reloads else {}
        shared = {
            "token": self.guard.token,
            "path": asked.path,
            "going_on": going_on,
            "reloads": reloads,
            "still": still and bool(going_on),
            "repository": REPOSITORY,
            "demo": self.demo,
        }
        html = render(name, {**shared, **about})
        return response(html.encode(), guard.headers(guard.PAGE) | again, status)


def _see(path: str) -> "Response":
    from starlette.responses import RedirectResponse

    return RedirectResponse(path, 303, guard.headers(guard.PAGE))


def _person(asked: Asked) -> str:
    login = asked.form.get("login", REVIEWER)
    if login not in PEOPLE:
        raise UsageError(f"nobody is named {login[:40]!r}", hint="act as Grace or as Ada")
    return login
