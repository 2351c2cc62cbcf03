"""Running the site until Ctrl-C."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mergeline.errors import ToolError
from mergeline.project.line import Line
from mergeline.project.rehearse.desk import Desk
from mergeline.project.rehearse.guard import Guard
from mergeline.project.rehearse.lanes import Jobs
from mergeline.project.rehearse.robot import Robot
from mergeline.project.rehearse.routes import make_app
from mergeline.project.rehearse.site import Site
from mergeline.project.rehearse.story import Story
from mergeline.serve.listen import bind, run, serve_http

HOST = "127.0.0.1"
_GRACE_SECONDS = 1.0


@dataclass(frozen=True)
class Options:
    """How a site is served.

    Attributes:
        port: 0 takes any that is free.
        demo: Whether it shows what a demo left; else the story is told.
    """

    port: int = 0
    demo: bool = False


def serve(line: Line, options: Options, ready: Callable[[str], None]) -> None:
    """Serve a line's pages until Ctrl-C or SIGTERM, then end what its jobs run.

    Args:
        line: It runs.
        options: How.
        ready: Is told the address, once it answers.

    Raises:
        ToolError: The port is taken.
    """
    try:
        taken = bind(HOST, options.port)
    except ToolError as error:
        hint = "give another --port, or none: then any that is free is taken"
        raise ToolError(error.message, hint=hint) from error
    port = taken.getsockname()[1]
    jobs = Jobs(Path(line.folder) / "logs")
    robot = Robot(line, jobs, None if options.demo else Story())
    desk = Desk(line.folder / "desk", line.github.remote)
    app = make_app(Site(robot, desk, Guard(port), demo=options.demo))

    async def until(stop: asyncio.Event) -> None:
        told = lambda: ready(f"http://{HOST}:{port}/")  # noqa: E731
        await serve_http(app, taken, stop, grace=_GRACE_SECONDS, ready=told)

    robot.start()
    try:
        run(until)
    finally:
        jobs.stop()
        taken.close()
