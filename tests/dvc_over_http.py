"""A DVC remote over HTTP on loopback: basic auth, users who read and one who writes."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

READER, WRITER = "reader", "writer"
PASSWORD = "open-sesame"  # noqa: S105


@dataclass(frozen=True)
class Storage:
    """A folder that is served at `url`."""

    url: str
    folder: Path

    def settings(self, user: str = READER, password: str = PASSWORD) -> str:
        """Return the text of a `.dvc/config.local` for one user."""
        auth = f"    auth = basic\n    user = {user}\n    password = {password}\n"
        method = "    method = PUT\n" if user == WRITER else ""
        return f"['remote \"store\"']\n{auth}{method}"


class Handler(BaseHTTPRequestHandler):
    """Answers of one folder."""

    protocol_version = "HTTP/1.1"
    folder: Path

    def log_message(self, *_: object) -> None:
        pass

    @property
    def file(self) -> Path:
        return self.folder / self.path.lstrip("/")

    def may(self, *users: str) -> bool:
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        return base64.b64decode(given).decode() in [f"{user}:{PASSWORD}" for user in users]

    def answer(self, code: int, data: bytes = b"", *, body: bool = True) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def do_GET(self, *, body: bool = True) -> None:
        if not self.may(READER, WRITER):
            self.answer(401, body=body)
        elif self.file.is_file():
            self.answer(200, self.file.read_bytes(), body=body)
        else:
            self.answer(404, body=body)

    def do_HEAD(self) -> None:
        self.do_GET(body=False)

    def do_PUT(self) -> None:
        data = self._received()
        if not self.may(WRITER):
            self.answer(403)
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(data)
        self.answer(201)

    do_POST = do_PUT  # noqa: N815 -- DVC's default

    def _received(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        data = b""
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data


@contextmanager
def served(folder: Path) -> Iterator[Storage]:
    """Serve a folder for as long as the context lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = type("OfFolder", (Handler,), {"folder": folder})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Storage(f"http://127.0.0.1:{server.server_port}", folder)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
