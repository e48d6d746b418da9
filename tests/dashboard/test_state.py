from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest


def run(script: Callable[[], None], **query: str) -> AppTest:
    app = AppTest.from_function(script)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def test_an_error_of_the_package_is_shown_as_a_sentence() -> None:
    def script() -> None:
        from brainmri.dashboard.state import explain_errors
        from brainmri.errors import ImagingError

        with explain_errors():
            raise ImagingError("The case case-0001 has no mask. Import one.")

    app = run(script)
    assert app.error[0].value == "The case case-0001 has no mask. Import one."
    assert not app.exception


def test_a_database_that_does_not_answer_is_shown_as_a_sentence() -> None:
    def script() -> None:
        import sqlite3

        from sqlalchemy.exc import OperationalError

        from brainmri.dashboard.state import explain_errors

        with explain_errors():
            raise OperationalError("SELECT 1", {}, sqlite3.OperationalError("disk I/O error"))

    app = run(script)
    assert "did not answer: disk I/O error" in app.error[0].value
    assert not app.exception


@pytest.mark.parametrize(("carried", "chosen"), [("case-0002", "case-0002"), ("case-0404", "case-0001")])
def test_the_address_chooses_what_exists_else_the_default(carried: str, chosen: str) -> None:
    def script() -> None:
        import streamlit as st

        from brainmri.dashboard.state import query_choice

        st.write(query_choice("case", ["case-0001", "case-0002"], "case-0001"))

    assert run(script, case=carried).markdown[0].value == chosen


def test_a_choice_is_written_into_the_address_and_taken_out() -> None:
    def script() -> None:
        from brainmri.dashboard.state import remember_choice

        remember_choice(case="case-0002", run=None)

    app = run(script, run="exp-001-resnet50-01")
    assert dict(app.query_params) == {"case": "case-0002"}
