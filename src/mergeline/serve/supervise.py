"""One front process: it follows the ledger and answers requests."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from mergeline.adapters.git_process import without_credentials
from mergeline.ledger.entries import utc_now
from mergeline.serve.app import Limits, make_app
from mergeline.serve.follower import Follower
from mergeline.serve.front import GRACE_SECONDS, Front
from mergeline.serve.listen import bind, serve_http
from mergeline.serve.metrics import Metrics
from mergeline.serve.report import Outlook, standing_of
from mergeline.serve.serving import FollowSettings
from mergeline.serve.waiting import only_one


@dataclass(frozen=True)
class Options:
    """What to follow, and where to serve it.

    Attributes:
        port: 0 for any that is free.
    """

    follow: FollowSettings
    host: str = "127.0.0.1"
    port: int = 8000
    limits: Limits = field(default_factory=Limits)


async def serve_following(
    options: Options, print_line: Callable[[str], None], stop: asyncio.Event
) -> None:
    """Serve what the ledger declares until `stop` is set; requests in flight come first.

    Args:
        options: What, and where.
        print_line: Takes one line an event: time, what, and why.
        stop: Set by signals.

    Raises:
        UsageError: Another follower uses the state folder.
        ToolError: The address is taken.
    """

    def say(line: str) -> None:
        print_line(f"{utc_now()} {line}")

    settings = options.follow
    with only_one(settings.state), bind(options.host, options.port) as taken:
        front = Front(standing_of(Outlook(settings.environment)), Metrics())
        app = make_app(front, options.limits)
        following = asyncio.ensure_future(Follower(settings, front, say).run())
        # Whoever reads the next line may connect at once.
        taken.listen()
        port = taken.getsockname()[1]
        say(
            f"follows {settings.environment} of {without_credentials(settings.remote)}, "
            f"answers at http://{options.host}:{port}/invocations"
        )
        try:
            await serve_http(app, taken, stop, grace=GRACE_SECONDS)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await front.close()
            say("ended")
