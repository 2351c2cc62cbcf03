"""What a change moves under a gate without touching the policy."""

from collections.abc import Iterator
from typing import Any

from mergeline.config.problem import shown
from mergeline.config.settings import Settings
from mergeline.core.verdict import Banner

# The keys that decide on which rows, by which groups and how a gate's number is measured.
_KEYS = (
    *("data.source", "data.format", "data.encoding", "data.separator", "data.decimal"),
    *("data.thousands", "data.missing"),
    *("data.task", "data.target", "data.positive", "data.id", "data.group", "data.time"),
    *("data.sensitive", "data.contract", "split.test", "split.after"),
    *("evaluate.metrics", "evaluate.threshold", "evaluate.slices", "evaluate.bootstrap"),
    *("fairness.min_group", "fairness.bins", "explain.rows", "checks.sample"),
)
# Lists whose order means nothing.
_SETS = ("data.sensitive", "data.missing", "evaluate.slices")


def moved_banners(
    base: Settings, head: Settings, *, contract_changed: bool = False
) -> tuple[Banner, ...]:
    """Name the settings that move what gates measure, where base and head differ in them.

    Args:
        base: Settings of the base.
        head: Settings of the head.
        contract_changed: Whether the file that `data.contract` names has other bytes.
    """
    moved = list(_differences(base, head))
    if contract_changed and base.data.contract == head.data.contract:
        moved.append(f"the contract in {shown(head.data.contract)}")
    if not moved:
        return ()
    text = (
        "This pull request moves what the gates measure without touching a gate: "
        f"{'; '.join(moved)}. A gate may pass or fail because of that, and not because of "
        "the model."
    )
    return (Banner(kind="gates-moved", text=text),)


def _differences(base: Settings, head: Settings) -> Iterator[str]:
    for key in _KEYS:
        old, new = _value(base, key), _value(head, key)
        if old != new:
            yield f"{key} from {shown(old)} to {shown(new)}"


def _value(settings: Settings, key: str) -> Any:
    """Return a setting as JSON, in a form in which equal meanings are equal."""
    if key == "evaluate.metrics":
        return sorted(settings.metric_names)
    if key == "split.test":
        return settings.split.fraction if settings.split.after is None else None
    section, name = key.split(".")
    value = getattr(settings, section).as_json()[name]
    return sorted(value) if key in _SETS else value
