"""What administrators set, beyond rulesets and environments. None of it is enforced."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Names:
    """Names of secrets and of variables; nobody asks for their values here."""

    secrets: list[str] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)


@dataclass
class Setup:
    """What administrators set, with GitHub's defaults.

    Attributes:
        has_rules: Whether the owner's plan has rules of branches for this repository.
        protections: Classic protection by branch, as GitHub writes it.
        owner_errors: What is wrong with the code owners' file.
        workflows: State by path of the file.
    """

    archived: bool = False
    has_rules: bool = True
    enabled: bool = True
    allowed_actions: str = "all"
    default_permissions: str = "read"
    may_approve: bool = False
    retention_days: int = 90
    fork_policy: str = "first_time_contributors"
    private_forks: dict[str, bool] = field(default_factory=dict)
    protections: dict[str, dict[str, Any]] = field(default_factory=dict)
    owner_errors: list[str] = field(default_factory=list)
    workflows: dict[str, str] = field(default_factory=dict)
    names: Names = field(default_factory=Names)
