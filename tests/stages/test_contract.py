"""The contract: every breach is counted, and no value of the data is printed."""

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest

from mergeline.config.settings import Data
from mergeline.errors import ContractError
from mergeline.model.reading import read_table
from mergeline.stages.contract import check_contract
from projects import make_frame, write_source

DATA = Data(source="data/t.csv", target="left", positive="yes", contract="data/contract.yaml")
CONTRACT = """
schema_type: dataframe
api: pandas
columns:
  customer: {dtype: str, unique: true, str_matches: '^C[0-9]{6}$'}
  age: {dtype: int64, in_range: {min_value: 18, max_value: 120}}
  income: {dtype: float64, nullable: true, greater_than: 0}
  town: {dtype: str, nullable: true, isin: ['NA', Oslo, Ålesund]}
  member: {dtype: bool}
  left: {dtype: str, isin: ['yes', 'no']}
  absent: {dtype: int64, required: false}
"""


@pytest.fixture
def contract(tmp_path):
    path = tmp_path / "contract.yaml"
    path.write_text(CONTRACT, encoding="utf-8")
    return path


def breach(frame, path):
    with pytest.raises(ContractError) as caught:
        check_contract(frame, path, DATA)
    assert "data/contract.yaml" in caught.value.message
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.jsonl"])
def test_data_that_meet_it_pass_as_read_from_a_file(tmp_path, contract, name):
    write_source(make_frame(200), tmp_path / name)
    data = DATA.model_copy(update={"source": name})
    check_contract(read_table(tmp_path / name, data), contract, data)


def test_breaches_are_counted_by_column_and_rule(contract):
    frame = make_frame(200)
    frame.loc[:4, "age"] = 7
    frame.loc[10, "customer"] = "SECRET-1"
    frame.loc[11:12, "customer"] = "SECRET-2"
    frame.loc[:6, "town"] = "Hidden Town"
    frame.loc[3, "income"] = -98765.25
    frame.loc[0, "left"] = None
    message = breach(frame, contract)
    assert message.splitlines()[1:] == [
        "  age: in_range(18, 120) (5 rows)",
        "  customer: field_uniqueness (2 rows)",
        "  customer: str_matches('^C[0-9]{6}$') (3 rows)",
        "  income: greater_than(0) (1 row)",
        "  left: not_nullable (1 row)",
        "  town: isin(['NA', 'Oslo', 'Ålesund']) (7 rows)",
    ]
    for value in ("SECRET", "Hidden", "98765"):
        assert value not in message


def test_wrong_types_absent_and_strange_columns_are_named(contract):
    strict = CONTRACT + "strict: true\n"
    contract.write_text(strict, encoding="utf-8")
    frame = make_frame(50).drop(columns=["income", "joined", "sex", "visits"])
    message = breach(frame.assign(age=frame["age"].astype(str), member=1), contract)
    lines = message.splitlines()[1:]
    assert "  age: dtype('int64'), but the column is str" in lines
    assert "  member: dtype('bool'), but the column is int64" in lines
    assert "  income: the column is not there" in lines
    assert "  plan: the contract does not know this column" in lines


WIDE = """
columns:
  visits: {dtype: float64, nullable: true, isin: [0.0, 1.0]}
  member: {dtype: object, nullable: true, isin: [true, false]}
"""


@pytest.mark.parametrize(
    "text", ["visits,member\n1.0,True\n,\n", "visits,member\n1,True\n0,False\n"]
)
def test_types_that_depend_on_missing_values_are_promised_once(tmp_path, text):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    (tmp_path / "contract.yaml").write_text(WIDE, encoding="utf-8")
    data = DATA.model_copy(update={"source": "t.csv"})
    check_contract(read_table(tmp_path / "t.csv", data), tmp_path / "contract.yaml", data)


def test_a_wider_type_changes_no_other_promise(contract):
    contract.write_text("columns: {visits: {dtype: float64, isin: [0.0, 1.0]}}", encoding="utf-8")
    assert "visits: isin([0.0, 1.0]) (1 row)" in breach(
        pd.DataFrame({"visits": [0, 1, 2]}), contract
    )


def test_whole_numbers_with_missing_values_are_told_what_to_promise(contract):
    contract.write_text("columns: {visits: {dtype: int64}}", encoding="utf-8")
    message = breach(pd.DataFrame({"visits": [1.0, np.nan]}), contract)
    assert "the column is float64, as whole numbers with missing values are" in message
    message = breach(pd.DataFrame({"visits": [1.5, np.nan]}), contract)
    assert message.endswith("the column is float64\n  visits: not_nullable (1 row)")


def test_a_rule_of_the_whole_table_names_no_value(contract):
    contract.write_text(CONTRACT + "unique: [age, left]\n", encoding="utf-8")
    message = breach(make_frame(400), contract)
    assert "age: multiple_fields_uniqueness" in message


def test_many_breaches_are_cut(tmp_path):
    columns = {f"c{number}": pa.Column(int, pa.Check.gt(5)) for number in range(15)}
    path = tmp_path / "contract.yaml"
    path.write_text(pa.DataFrameSchema(columns).to_yaml(), encoding="utf-8")
    message = breach(pd.DataFrame({name: [1, 2, 9] for name in columns}), path)
    assert len(message.splitlines()) == 12
    assert message.endswith("  and 5 more")
    assert message.count("(2 rows)") == 10


def test_a_contract_that_pandera_wrote_is_read(tmp_path):
    frame = make_frame(100)
    path = tmp_path / "contract.yaml"
    path.write_text(pa.infer_schema(frame).to_yaml(), encoding="utf-8")
    check_contract(frame, path, DATA)
    message = breach(frame.assign(age=np.nan), path)
    assert "age: dtype('int64'), but the column is float64" in message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "columns: {a: {dtype: no_such_type}}",
        "columns: [1, 2]",
        "columns: {age: {checks: {no_such_check: 3}}}",
        "a: [",
        "{}",
    ],
)
def test_what_is_no_schema_is_refused(tmp_path, text):
    path = tmp_path / "contract.yaml"
    path.write_text(text)
    message = breach(make_frame(20), path)
    assert "is not a pandera schema" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("columns: {age: {in_rnge: {min_value: 1}}}", "age: 'in_rnge' is no rule"),
        ("columns: [{name: age, greater: 1}]", "age: 'greater' is no rule"),
        ("stict: true\ncolumns: {age: {greater_than: 1}}", "'stict' is no rule"),
        ("drop_invalid_rows: true\ncolumns: {age: {greater_than: 99}}", "would mend the table"),
        ("columns: {income: {dtype: float64, default: 0}}", "income: 'default' would mend"),
    ],
)
def test_rules_that_pandera_passes_over_are_refused(tmp_path, text, told):
    path = tmp_path / "contract.yaml"
    path.write_text(text)
    assert told in breach(make_frame(20), path)


def test_a_check_that_does_not_fit_the_type_is_a_breach(tmp_path):
    path = tmp_path / "contract.yaml"
    path.write_text("schema_type: dataframe\ncolumns:\n  town: {greater_than: 3}\n")
    message = breach(make_frame(20), path)
    assert "town" in message
    assert "Oslo" not in message
