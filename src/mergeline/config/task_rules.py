"""Which settings do not fit what is to be predicted, or the model."""

from collections.abc import Iterator, Mapping, Sequence

from mergeline.config.problem import Problem, Steps, did_you_mean, printable, shown
from mergeline.config.settings import Settings
from mergeline.core.labels import label_text
from mergeline.core.task import METRICS, RATES, Task

# By what fairlearn's reductions can constrain training.
_CONSTRAINTS: Mapping[Task, Sequence[str]] = {
    "binary": ("demographic_parity", "equalized_odds", "true_positive_rate_parity"),
    "multiclass": (),
    "regression": ("bounded_group_loss",),
}


def task_problems(settings: Settings) -> Iterator[Problem]:
    """Name what does not fit `data.task`."""
    task, evaluate = settings.data.task, settings.evaluate
    metrics, rates = METRICS[task], RATES[task]
    if evaluate.primary is not None and evaluate.primary not in metrics:
        yield Problem(("evaluate", "primary"), unfit(evaluate.primary, metrics, task))
    for place, name in enumerate(evaluate.metrics or ()):
        if name not in metrics:
            yield Problem(("evaluate", "metrics", place), unfit(name, metrics, task))
    for place, rate in enumerate(settings.fairness.metrics or ()):
        if rate not in rates:
            yield Problem(("fairness", "metrics", place), unfit(rate, rates, task))
    if task == "binary":
        return
    if "threshold" in evaluate.model_fields_set:
        text = f"a threshold is for two classes, and data.task is {task}: leave it out"
        yield Problem(("evaluate", "threshold"), text)
    if evaluate.costs is not None:
        text = (
            f"costs are of being decided right or wrong by a threshold, and data.task is {task}: "
            "leave them out"
        )
        yield Problem(("evaluate", "costs"), text)
    if "noun" in settings.data.model_fields_set:
        text = f"it is what a positive row is called, and data.task is {task}: leave it out"
        yield Problem(("data", "noun"), text)


def cost_problems(settings: Settings) -> Iterator[Problem]:
    """Name costs by which no threshold is cheaper than another."""
    costs = settings.evaluate.costs
    if costs is not None and not any(costs.model_dump(exclude={"unit"}).values()):
        text = (
            "every cost is 0: give what a wrong decision costs, e.g. false_positive: 1 and "
            "false_negative: 5, or leave costs out"
        )
        yield Problem(("evaluate", "costs"), text)


def unfit(name: str, known: Sequence[str], task: Task) -> str:
    """Say that a name is of another task, and which one of this task is meant."""
    text = f"found {shown(name)}, which is not for data.task {task}"
    meant = _meant(name, known)
    return f"{text}; did you mean {meant}?" if meant else f"{text}; expected {one_of(known)}"


def _meant(name: str, known: Sequence[str]) -> str | None:
    """Return what a name stands for: `f1` means `f1_macro` where there are several classes."""
    longer = [item for item in known if item.startswith(f"{name}_")]
    return longer[0] if longer else did_you_mean(name, known, cutoff=0.75)


def one_of(known: Sequence[str]) -> str:
    """Return what is expected, as a list in words."""
    return f"one of {', '.join(known)}"


def class_weight_problems(settings: Settings) -> Iterator[Problem]:
    """Name weights that are not those of the classes."""
    weights = settings.model.class_weight
    path: Steps = ("model", "class_weight")
    if weights is not None and settings.data.task == "regression":
        yield Problem(path, "it weighs classes, and data.task is regression: leave it out")
    if not isinstance(weights, dict):
        return
    for name, weight in weights.items():
        if weight <= 0:
            yield Problem((*path, name), f"found {weight:g}, expected a number above 0")
        if name != label_text(name):
            text = f"found {shown(name)}, write {label_text(name)}, as this class is called"
            yield Problem((*path, name), text)
    if settings.data.task != "binary":
        return
    positive = label_text(settings.data.positive)
    if len(weights) != 2 or positive not in map(label_text, weights):  # noqa: PLR2004 -- two classes
        found = ", ".join(weights) or "no class"
        yield Problem(
            path,
            f"found weights for {printable(found)}, expected one for each of the two classes; "
            f"the positive one is {shown(positive)}",
        )


def mitigation_problems(settings: Settings) -> Iterator[Problem]:
    """Name a constraint that the task, the model or the sensitive columns do not allow."""
    mitigation, task = settings.fairness.mitigation, settings.data.task
    if mitigation is None:
        return
    path: Steps = ("fairness", "mitigation")
    known = _CONSTRAINTS[task]
    if not known:
        yield Problem(
            path,
            f"no mitigation is known for data.task {task}: leave it out, or predict one class "
            "against the others with data.task: binary",
        )
    elif mitigation.constraint not in known:
        text = f"found {shown(mitigation.constraint)}, which is not for data.task {task}"
        yield Problem((*path, "constraint"), f"{text}; expected {one_of(known)}")
    if settings.threshold is not None and mitigation.threshold != settings.threshold:
        text = (
            f"found {mitigation.threshold:g}, and evaluate.threshold is {settings.threshold:g}: "
            "the model is trained to close the gap where it is measured"
        )
        yield Problem((*path, "threshold"), f"{text}; write {settings.threshold:g}")
    if mitigation.by not in settings.data.sensitive:
        text = f"{shown(mitigation.by)} is not in data.sensitive"
        meant = did_you_mean(mitigation.by, settings.data.sensitive)
        yield Problem((*path, "by"), f"{text}; did you mean {meant}?" if meant else text)
