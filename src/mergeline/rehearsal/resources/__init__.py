"""The addresses of the API, one file per resource, and how each thing is written."""

from mergeline.rehearsal.calls import Route
from mergeline.rehearsal.resources import (
    actions,
    checks,
    comments,
    deployments,
    gitdata,
    merges,
    people,
    pulls,
    repos,
    reviews,
    rules,
    setup,
    statuses,
)

# The first that matches answers; an address that may hold slashes stands after the longer ones.
ROUTES: tuple[Route, ...] = (
    *people.ROUTES,
    *repos.ROUTES,
    *pulls.ROUTES,
    *merges.ROUTES,
    *reviews.ROUTES,
    *comments.ROUTES,
    *statuses.ROUTES,
    *checks.ROUTES,
    *actions.ROUTES,
    *deployments.ROUTES,
    *rules.ROUTES,
    *setup.ROUTES,
    *gitdata.ROUTES,
)
