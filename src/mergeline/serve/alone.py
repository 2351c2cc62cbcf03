"""Serving one release folder, without following anything."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mergeline.ledger.entries import utc_now
from mergeline.serve.app import Limits, make_app
from mergeline.serve.front import GRACE_SECONDS, Front
from mergeline.serve.listen import bind, serve_http
from mergeline.serve.metrics import Metrics
from mergeline.serve.pool import Pool
from mergeline.serve.request_log import LogSettings
from mergeline.serve.standing import read_release_file, standing_alone

START_SECONDS = 120.0


@dataclass(frozen=True)
class Options:
    """What to serve, and where.

    Attributes:
        folder: The release folder.
        port: 0 for any that is free.
        workers: Model processes.
        log: Where requests are written; None for nowhere.
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    log: LogSettings | None = None
    limits: Limits = field(default_factory=Limits)


async def serve_alone(options: Options, say: Callable[[str], None], stop: asyncio.Event) -> None:
    """Serve until `stop` is set; requests in flight are answered first.

    Args:
        options: What, and where.
        say: Takes one line when requests are answered.
        stop: Set by signals.

    Raises:
        ModelError: The folder is not a release, or its model does not pass the smoke test.
        ToolError: The address is taken, or loading took too long.
    """
    file = read_release_file(options.folder)
    with bind(options.host, options.port) as taken:
        address = f"http://{options.host}:{taken.getsockname()[1]}"
        start = asyncio.ensure_future(
            Pool.start(
                options.folder, workers=options.workers, seconds=START_SECONDS, log=options.log
            )
        )
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait({start, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not start.done():
            start.cancel()
            await asyncio.wait({start})
            return
        since = utc_now()
        front = Front(standing_alone(file, since), Metrics(), live=await start)
        try:
            await serve_http(
                make_app(front, options.limits),
                taken,
                stop,
                grace=GRACE_SECONDS,
                ready=lambda: say(f"release {file.label} answers at {address}/invocations"),
            )
        finally:
            await front.close()
