"""Starting and stopping the stand-in, and what it saw."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mergeline.rehearsal.api import PREFIX
from mergeline.rehearsal.automation import Automation
from mergeline.rehearsal.faults import Fault, Kind
from mergeline.rehearsal.recorder import Request
from mergeline.rehearsal.server import Server
from mergeline.rehearsal.world import World, now


@dataclass
class Rehearsal(Automation):
    """A running stand-in and its one main repository.

    Attributes:
        world: All that it knows; hold `world.lock` to change it.
        repo: The main repository's records.
        ca_file: The certificate that clients must trust for `tls_url`; None without TLS.
    """

    ca_file: Path | None = None
    _servers: list[Server] = field(default_factory=list)

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        repository: str = "acme/credit",
        private: bool = False,
        tls: bool = False,
        port: int = 0,
        tls_port: int = 0,
        clock: Callable[[], datetime] = now,
    ) -> Self:
        """Start it on loopback ports.

        Args:
            folder: For the bare repositories (`OWNER/NAME.git`; one that is there is used)
                and the certificate.
            repository: `OWNER/NAME` of the main repository.
            private: Whether strangers do not see it.
            tls: Whether to listen with TLS too.
            port: Of HTTP; 0 takes a free one.
            tls_port: Of TLS; 0 takes a free one.
            clock: Gives the time, with its zone.
        """
        world = World(folder, clock)
        repo = world.add_repo(repository)
        repo.private = private
        rehearsal = cls(world, repo)
        rehearsal._servers.append(Server(world, rehearsal.acts(), port))
        if tls:
            from mergeline.rehearsal.certificate import make_certificate

            rehearsal.ca_file, context = make_certificate(folder / "tls")
            rehearsal._servers.append(Server(world, rehearsal.acts(), tls_port, context))
        for server in rehearsal._servers:
            server.start()
        return rehearsal

    def stop(self) -> None:
        """Stop listening and close all connections; the repositories stay on disk."""
        while self._servers:
            self._servers.pop().stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Address of the server: `http://127.0.0.1:PORT` (`GITHUB_SERVER_URL`)."""
        return self._servers[0].url

    @property
    def api_url(self) -> str:
        """Address of the API (`GITHUB_API_URL`)."""
        return self.url + PREFIX

    @property
    def tls_url(self) -> str | None:
        """Address with TLS: `https://localhost:PORT`; None without."""
        return self._servers[1].url if len(self._servers) > 1 else None

    @property
    def remote(self) -> str:
        """The bare repository's folder: a remote for Git."""
        return str(self.repo.git.path)

    @property
    def clone_url(self) -> str:
        """The repository over HTTP: a remote for Git that asks for a token."""
        return f"{self.url}/{self.name}.git"

    def fault(self, method: str, path: str, kind: Kind = "status", **how: Any) -> None:
        """Set a fault; see `mergeline.rehearsal.faults.Fault` for `how`."""
        self.world.faults.add(Fault(method, path, kind, **how))

    @property
    def requests(self) -> list[Request]:
        """All calls so far."""
        return list(self.world.recorder.requests)

    @property
    def writes(self) -> list[Request]:
        """The calls so far that write."""
        return self.world.recorder.writes()
