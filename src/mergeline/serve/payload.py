"""The body of a scoring request as rows for the model.

Requests are those of MLflow's scoring protocol: JSON with exactly one of `dataframe_split`,
`dataframe_records`, `instances` and `inputs`, or CSV with a header. `params` and other keys
are let pass and not read, as MLflow does for a model that declares no parameters. MLflow
also drops columns that the model does not know, and fills those that one of many records
leaves out; here both are refused, since a misspelt name would change a score in silence.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from mergeline.core.evidence import Feature
from mergeline.errors import BadRequest
from mergeline.model.direct import Columns
from mergeline.model.table import listed
from mergeline.serve.parsing import parse_json
from mergeline.serve.values import (
    WANTED,
    cell_values,
    column_array,
    described,
    shown,
)

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_KINDS = ("application/json", "text/csv")
_CHARSETS = ("utf-8", "utf8", "us-ascii")
_BOM = b"\xef\xbb\xbf"
_MOST_LISTED = 20

Cells = Mapping[str, Sequence[Any]]


class Reader:
    """Reads bodies for one model.

    Args:
        features: The columns that the model reads, in its order.
        truths: Names of categories that are only ever `true` or `false`: columns of truth
            values with missing ones, whose CSV form may say `True` and `False`.
        missing: Texts that mean "no value", besides the empty one: those of the settings that
            the model was trained with.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        truths: Iterable[str] = (),
        missing: Iterable[str] = (),
    ) -> None:
        self._features = {feature.name: feature for feature in features}
        self._names = list(self._features)
        self._truths = frozenset(truths)
        self._missing = frozenset(("", *missing))

    def read(self, content_type: str, body: bytes) -> Columns:
        """Return the columns of a body as `cast_features` makes them, in the model's order.

        Args:
            content_type: The header, parameters and all.
            body: At most as large as the server allows.

        Raises:
            BadRequest: It is not what the model's signature asks for; the message names
                the column, the row (counted from 1), and what was expected and found.
        """
        kind = media_type(content_type)
        body = body.removeprefix(_BOM)
        if not body.strip():
            raise BadRequest(
                "the body is empty", hint=f"send {_one_of_forms()}; or CSV with a header"
            )
        cells = self._of_csv(body) if kind == "text/csv" else self._of_json(body)
        return {
            name: column_array(feature, cells[name], self._missing)
            for name, feature in self._features.items()
        }

    # --- JSON --------------------------------------------------------------------------

    def _of_json(self, body: bytes) -> Cells:
        form, value = _one_form(parse_json(body))
        if form == "dataframe_split":
            return self._of_split(value, form)
        if form == "dataframe_records":
            return self._of_records(_rows(value, form), form)
        return self._of_tensor(value, form)

    def _of_split(self, value: Any, form: str) -> Cells:
        if type(value) is not dict or "data" not in value:
            raise _wrong(form, "an object with columns and data", value)
        columns = value.get("columns", self._names)
        if type(columns) is not list or not all(type(name) is str for name in columns):
            raise _wrong(f"{form}.columns", "a list of names", columns)
        return self._of_lists(_rows(value["data"], f"{form}.data"), columns)

    def _of_tensor(self, value: Any, form: str) -> Cells:
        """Read rows of records, rows of values in the model's order, or columns by name."""
        if type(value) is dict:
            return self._of_columns(value, form)
        rows = _rows(value, form)
        if type(rows[0]) is dict:
            return self._of_records(rows, form)
        return self._of_lists(rows, self._names)

    def _of_lists(self, rows: Sequence[Any], columns: Sequence[str]) -> Cells:
        self._require_columns(columns)
        width = len(columns)
        for place, row in enumerate(rows, 1):
            if type(row) is not list or len(row) != width:
                found = f"{len(row)} values" if type(row) is list else described(row)
                raise BadRequest(
                    f"row {place}: {width} values are expected, one a column, found {found}",
                    hint="give every row one value a column; null for a missing one",
                )
        return dict(zip(columns, zip(*rows, strict=True), strict=True))

    def _of_records(self, rows: Sequence[Any], form: str) -> Cells:
        names = self._features.keys()
        for place, row in enumerate(rows, 1):
            if type(row) is not dict:
                raise _wrong(f"{form}, row {place}", "an object of values by column", row)
            if row.keys() != names:
                self._require_columns(list(row), f"row {place}: ")
        return {name: [row[name] for row in rows] for name in names}

    def _of_columns(self, value: dict[str, Any], form: str) -> Cells:
        self._require_columns(list(value))
        lists = [name for name, column in value.items() if type(column) is list]
        if not lists:  # one row
            return {name: (cell,) for name, cell in value.items()}
        size = len(value[lists[0]])
        for name, column in value.items():
            if type(column) is not list or len(column) != size:
                wanted = f"a list of {size}, as column {shown(lists[0])} is,"
                raise _wrong(f"{form}, column {shown(name)}", wanted, column)
        if not size:
            raise _no_rows()
        return value

    # --- CSV ---------------------------------------------------------------------------

    def _of_csv(self, body: bytes) -> Cells:
        try:
            text = io.StringIO(body.decode(), newline="")
            table = [row for row in csv.reader(text, skipinitialspace=True, strict=True) if row]
        except UnicodeDecodeError as error:
            raise BadRequest(
                f"the body is not UTF-8: byte {error.start}", hint="send CSV encoded as UTF-8"
            ) from error
        except csv.Error as error:
            raise BadRequest(
                f"the body is not CSV: {str(error)[:200]}",
                hint="separate by commas, and quote a text that holds a comma, quote or line end",
            ) from error
        if len(table) < 2:  # noqa: PLR2004 -- the header and a row
            raise _no_rows()
        # Space around a name is no part of it, as in training; a Parquet file's may be.
        names = [name if name in self._features else name.strip(" \t") for name in table[0]]
        texts = self._of_lists(table[1:], names)
        return {
            name: cell_values(feature, texts[name], self._missing, truths=name in self._truths)
            for name, feature in self._features.items()
        }

    def _require_columns(self, columns: Sequence[str], where: str = "") -> None:
        """Refuse columns that come twice, that nobody knows, and that are absent."""
        names = self._features.keys()
        if len(columns) == len(names) and names == set(columns):
            return
        counts = Counter(columns)
        twice = [name for name, count in counts.items() if count > 1]
        unknown = [name for name in counts if name not in names]
        absent = [name for name in names if name not in counts]
        hint = f"the model reads: {listed([shown(name) for name in names], _MOST_LISTED)}"
        if twice:
            raise BadRequest(f"{where}the column {shown(twice[0])} comes twice", hint=hint)
        if unknown:
            close = get_close_matches(unknown[0][:100], absent or names, n=1)
            meant = f"; did you mean {shown(close[0])}?" if close else ""
            raise BadRequest(
                f"{where}the model has no column {shown(unknown[0])}{meant}", hint=hint
            )
        raise BadRequest(
            f"{where}the column {shown(absent[0])} is missing; "
            f"{WANTED[self._features[absent[0]].kind]} is expected in each row",
            hint=hint,
        )


def media_type(content_type: str) -> str:
    """Return `application/json` or `text/csv`.

    Raises:
        BadRequest: With status 415: it is neither, or not in UTF-8.
    """
    kind, *parameters = (part.strip() for part in content_type.split(";"))
    kind = kind.lower()
    if kind not in _KINDS:
        found = shown(content_type) if content_type else "none"
        raise BadRequest(
            f"the content type is {found}; {' or '.join(_KINDS)} is expected",
            hint="send the header Content-Type",
            status=415,
        )
    for parameter in filter(None, parameters):
        name, _, value = parameter.partition("=")
        known = name.strip().lower() == "charset"
        if not known or value.strip().strip('"').lower() not in _CHARSETS:
            raise BadRequest(
                f"the content type has the parameter {shown(parameter)}; "
                "nothing but charset=utf-8 is known",
                hint="send UTF-8",
                status=415,
            )
    return kind


def _one_form(said: Any) -> tuple[str, Any]:
    if type(said) is not dict:
        raise _wrong("the body", _one_of_forms(), said)
    forms = [form for form in FORMS if form in said]
    if len(forms) != 1:
        found = listed([shown(key) for key in said], _MOST_LISTED) or "none"
        raise BadRequest(
            f"exactly one of {', '.join(FORMS)} is expected, found the keys: {found}",
            hint="see MLflow's scoring protocol",
        )
    return forms[0], said[forms[0]]


def _one_of_forms() -> str:
    return f"a JSON object with exactly one of {', '.join(FORMS)}"


def _rows(value: Any, where: str) -> list[Any]:
    if type(value) is not list:
        raise _wrong(where, "a list of rows", value)
    if not value:
        raise _no_rows()
    return value


def _no_rows() -> BadRequest:
    return BadRequest("the request holds no rows", hint="send at least one row")


def _wrong(where: str, wanted: str, value: Any) -> BadRequest:
    return BadRequest(
        f"{where}: {wanted} is expected, found {described(value)}",
        hint="see MLflow's scoring protocol",
    )
