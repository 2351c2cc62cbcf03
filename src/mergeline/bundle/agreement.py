"""Whether evidence is of the commit that it is said to be of: what Git can prove or refute.

Evidence states the settings that it was made with and the digest of the data. Where a commit
holds the same and says something else, the evidence is stale or forged.
"""

from collections.abc import Iterator, Set
from typing import Any

from mergeline.adapters.git import Git
from mergeline.bundle.counted import of_several, of_two
from mergeline.bundle.gaps import of_gaps
from mergeline.bundle.judged import committed
from mergeline.bundle.thresholds import Statement, of_group_thresholds, of_thresholds
from mergeline.config.settings import Data, Settings
from mergeline.core.digest import sha256
from mergeline.core.evidence import (
    EvaluateContent,
    EvidenceSet,
    FairnessContent,
    PrepareContent,
    TrainContent,
)
from mergeline.core.labels import label_text
from mergeline.core.strict_json import shortened
from mergeline.errors import InvalidBundle
from mergeline.model.reading import table_format
from mergeline.stats.groups import column_sets, name_of

_LFS = b"version https://git-lfs.github.com/spec/"
_LFS_OID = b"\noid sha256:"


def require_agreement(git: Git, commit: str, settings: Settings, evidence: EvidenceSet) -> None:
    """Refuse evidence that contradicts its commit.

    Args:
        git: Holds the commit.
        commit: The commit that the evidence is said to be of.
        settings: Of the commit.
        evidence: Of all stages that there are.

    Raises:
        InvalidBundle: Evidence states a setting, a file's digest or a count that cannot be.
    """
    for what, stated, expected in _statements(settings, evidence):
        if stated != expected:
            raise _stale(commit, what, stated, expected)
    if evidence.prepare is not None:
        require_data(git, commit, evidence.prepare.content)


def require_data(git: Git, commit: str, prepare: PrepareContent) -> None:
    """Refuse evidence of other data than is committed; data that is not in Git proves nothing.

    Raises:
        InvalidBundle: The data or its contract has another digest in the commit.
    """
    for what, path, stated in (
        ("prepare.sha256", prepare.source, prepare.sha256),
        ("prepare.contract_sha256", prepare.contract, prepare.contract_sha256),
    ):
        committed = _committed_sha256(git, commit, path) if path else None
        if committed is not None and stated != committed:
            raise _stale(commit, f"{what} of {shortened(path)}", stated, committed)


def _committed_sha256(git: Git, commit: str, path: str) -> str | None:
    """Return the SHA-256 of a committed file; None where Git does not hold its bytes."""
    data = committed(git, commit, path)
    if data is None:
        return None
    if data.startswith(_LFS):  # the pointer names what a checkout puts in its place
        return data.partition(_LFS_OID)[2][:64].decode(errors="replace")
    return sha256(data)


# --- what the settings decide ---------------------------------------------------------


def _statements(settings: Settings, evidence: EvidenceSet) -> Iterator[Statement]:
    prepare, train = evidence.prepare, evidence.train
    evaluate, fairness = evidence.evaluate, evidence.fairness
    if prepare is not None:
        yield from _of_prepare(settings, prepare.content)
    if train is not None:
        yield from _of_train(settings, train.content)
    if prepare is not None and train is not None:
        rows = prepare.content.split.train_rows
        yield Statement("train.rows", train.content.rows, rows)
        unknown = {*train.content.classes} - {*prepare.content.balance}
        yield Statement("train.classes that no row is of", unknown, set())
    if evaluate is not None:
        yield from _of_evaluate(settings, evaluate.content)
        yield from _of_counts(evaluate.content)
        yield from of_thresholds(settings, evaluate.content)
    if train is not None and evaluate is not None:
        yield from _of_classes(train.content, evaluate.content)
    if prepare is not None and evaluate is not None:
        rows = prepare.content.split.test_rows
        yield Statement("evaluate.n", evaluate.content.n, rows)
    if fairness is not None:
        yield from _of_fairness(settings, fairness.content)
        yield from of_group_thresholds(fairness.content)
    if evaluate is not None and fairness is not None:
        yield Statement("fairness.n", fairness.content.n, evaluate.content.n)
    if evidence.explain is not None:
        yield Statement("explain.task", evidence.explain.content.task, settings.data.task)
        rows = 0 if not settings.report.rows else len(evidence.explain.content.largest_errors)
        told = len(evidence.explain.content.largest_errors)
        yield Statement("explain.largest_errors without report.rows", told, rows)


def _of_prepare(settings: Settings, stated: PrepareContent) -> Iterator[Statement]:
    data, split = settings.data, stated.split
    yield Statement("prepare.source", stated.source, data.source)
    yield Statement("prepare.format", stated.format, table_format(data))
    if stated.writing is not None:
        is_table = stated.format in ("csv", "tsv")
        decimal, thousands = (data.decimal, data.thousands) if is_table else (None, None)
        yield Statement("prepare.writing.decimal", stated.writing.decimal, decimal)
        yield Statement("prepare.writing.thousands", stated.writing.thousands, thousands)
    yield Statement("prepare.target", stated.target, data.target)
    yield Statement("prepare.task", stated.task, data.task)
    yield Statement("prepare.positive", stated.positive, _positive(data))
    yield Statement("prepare.noun", stated.noun, data.noun)
    rows = 0 if data.task == "regression" else stated.rows
    yield Statement("prepare.balance of rows", sum(stated.balance.values()), rows)
    yield Statement("prepare.contract", stated.contract, data.contract)
    yield Statement("prepare.contract_sha256", bool(stated.contract_sha256), bool(data.contract))
    yield Statement("prepare.split.key", split.key, data.group or data.id)
    yield Statement("prepare.split.by", split.by, data.time or data.group or data.id)
    asked = None if settings.split.after else settings.split.fraction
    yield Statement("prepare.split.test", split.test, asked)
    if settings.split.after is not None:
        cut = f"{settings.split.after.isoformat()}T00:00:00"
        yield Statement("prepare.split.after", split.after, cut)


def _of_train(settings: Settings, stated: TrainContent) -> Iterator[Statement]:
    data, model = settings.data, settings.model
    given = model.as_json()
    yield Statement("train.task", stated.task, data.task)
    yield Statement("train.estimator", stated.estimator, model.origin)
    yield Statement("train.file", bool(stated.file), model.onnx is not None)
    yield Statement("train.params", stated.as_json()["params"], given["params"])
    yield Statement("train.class_weight", stated.as_json()["class_weight"], given["class_weight"])
    yield Statement("train.seed", stated.seed, model.seed)
    yield Statement("train.positive", stated.positive, _positive(data))
    mitigated = settings.fairness.mitigation is not None
    yield Statement("train.mitigation", bool(stated.mitigation), mitigated)
    kept_away = {data.target, data.id, data.group, data.time, *data.exclude}
    read = {feature.name for feature in stated.features}
    yield Statement("train.features that are no features", sorted(read & kept_away - {None}), [])


def _positive(data: Data) -> str | None:
    return label_text(data.positive) if data.task == "binary" else None


def _of_evaluate(settings: Settings, stated: EvaluateContent) -> Iterator[Statement]:
    given = settings.evaluate
    yield Statement("evaluate.task", stated.task, settings.data.task)
    yield Statement("evaluate.primary", stated.primary, settings.primary)
    yield Statement("evaluate.threshold", stated.threshold, settings.threshold)
    yield Statement("evaluate.bootstrap", stated.bootstrap, given.bootstrap)
    yield Statement("evaluate.seed", stated.seed, settings.model.seed)
    yield Statement("evaluate.metrics", set(stated.metrics), {*settings.metric_names})
    columns = {item.column for item in stated.slices}
    yield Statement("evaluate.slices that nobody asked for", columns - {*given.slices}, set())


def _of_counts(stated: EvaluateContent) -> Iterator[Statement]:
    """Say what is there for which task, and that what is counted are the held-out rows."""
    there = {
        "binary": stated.confusion is not None and stated.positives is not None,
        "multiclass": bool(stated.classes or stated.matrix),
        "regression": stated.residuals is not None,
    }
    for task, found in there.items():
        if task != stated.task:
            yield Statement(f"evaluate of the task {task}", found, False)
    if stated.task == "binary":
        yield Statement("evaluate.confusion", there["binary"], True)
    if (counted := stated.confusion) is not None:
        positives = counted.true_positive + counted.false_negative
        yield Statement("evaluate.positives", stated.positives, positives)
        rows = positives + counted.false_positive + counted.true_negative
        yield Statement("evaluate.n", stated.n, rows)
        yield of_two(stated, counted)
    if stated.residuals is not None:
        most = sum(item.n for item in stated.residuals.bins)
        yield Statement("evaluate.residuals of more than all rows", most > stated.n, False)


def _of_classes(train: TrainContent, stated: EvaluateContent) -> Iterator[Statement]:
    """Hold the matrix of several classes against the classes and their counts."""
    if stated.task != "multiclass":
        return
    names = tuple(item.name for item in stated.classes)
    yield Statement("evaluate.classes", names, train.classes)
    widths = [len(row) for row in stated.matrix]
    yield Statement("evaluate.matrix", widths, [len(names)] * len(names))
    actual = [sum(row) for row in stated.matrix]
    yield Statement("evaluate.classes by n", [item.n for item in stated.classes], actual)
    predicted = [sum(column) for column in zip(*stated.matrix, strict=True)]
    found = [item.predicted for item in stated.classes]
    yield Statement("evaluate.classes by predicted", found, predicted)
    yield Statement("evaluate.n", stated.n, sum(actual))
    yield from of_several(stated)


def _of_fairness(settings: Settings, stated: FairnessContent) -> Iterator[Statement]:
    given = settings.fairness
    yield Statement("fairness.task", stated.task, settings.data.task)
    yield Statement("fairness.threshold", stated.threshold, settings.threshold)
    yield Statement("fairness.min_group", stated.min_group, given.min_group)
    yield Statement("fairness.bootstrap", stated.bootstrap, settings.evaluate.bootstrap)
    yield Statement("fairness.seed", stated.seed, settings.model.seed)
    missing = {*settings.rate_names} - {*stated.metrics}
    yield Statement("fairness.metrics that are missing", missing, set())
    by = tuple(name_of(columns) for columns in column_sets(settings.data.sensitive))
    yield Statement("fairness.by", tuple(item.by for item in stated.by), by)
    yield from of_gaps(stated)


def _stale(commit: str, what: str, stated: Any, expected: Any) -> InvalidBundle:
    return InvalidBundle(
        f"the evidence is not of the commit {commit[:12]}: it states {what} as "
        f"{_shown(stated)}, by the commit it is {_shown(expected)}",
        hint="run the build again on this commit; data in Git must be checked out as it was "
        "committed (`-text` in .gitattributes)",
    )


def _shown(value: Any) -> str:
    if isinstance(value, Set | tuple | list):
        return f"[{', '.join(sorted(map(shortened, value))[:5])}]"
    return repr(value)[:200] if isinstance(value, dict) else shortened(value)
