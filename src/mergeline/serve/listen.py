"""Running the HTTP side: a socket, uvicorn on it, and an end that lets requests end first."""

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mergeline.errors import ToolError

if TYPE_CHECKING:
    from starlette.applications import Starlette

_WAITING = 2048  # connections that nobody has accepted yet
# Longer than clients keep a connection: one that both ends close at once fails a request.
_IDLE_SECONDS = 75


def bind(host: str, port: int) -> socket.socket:
    """Take an address, before anything slow is done; nobody is listening on it yet.

    Args:
        host: A name or an address.
        port: 0 for any that is free.

    Raises:
        ToolError: It is taken, or not one of this machine.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        taken = socket.socket(family, kind)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
    except OSError as error:
        raise ToolError(
            f"cannot listen on {host}:{port}: {error.strerror or error}",
            hint="give a --port that is free, and a --host that is an address of this machine",
        ) from error
    return taken


async def serve_http(
    app: "Starlette",
    taken: socket.socket,
    stop: asyncio.Event,
    *,
    grace: float,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Answer requests on a socket until `stop` is set, then those that are in flight.

    Args:
        app: From `make_app`.
        taken: From `bind`.
        stop: Set by the caller, whose business signals are.
        grace: How many seconds the requests in flight have.
        ready: Called once clients are listened to.
    """
    import uvicorn

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

    server = Server(
        uvicorn.Config(
            app,
            loop="none",
            http="httptools",
            ws="none",
            lifespan="off",
            interface="asgi3",
            access_log=False,
            server_header=False,
            log_level="warning",
            backlog=_WAITING,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=max(1, round(grace)),
        )
    )
    serving = asyncio.ensure_future(server.serve(sockets=[taken]))
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    server.should_exit = True
    await serving


def run(main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run a server to its end on a fast event loop.

    Args:
        main: Gets the event that SIGTERM and Ctrl-C set.
    """

    async def with_signals() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await main(stop)

    with asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(with_signals())


def _new_loop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()
