"""The model process: `python -m mergeline.serve.worker SOCKET FOLDER [LOG]`.

It inherits one end of a socket pair and nothing else: no credentials, no listening socket,
no project code on its path. It ends when the other end does.
"""

import gc
import json
import os
import shutil
import socket
import sys
import traceback
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from mergeline.errors import BadRequest, ContractError, MergelineError, ModelError, first_line
from mergeline.model.decision import DecisionRule
from mergeline.model.safety import require_safe
from mergeline.model.score import Scorer, load_scorer
from mergeline.serve.answers import predictions_json, scores_said
from mergeline.serve.payload import Reader
from mergeline.serve.protocol import SCRATCH, Frame, receive
from mergeline.serve.replies import JSON, Reply, problem
from mergeline.serve.request_log import LogSettings, RequestLog
from mergeline.serve.standing import (
    MODEL_FOLDER,
    PROBES_FILE,
    read_release_file,
    read_threshold,
)
from mergeline.serve.truths import truth_columns

_TOLERANCE = 1e-9
_SINGLE_TOLERANCE = 1e-5
_REBUILD = "build the release again: its model, its probe rows and this server do not agree"


@dataclass(frozen=True)
class Served:
    """A release in memory.

    Attributes:
        rule: What it makes of its model's scores.
        log: Takes what was scored; None for nobody.
    """

    scorer: Scorer
    reader: Reader
    rule: DecisionRule
    log: RequestLog | None = None

    def answer(self, content_type: str, body: bytes) -> Reply:
        """Parse and score the body of a request; every failure is a reply too."""
        try:
            columns = self.reader.read(content_type, body)
            scores = self.scorer.score_columns(columns)
        except BadRequest as error:
            return problem(error.status, error.message, error.hint)
        except ContractError as error:
            return problem(400, error.message, error.hint)
        except ModelError as error:
            return problem(500, error.message, error.hint)
        except Exception as error:  # noqa: BLE001 -- the next request may be a good one
            traceback.print_exc(limit=-10)
            return problem(
                500,
                f"the model process failed: {type(error).__name__}",
                "the server's log says more",
            )
        if self.log is not None:
            self.log.add(columns, scores)
        return Reply(200, JSON, predictions_json(self.rule, scores))


def main(descriptor: int, folder: Path, log: LogSettings | None) -> None:
    """Load a release, prove it, say so, and answer until the other end is closed.

    Args:
        descriptor: Of the socket.
        folder: The release folder.
        log: Where to write the requests; None for nowhere.
    """
    warnings.simplefilter("ignore")  # the model's own, at every request
    with socket.socket(fileno=descriptor) as connection:
        try:
            served = load(folder)
            smoke_test(served, folder / PROBES_FILE)
        except Exception as error:  # noqa: BLE001 -- a model may raise whatever it likes
            _send(connection, _cannot_load(error))
            return
        version = read_release_file(folder).release.version
        kept_by = RequestLog(log, version, served.rule) if log is not None else nullcontext()
        with kept_by as kept:
            _serve(connection, replace(served, log=kept))


def _serve(connection: socket.socket, served: Served) -> None:
    # What the model is made of is never garbage, and looking through it takes time.
    gc.collect()
    gc.freeze()
    _send(connection, Reply(200, JSON, b"{}"))
    while (frame := receive(connection)) is not None:
        _send(connection, served.answer(frame.text, frame.data))


def _send(connection: socket.socket, reply: Reply) -> None:
    for piece in Frame(reply.status, reply.content_type, reply.body).pieces():
        connection.sendall(piece)


def _cannot_load(error: Exception) -> Reply:
    if isinstance(error, MergelineError):
        return problem(500, error.message, error.hint)
    traceback.print_exception(error, limit=-10)
    return problem(
        500,
        f"the release cannot be loaded: {type(error).__name__}: {first_line(error)}",
        "the server's log says more",
    )


def load(folder: Path) -> Served:
    """Load a release folder, with nothing trusted but what its release says.

    Raises:
        UnsafeModel: The model could do more than score.
        ModelError: It cannot be loaded, or the folder is not one of a release.
    """
    trusted = read_release_file(folder).release.trusted
    model = folder / MODEL_FOLDER
    require_safe(_files(model), trusted)
    scorer = load_scorer(model, trusted=trusted)
    return Served(
        scorer=scorer,
        reader=Reader(scorer.features, truth_columns(scorer.pipeline), scorer.missing),
        rule=DecisionRule.of(scorer, read_threshold(folder)),
    )


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if not path.is_dir()
    }


def smoke_test(served: Served, path: Path) -> None:
    """Score the probe rows as a request that holds them, and hold that against evaluation.

    Args:
        served: The release.
        path: Of its probe rows and what evaluation scored them.

    Raises:
        ModelError: They are not there, or score otherwise: |a - b| > 1e-9 + 1e-9 |b|; in single
            precision 1e-5, as processors round in ways of their own.
    """
    try:
        probes = json.loads(path.read_bytes())
        wanted = [tuple(map(float, row)) for row in probes["scores"]]
        split = {"columns": probes["columns"], "data": probes["rows"]}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{path} is not a file of probe rows: {first_line(error)}", hint=_REBUILD
        ) from error
    reply = served.answer(JSON, json.dumps({"dataframe_split": split}).encode())
    if reply.status != 200:  # noqa: PLR2004 -- HTTP's OK
        said = json.loads(reply.body)["message"]
        raise ModelError(f"the model does not score the probe rows: {said}", hint=_REBUILD)
    within = _SINGLE_TOLERANCE if served.scorer.single else _TOLERANCE
    _require_same(scores_said(served.rule, reply.body), wanted, within)


Scores = Sequence[tuple[float, ...]]


def _require_same(found: Scores, wanted: Scores, within: float) -> None:
    if list(map(len, found)) != list(map(len, wanted)):
        raise ModelError(
            f"the model gives {len(found)} rows of {len(found[0])} scores for {len(wanted)} "
            f"probe rows of {len(wanted[0]) if wanted else 0}",
            hint=_REBUILD,
        )
    other = [
        (row, *apart[0])
        for row, (a, b) in enumerate(zip(found, wanted, strict=True), 1)
        if (apart := [each for each in zip(a, b, strict=True) if not _is_same(*each, within)])
    ]
    if other:
        row, said, was = other[0]
        raise ModelError(
            f"the model scores {len(other)} of {len(wanted)} probe rows otherwise than "
            f"evaluation did: row {row} is {said!r}, and was {was!r}",
            hint=_REBUILD,
        )


def _is_same(found: float, wanted: float, within: float) -> bool:
    return abs(found - wanted) <= within + within * abs(wanted)  # NaN never is


if __name__ == "__main__":
    _socket, _folder, *_log = sys.argv[1:]
    try:
        main(
            int(_socket), Path(_folder), LogSettings.model_validate_json(_log[0]) if _log else None
        )
    except ConnectionError:
        pass  # the front process is gone, and nobody waits for an answer
    finally:
        _home = Path(os.environ["HOME"])
        if _home.name.startswith(SCRATCH):
            shutil.rmtree(_home, ignore_errors=True)
