"""Tables of accuracies from a file."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from brainmri.errors import EvaluationError, UsageError
from brainmri.evaluation.accuracy_table import read_accuracy_csv, read_accuracy_table


@pytest.fixture
def table(tmp_path: Path):
    def write(text: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_columns_may_stand_in_any_order_among_others(table) -> None:
    path = table("Accuracy ,note,REPEAT,model\n0.9,x,1,b\n0.8,,1,a\n0.7,y,2,b\n")
    assert read_accuracy_csv(path) == {"b": [0.9, 0.7], "a": [0.8, pytest.approx(math.nan, nan_ok=True)]}


def test_the_same_place_is_the_same_repeat_for_every_model(table) -> None:
    path = table("model,repeat,accuracy\na,1,0.1\na,02,0.2\na,10,0.3\nb,2.0,0.4\nb,11,0.5\n")
    repeats = read_accuracy_table(path)
    assert (repeats.models, repeats.names) == (("a", "b"), ("1", "02", "10", "11"))
    nan = math.nan
    np.testing.assert_array_equal(repeats.values, [[0.1, nan], [0.2, 0.4], [0.3, nan], [nan, 0.5]])


def test_values_come_in_the_order_of_the_repeats(table) -> None:
    path = table("model,repeat,accuracy\na,10,0.3\na,2,0.2\na,1,0.1\n")
    assert read_accuracy_csv(path) == {"a": [0.1, 0.2, 0.3]}


def test_repeats_with_names_keep_the_order_of_their_rows(table) -> None:
    path = table("model,repeat,accuracy\na,second,0.3\na,first,0.2\n")
    assert read_accuracy_csv(path) == {"a": [0.3, 0.2]}


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffmodel,repeat,accuracy\r\na,1,95.5\r\n\r\na,2,96\r\n",
        "model;repeat;accuracy\na;1;95,5\na;2;96\n",
        "model\trepeat\taccuracy\na\t1\t95.5\na\t2\t9.6e1",
        '"model","repeat","accuracy"\n"a","1","95.5"\n\n"a","2","96"\n,,\n',
    ],
    ids=["byte order mark", "decimal comma", "tabs", "quotes"],
)
def test_tables_of_spreadsheets_are_read(table, text: str) -> None:
    assert read_accuracy_csv(table(text)) == {"a": [95.5, 96.0]}


@pytest.mark.parametrize("cell", ["", "NA", "nan", "  "])
def test_an_empty_accuracy_is_a_missing_repeat(table, cell: str) -> None:
    values = read_accuracy_csv(table(f"model,repeat,accuracy\na,1,{cell}\na,2,0.5\n"))["a"]
    assert math.isnan(values[0])
    assert values[1] == 0.5


@pytest.mark.parametrize("cell", ["high", "95 %", "1_0", "inf", "0.9.1"])
def test_an_accuracy_that_is_no_number_is_named_with_its_row(table, cell: str) -> None:
    path = table(f"model,repeat,accuracy\na,1,0.9\n\na,2,{cell}\n")
    with pytest.raises(EvaluationError, match=rf"Row 4 of .*table\.csv: the accuracy '{cell}' is no number"):
        read_accuracy_csv(path)


@pytest.mark.parametrize("second", ["1", "01", "1.0"])
def test_a_repeat_that_comes_twice_is_refused(table, second: str) -> None:
    path = table(f"model,repeat,accuracy\na,1,0.9\nb,1,0.8\na,{second},0.7\n")
    with pytest.raises(EvaluationError, match=r"Rows 2 and 4 of .* are both a, repeat"):
        read_accuracy_csv(path)


@pytest.mark.parametrize(("row", "missing"), [(",1,0.9", "model"), ("a,,0.9", "repeat")])
def test_a_row_without_its_names_is_refused(table, row: str, missing: str) -> None:
    with pytest.raises(EvaluationError, match=f"Row 2 of .* has no {missing}"):
        read_accuracy_csv(table(f"model,repeat,accuracy\n{row}\n"))


def test_missing_columns_are_named(table) -> None:
    with pytest.raises(EvaluationError, match=r"lacks the columns model, accuracy; found network, repeat"):
        read_accuracy_csv(table("network,repeat\na,1\n"))


def test_a_column_that_comes_twice_is_refused(table) -> None:
    with pytest.raises(EvaluationError, match="has the column accuracy more than once"):
        read_accuracy_csv(table("model,repeat,accuracy,Accuracy\na,1,0.9,0.8\n"))


@pytest.mark.parametrize(("text", "reason"), [("", "is empty"), ("model,repeat,accuracy\n", "a header and no rows")])
def test_a_table_without_rows_is_refused(table, text: str, reason: str) -> None:
    with pytest.raises(EvaluationError, match=reason):
        read_accuracy_csv(table(text))


def test_a_file_that_is_no_text_is_refused(table) -> None:
    with pytest.raises(EvaluationError, match="is no UTF-8 text"):
        read_accuracy_csv(table("model,repeat,accuracy\nä,1,0.9\n", "latin-1"))


def test_a_file_that_is_not_there_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no\.csv cannot be read: No such file"):
        read_accuracy_csv(tmp_path / "no.csv")
    with pytest.raises(UsageError, match="cannot be read"):
        read_accuracy_csv(tmp_path)
