"""Which release answers: the live one, and the one before it while the live one is watched."""

import asyncio
from dataclasses import dataclass

from mergeline.errors import WorkerGone
from mergeline.serve.metrics import Metrics
from mergeline.serve.pool import Pool
from mergeline.serve.replies import Reply, problem
from mergeline.serve.standing import Standing

GRACE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply and who gave it.

    Attributes:
        label: Version and start of M; empty when no release answered.
    """

    reply: Reply
    label: str


class Front:
    """What stands between clients and model processes.

    A request is answered by the pools that were there when it came: a switch between two
    requests is seen by none of them, and a pool is closed only after its last request.

    Attributes:
        live: Answers requests; None until there is a release.
        fallback: Answers what the live pool fails to, while that one is watched.
        standing: What `GET /release` shows.
    """

    def __init__(self, standing: Standing, metrics: Metrics, *, live: Pool | None = None) -> None:
        self.live = live
        self.fallback: Pool | None = None
        self.standing = standing
        self.metrics = metrics
        self._closing: set[asyncio.Task[None]] = set()
        self._restarts = 0  # of pools that are no more
        metrics.count_restarts(self.restarts)
        metrics.show(standing)

    @property
    def label(self) -> str:
        """Version and start of M of the live release; empty without one."""
        return self.live.label if self.live is not None else ""

    @property
    def alive(self) -> bool:
        """Whether a release can answer."""
        return any(pool is not None and pool.alive for pool in (self.live, self.fallback))

    async def answer(self, content_type: str, body: bytes) -> Answer:
        """Answer a scoring request.

        While the old release is still there, it answers what the new one fails to.
        """
        live, fallback = self.live, self.fallback
        if live is None:
            return Answer(_nothing_live(), "")
        if fallback is None:
            with live.in_use():
                return Answer(await _again(live, content_type, body), live.label)
        with live.in_use(), fallback.in_use():
            reply = await _once(live, content_type, body)
            if not reply.failed:
                return Answer(reply, live.label)
            instead = await _once(fallback, content_type, body)
            if instead.failed:
                return Answer(reply, live.label)
            self.metrics.fallbacks.inc()
            return Answer(instead, fallback.label)

    def replace(self, pool: Pool, standing: Standing) -> None:
        """Make a new pool the live one; the old one answers what it fails to.

        Args:
            pool: Started, with the smoke test passed.
            standing: What `GET /release` shows from now on.
        """
        if self.fallback is not None:
            self._retire(self.fallback)
        self.live, self.fallback = pool, self.live
        self.show(standing)

    def restore(self, standing: Standing) -> None:
        """Make the old pool the live one again, and end the new one."""
        failed, self.live, self.fallback = self.live, self.fallback, None
        if failed is not None:
            self._retire(failed)
        self.show(standing)

    def settle(self, standing: Standing) -> None:
        """End the old pool: the live one has proved itself."""
        if self.fallback is not None:
            self._retire(self.fallback)
        self.fallback = None
        self.show(standing)

    def show(self, standing: Standing) -> None:
        """Change what `GET /release` shows, and nothing else."""
        self.standing = standing
        self.metrics.show(standing)

    def restarts(self) -> int:
        """Return how many model processes were started in place of one that died."""
        pools = [pool for pool in (self.live, self.fallback) if pool is not None]
        return self._restarts + sum(pool.restarts for pool in pools)

    async def close(self, grace: float = GRACE_SECONDS) -> None:
        """End all processes, after the requests that use them."""
        for pool in (self.live, self.fallback):
            if pool is not None:
                self._retire(pool, grace)
        self.live = self.fallback = None
        await asyncio.gather(*self._closing)

    def _retire(self, pool: Pool, grace: float = GRACE_SECONDS) -> None:
        self._restarts += pool.restarts
        task = asyncio.ensure_future(pool.close(grace))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _again(pool: Pool, content_type: str, body: bytes) -> Reply:
    """Score; once more where the process died, which is not the fault of every request."""
    try:
        return await pool.score(content_type, body)
    except WorkerGone:
        return await _once(pool, content_type, body)


async def _once(pool: Pool, content_type: str, body: bytes) -> Reply:
    try:
        return await pool.score(content_type, body)
    except WorkerGone as error:
        return problem(503, error.message, error.hint, retry_after="1")


def _nothing_live() -> Reply:
    return problem(
        503, "no release is live yet", "wait until GET /release shows one", retry_after="5"
    )
