"""What `GET /metrics` says, for Prometheus."""

from collections.abc import Callable, Iterator
from typing import Any, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Enum,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily

from mergeline.serve.standing import Standing, State

# Seconds; a request of one row takes a few milliseconds, one of many rows some more.
_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_SERVER_ERROR = 500
# `none`: this server follows nothing. `unreachable`: Git or the registry does not answer.
FOLLOWER_STATES = ("none", "idle", "fetching", "starting", "watching", "unreachable")


class Metrics:
    """Counters of one server, in a registry of their own.

    Attributes:
        fallbacks: Requests that the release before the live one answered.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ours: Any = {"namespace": "mergeline", "registry": self.registry}
        self.requests = Counter(
            "requests", "Answers, by route and status.", ["route", "status"], **ours
        )
        self.errors = Counter(
            "errors", "Answers that the server is to blame for (5xx).", ["route"], **ours
        )
        self.seconds = Histogram(
            "request_seconds",
            "Time from the request's headers to its answer.",
            ["route"],
            buckets=_BUCKETS,
            **ours,
        )
        self.in_flight = Gauge("requests_in_flight", "Scoring requests being answered.", **ours)
        self.fallbacks = Counter(
            "fallback_answers", "Requests that the release before the live one answered.", **ours
        )
        self._release = Gauge(
            "release_info", "1 for the release that answers.", ["version", "model"], **ours
        )
        self._standing = Enum(
            "release_state",
            "How the release that answers stands to the one that is declared.",
            states=list(get_args(State)),
            **ours,
        )
        self._follower = Enum(
            "follower_state", "What the follower does.", states=list(FOLLOWER_STATES), **ours
        )
        self._restarts: Callable[[], int] = int
        self.registry.register(self)
        self.follower("none")

    def collect(self) -> "Iterator[Any]":
        """Give Prometheus what the pools count themselves."""
        yield CounterMetricFamily(
            "mergeline_worker_restarts",
            "Model processes that were started in place of one that died.",
            value=self._restarts(),
        )

    def count(self, route: str, status: int, seconds: float) -> None:
        """Count an answer.

        Args:
            route: A path of ours, or `other`: a client must not make up labels.
            status: As in HTTP.
            seconds: From the request's headers to the answer's.
        """
        self.requests.labels(route, status).inc()
        self.seconds.labels(route).observe(seconds)
        if status >= _SERVER_ERROR:
            self.errors.labels(route).inc()

    def count_restarts(self, restarts: Callable[[], int]) -> None:
        """Take the number of restarted model processes from a function."""
        self._restarts = restarts

    def show(self, standing: Standing) -> None:
        """Say which release answers, and how it stands to the declared one."""
        self._release.clear()
        if standing.actual is not None:
            self._release.labels(standing.actual.version, standing.actual.model).set(1)
        self._standing.state(standing.state)

    def follower(self, state: str) -> None:
        """Say what the follower does: one of `FOLLOWER_STATES`."""
        self._follower.state(state)

    def page(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self.registry)
