"""Tables of a session."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from brainmri.teaching.items import analyse_items
from brainmri.teaching.scores import score_reader, score_readers
from brainmri.teaching.summary import summarise_session
from brainmri.teaching.tables import answer_rows, item_rows, reader_rows, to_csv, write_tables
from tests.teaching.drawn_answers import draw_answers


@pytest.fixture(scope="module")
def answers():
    return draw_answers(readers=3, cases=12, missing=0.2)


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_answer_is_one_row(answers):
    rows = read(to_csv(answer_rows(answers)))
    assert len(rows) == (answers.alone >= 0).sum() + (answers.assisted >= 0).sum()
    first = rows[0]
    reader, case = answers.reader_index(first["reader"]), answers.cases.index(first["case_id"])
    said = answers.alone[reader, case]
    assert (first["step"], first["answer"]) == ("alone", answers.classes[said])
    assert first["right"] == ("yes" if said == answers.truth[case] else "no")
    assert float(first["confidence"]) == answers.alone_confidence[reader, case, said]
    assert float(first["confidence PCNSL"]) == answers.alone_confidence[reader, case, 1]
    assert float(first["seconds"]) == answers.seconds[reader, case]
    assert rows[-1]["seconds"] == ""


def test_a_reader_is_one_row_in_full_precision(answers):
    rows = read(to_csv(reader_rows(score_readers(answers))))
    score = score_reader(answers, "reader 2")
    assert float(rows[1]["alone accuracy"]) == score.alone.accuracy.share
    assert float(rows[1]["with network sensitivity PCNSL upper"]) == score.assisted.classes[1].sensitivity.upper
    assert int(rows[1]["helped"]) == score.help.helped
    assert int(rows[1]["held out n"]) == score.reliance.held_out.n
    assert rows[1]["alone AUC"] == "", "too few cases for an area leave the cell empty"


def test_a_case_is_one_row(answers):
    rows = read(to_csv(item_rows(analyse_items(answers), answers.classes)))
    assert [row["case_id"] for row in rows] == list(answers.cases)
    assert sum(int(rows[0][f"answers {name}"]) for name in answers.classes) == (answers.alone[:, 0] >= 0).sum()


@pytest.mark.parametrize("name", ["=1+1", "+x", "-x", "@x", "\tx"])
def test_a_name_cannot_be_a_formula(answers, name):
    named = replace(answers, readers=(name, "b", "c"))
    rows = read(to_csv(reader_rows(score_readers(named))))
    assert rows[0]["reader"] == f"'{name}"


def test_a_negative_number_stays_a_number():
    assert to_csv([{"a": -0.5, "b": None, "c": "x, y"}]) == 'a,b,c\n-0.5,,"x, y"\n'


def test_no_rows_are_no_table():
    assert to_csv([]) == ""


def tables_of(answers):
    report = summarise_session(
        answers, session_id="ses-001", title="Monday", author="Mori", written_at=datetime(2026, 11, 23, tzinfo=UTC)
    )
    return report, write_tables(report)


def test_a_session_is_six_tables():
    report, tables = tables_of(draw_answers(readers=4, cases=60))
    assert sorted(tables) == [
        f"ses-001-{name}.csv"
        for name in ("against-network", "agreement", "answers", "cases", "multi-reader", "readers")
    ]
    against = read(tables["ses-001-against-network.csv"])
    assert [row["reader"] for row in against] == [*report.answers.readers, "majority of the readers"]
    assert float(against[0]["McNemar p adjusted"]) == report.against_network.readers[0].p_adjusted
    kappas = read(tables["ses-001-agreement.csv"])
    assert [row["step"] for row in kappas[:2]] == ["alone", "with network"]
    assert float(kappas[2]["kappa"]) == report.agreement_with_network["reader 1"].kappa
    areas = read(tables["ses-001-multi-reader.csv"])
    assert float(areas[0]["value"]) == report.multireader.analysis.areas[0, 0]
    assert float(areas[-2]["lower"]) == report.multireader.analysis.change.lower
    assert float(areas[-1]["p"]) == report.multireader.analysis.change_of_these.p


def test_a_session_that_nobody_answered_has_no_empty_tables():
    _, tables = tables_of(draw_answers(readers=2, cases=6, missing=1.0))
    assert sorted(tables) == ["ses-001-agreement.csv", "ses-001-cases.csv", "ses-001-readers.csv"]
