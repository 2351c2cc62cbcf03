"""The aliases `champion` and `previous`, made from the ledger.

They speak of one environment, the one that the settings name (`deploy.environment`): people
and tools find the model by them. Nothing of Mergeline's reads them; what is live elsewhere
the ledger says.
"""

from collections.abc import Callable

from mergeline.adapters.registry import Registry
from mergeline.errors import RegistryMismatch, ToolError
from mergeline.ledger.history import History

CHAMPION = "champion"
PREVIOUS = "previous"
_MOST_TURNS = 10


def aliases_of(history: History, environment: str) -> dict[str, str]:
    """Return what the ledger makes of the aliases: versions by alias.

    `champion` is what answers requests, `previous` what a rollback returns to; either is left
    out where there is none.
    """
    live, target = history.live(environment), history.rollback_target(environment)
    champion = {CHAMPION: live.version} if live is not None else {}
    return champion | ({PREVIOUS: target.release.version} if target is not None else {})


def set_aliases(registry: Registry, history: History, environment: str) -> dict[str, str]:
    """Make the registry's aliases those of the ledger; others are left as they are.

    Args:
        registry: Of the project.
        history: The ledger.
        environment: The project's.

    Returns:
        Versions by alias.

    Raises:
        RegistryUnavailable: The registry cannot be asked; doing the same again mends it.
        RegistryMismatch: A version that the ledger declared is not there any more.
    """
    wanted, there = aliases_of(history, environment), registry.aliases()
    for name in (CHAMPION, PREVIOUS):
        number = wanted.get(name)
        if number is None and name in there:
            registry.delete_alias(name)
        elif number is not None and there.get(name) != number:
            _require_version(registry, name, number)
            registry.set_alias(name, number)
    return wanted


def follow_ledger(
    registry: Registry, read: Callable[[], History], environment: str
) -> dict[str, str]:
    """Set the aliases until the ledger says the same after as before.

    Of two promotions at once, the one that sets them last may have read the ledger first.

    Args:
        registry: Of the project.
        read: Reads the ledger anew.
        environment: The project's.

    Raises:
        ToolError: As `set_aliases`; or the ledger changes faster than it can be followed.
    """
    history = read()
    for _ in range(_MOST_TURNS):
        done = set_aliases(registry, history, environment)
        history = read()
        if aliases_of(history, environment) == done:
            return done
    raise ToolError(
        f"the ledger changed {_MOST_TURNS} times while the aliases of {environment} were set",
        hint="they are set again by the next promotion or rollback",
    )


def _require_version(registry: Registry, alias: str, number: str) -> None:
    if registry.version(number) is None:
        raise RegistryMismatch(
            f"the ledger makes version {number} the {alias} of {registry.project}, and the "
            "registry has no such version",
            hint="somebody deleted it: restore the registry's database, or promote again",
        )
