"""Of a model card: what the model is, what it was made with, and what it answers."""

from collections.abc import Iterator

from mergeline.core.evidence import TrainContent
from mergeline.core.plan import Plan
from mergeline.report.card_words import said
from mergeline.report.markdown import code, listing, table, text
from mergeline.report.numbers import joined, plural, size

_SETTING, _CLASSES, _LIBRARIES, _SETTINGS, _OWNERS = 120, 20, 20, 60, 20
_HEADER = ("Detail", "This model")
_KIND = {
    "binary": "classification, two classes",
    "multiclass": "classification, several classes",
    "regression": "regression",
}


def details(plan: Plan) -> str:
    """Return who answers for the model, its kind, and how it was trained."""
    train = plan.evidence.train
    if train is None:
        return f"{table(_HEADER, _owned(plan), ())}\n\nThere is no evidence of the stage train."
    made = train.content
    rows = [
        *_owned(plan),
        ("Kind", _KIND[made.task]),
        ("Model", f"{code(made.estimator, _SETTING)}{_trained(made)}; {size(made.model_bytes)}"),
    ]
    libraries = [
        f"{code(name)} {text(version, 40)}"
        for name, version in list(made.libraries.items())[:_LIBRARIES]
    ]
    rows += [("Made with", ", ".join(libraries))] if libraries else []
    return f"{table(_HEADER, rows, ())}\n\n{_settings(made)}"


def _owned(plan: Plan) -> list[tuple[str, str]]:
    owners = [text(owner, 200) for owner in plan.card.owners[:_OWNERS]]
    return [
        ("Owners", joined(owners) if owners else said("", "owners")),
        ("License", said(plan.card.license, "license")),
        ("Version", f"model {code(plan.candidate.model[:12])}, registered as {code(plan.project)}"),
    ]


def _trained(made: TrainContent) -> str:
    if made.file:
        return f" ({code(made.file, _SETTING)}), trained by a stage of the project's own"
    return f", trained on {plural(made.rows, 'row')}"


def _settings(made: TrainContent) -> str:
    rows = [("fairness constraint", code(made.mitigation, _SETTING))] if made.mitigation else []
    rows += [(code(name), code(str(value), _SETTING)) for name, value in made.params.items()]
    rows += [] if made.class_weight is None else [("class weight", code(str(made.class_weight)))]
    rows += [("seed", str(made.seed))]
    return table(("Setting", "Value"), rows[: _SETTINGS + 1], numeric=())


def purpose(plan: Plan) -> str:
    """Return what a prediction says: as the evidence knows it, without anybody's words."""
    return " ".join(_purpose(plan)) or "There is no evidence of what it was made for."


def _purpose(plan: Plan) -> Iterator[str]:
    prepare, train, evaluate = plan.evidence.prepare, plan.evidence.train, plan.evidence.evaluate
    if prepare is None or train is None or evaluate is None:
        return
    target = code(prepare.content.target)
    match train.content.task:
        case "binary":
            noun, positive = text(plan.noun, 40), code(str(prepare.content.positive))
            yield f"It scores rows from 0 to 1: how likely {target} is {positive} ({noun})."
            if evaluate.content.threshold is not None:
                yield f"A row with {evaluate.content.threshold:g} or more is predicted {noun}."
        case "multiclass":
            classes = train.content.classes
            yield f"It says how likely each of {len(classes):,} classes of {target} is:"
            yield f"{listing(classes, _CLASSES)}. A row is predicted to be of the most likely one."
        case "regression":
            yield f"It predicts {target}, a number, in the units of that column."
