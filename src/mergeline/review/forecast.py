"""What a merge would come to now: the steps of a promotion that need no merge, in their order."""

from collections.abc import Mapping
from dataclasses import dataclass

from mergeline.adapters.git import Git
from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Pull
from mergeline.approval.ask import ask_approvals
from mergeline.approval.facts import approvals_needed, commented
from mergeline.approval.judge import NOT_YET
from mergeline.bundle.rejudge import is_older
from mergeline.config.settings import Settings
from mergeline.core.answers import Answer, Name, answer
from mergeline.core.plan import Forecast, Plan
from mergeline.core.verdict import OPEN
from mergeline.errors import UnsafeModel
from mergeline.inputs.settings import readable_settings_at, require_settings_at
from mergeline.ledger.entries import Declared, Promoted
from mergeline.ledger.history import History
from mergeline.ledger.reinstated import is_reinstated
from mergeline.model.safety import require_safe
from mergeline.review.banners import MAIN_MOVED

PROMOTE = "PROMOTE"


@dataclass(frozen=True)
class Asked:
    """What a merge is foreseen from.

    Attributes:
        pull: The pull request.
        plan: Judged again, with the banners that Git gives.
        model: The files of the model directory, by name.
        base: The tip of main; None where there is none.
    """

    git: Git
    history: History
    pull: Pull
    plan: Plan
    model: Mapping[str, bytes]
    base: str | None


def forecast(github: GitHub, asked: Asked) -> Forecast:
    """Return what a merge would come to now.

    Raises:
        GitHubError: GitHub cannot be asked: nothing is foreseen then.
    """
    git, history, plan = asked.git, asked.history, asked.plan
    settings = require_settings_at(git, plan.candidate.commit)
    environment = settings.deploy.environment
    position = history.position(environment)
    commits = {position or asked.base, asked.base, plan.candidate.commit}
    needed = approvals_needed(git, commits, settings)
    live = _live(history, environment)
    seen = Forecast(
        answer=plan.judgement.answer,
        environment=environment,
        needed=needed,
        live=live.release.version if live else None,
        live_is_older=live is not None and is_older(git, live.release.commit, asked.base),
        rollback_to=_rollback(history, environment, plan.candidate.model),
        waiting=_waiting(git, position, asked.base),
    )
    if seen.answer not in OPEN:
        return seen
    found = ask_approvals(github, asked.pull, needed, _commented(history, asked))
    seen = seen.model_copy(update={"needed": found.needed})
    if found.refusal is not None:
        return _refused(seen, found.refusal)
    seen = seen.model_copy(update={"approvers": found.approvers})
    refusal = _refusal(asked, settings, environment)
    if refusal is not None:
        return _refused(seen, refusal)
    if seen.answer != PROMOTE:
        return seen
    return seen.model_copy(update={"version": _version(history, plan)})


def _refused(seen: Forecast, refusal: Answer) -> Forecast:
    return seen.model_copy(update={"answer": str(refusal.name), "reason": refusal.reason})


def _commented(history: History, asked: Asked) -> str:
    """Return since when this head's comment says this; not yet where it says something else."""
    judged, candidate = asked.plan.judgement, asked.plan.candidate
    result = (candidate.key, candidate.evidence, judged.outcome.name, judged.answer)
    reviews = history.reviewed(asked.pull.number, asked.pull.head_sha)
    return commented(reviews, result) or NOT_YET


def _refusal(asked: Asked, settings: Settings, environment: str) -> Answer | None:
    """Return what would be refused of a merge that is approved, or that it changes nothing."""
    plan, history = asked.plan, asked.history
    if any(banner.kind == MAIN_MOVED for banner in plan.judgement.banners):
        return answer(Name.MOVED, "Main has changed what a model is made from since then.")
    if plan.judgement.answer != PROMOTE:
        return None
    base = readable_settings_at(asked.git, asked.base) or settings
    try:
        require_safe(asked.model, base.model.trusted_types)
    except UnsafeModel as error:
        return answer(Name.UNSAFE_MODEL, f"{error.message}.")
    if _is_barred(asked, environment):
        model = plan.candidate.model[:12]
        reason = f"The model {model} was rolled back in {environment}, and is not reinstated."
        return answer(Name.BARRED, reason)
    already = history.live_already(environment, plan.candidate.key)
    return answer(Name.ALREADY_LIVE, already) if already else None


def _is_barred(asked: Asked, environment: str) -> bool:
    """Return whether the model was rolled back, and neither main nor the head lets it back."""
    model = asked.plan.candidate.model
    bar = asked.history.bars(environment).get(model)
    if bar is None:
        return False
    sides = (asked.plan.candidate.commit, asked.base)
    return not any(side and is_reinstated(asked.git, model, bar.main, side) for side in sides)


# --- what the ledger says ----------------------------------------------------------------


def _version(history: History, plan: Plan) -> str:
    """Return the version of the same key, which is used again, or the next number."""
    ours = [e.release for e in history.entries if isinstance(e, Promoted)]
    ours = [release for release in ours if release.project == plan.project]
    same = [release.version for release in ours if release.key == plan.candidate.key]
    numbers = (int(each.version) for each in ours if each.version.isdecimal())
    return same[0] if same else str(max(numbers, default=0) + 1)


def _live(history: History, environment: str) -> Declared | None:
    live = history.live(environment)
    declared = history.declared(environment) if live else ()
    return next((entry for entry in declared if live and entry.number == live.of), None)


def _rollback(history: History, environment: str, model: str) -> str | None:
    """Return the version that a rollback would return to if this model were live."""
    target = history.last_live(environment, history.barred(environment) | {model})
    return target.release.version if target else None


def _waiting(git: Git, position: str | None, base: str | None) -> int:
    """Return how many commits of main the line has not come to; 0 where nobody can tell."""
    own_line = git.first_parents(None, base) if base else ()
    if position not in own_line:
        return 0
    return len(own_line) - 1 - own_line.index(position)
