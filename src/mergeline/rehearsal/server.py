"""The HTTP server: reads a request, lets faults strike, sends the answer.

The standard library's server, not a framework's: a fault has to reach the socket.
"""

import socket
import ssl
import sys
import threading
import traceback
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from mergeline.rehearsal.answers import Answer, Refusal
from mergeline.rehearsal.api import Request, answer, token_of
from mergeline.rehearsal.control import (
    CONTROL,
    Acts,
    answer_control,
    answer_download,
)
from mergeline.rehearsal.faults import Fault
from mergeline.rehearsal.git_http import answer_git, is_git
from mergeline.rehearsal.recorder import Request as Recorded
from mergeline.rehearsal.resources.actions import DOWNLOADS
from mergeline.rehearsal.world import World

_IDLE_SECONDS = 60
_PIECES = 20


class Server(ThreadingHTTPServer):
    """One listener on the loopback interface."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, world: World, acts: Acts, port: int = 0, context: ssl.SSLContext | None = None
    ) -> None:
        self.world = world
        self.acts = acts
        self.context = context
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        """Its address."""
        scheme, host = ("https", "localhost") if self.context else ("http", "127.0.0.1")
        return f"{scheme}://{host}:{self.server_address[1]}"

    def start(self) -> None:
        """Serve, in a thread."""
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening and close every connection."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for one in tuple(self._open):
            close(one)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection, in its own thread."""
        if self.context is None:
            self._serve(request, client_address)
            return
        with self.context.wrap_socket(request, server_side=True) as secure:
            self._serve(secure, client_address)

    def _serve(self, connection: socket.socket, client_address: Any) -> None:
        self._open.add(connection)
        try:
            _Handler(connection, client_address, self)
        finally:
            self._open.discard(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Say what went wrong, unless the client just went away."""
        if not isinstance(sys.exc_info()[1], ConnectionError | ssl.SSLError | TimeoutError):
            traceback.print_exc()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server
    timeout = _IDLE_SECONDS
    wbufsize = -1
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        request = self._read()
        if request.path.startswith(CONTROL) and not request.path.startswith(DOWNLOADS):
            self._send(self._carry_out(request))
            return
        world = self.server.world
        fault = world.faults.strike(request.method, request.plain_path)
        result = None if fault is not None and fault.instead() else self._carry_out(request)
        sent = result
        if fault is not None and fault.kind == "status":
            sent = fault.answer()
        closed = fault is not None and fault.kind == "close"
        status = None if closed or sent is None else sent.status
        done = result is not None and result.status < HTTPStatus.BAD_REQUEST
        recorded = Recorded(
            request.method, request.plain_path, _body(request), self._login(request), status, done
        )
        world.recorder.add(recorded)
        if closed or sent is None:
            self.close_connection = True
            close(self.connection)
        else:
            self._send(sent, fault)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def _carry_out(self, request: Request) -> Answer:
        world = self.server.world
        try:
            if request.path.startswith(DOWNLOADS):
                return answer_download(world, request)
            if request.path.startswith(CONTROL):
                return answer_control(world, self.server.acts, request)
            return answer_git(world, request) if is_git(request.path) else answer(world, request)
        except Exception:  # noqa: BLE001 - a bug of the stand-in is shown and answered
            traceback.print_exc()
            return Refusal(500, "Server Error").answer()

    def _login(self, request: Request) -> str | None:
        try:
            token = token_of(self.server.world, request)
        except Refusal:
            return None
        return token.login if token else None

    def _read(self) -> Request:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunks()
        else:
            body = self.rfile.read(int(headers.get("content-length", 0)))
        scheme = "https" if self.server.context else "http"
        host = headers.get("host", urlsplit(self.server.url).netloc)
        return Request(self.command, parts.path, parts.query, headers, body, f"{scheme}://{host}")

    def _chunks(self) -> bytes:
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def _send(self, sent: Answer, fault: Fault | None = None) -> None:
        content = sent.content()
        kind = fault.kind if fault else None
        part = content[: len(content) // 2] if kind in ("cut", "truncate") else content
        self.send_response(sent.status)
        headers = {"Content-Type": "application/json; charset=utf-8", **sent.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        if sent.status != HTTPStatus.NO_CONTENT:
            length = part if kind == "truncate" else content
            self.send_header("Content-Length", str(len(length)))
        self.end_headers()
        if self.command != "HEAD":
            self._write(part, fault.seconds if fault and fault.kind == "slow" else 0.0)
        if kind == "cut":
            self.close_connection = True
            close(self.connection)

    def _write(self, content: bytes, seconds: float) -> None:
        step = max(1, -(-len(content) // _PIECES)) if seconds else max(1, len(content))
        for start in range(0, len(content), step):
            self.wfile.write(content[start : start + step])
            self.wfile.flush()
            if seconds and self.server.stopping.wait(seconds / _PIECES):
                return

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - theirs
        """Say nothing: the recorder knows."""


def close(connection: socket.socket) -> None:
    """Close a connection at once; it may be closed already."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _body(request: Request) -> Any:
    if is_git(request.path):
        return None
    try:
        return request.json()
    except Refusal:
        return None
