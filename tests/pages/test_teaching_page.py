"""The page of reading sessions: joining, reading, refusals, and the instructor's part."""

import itertools
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from brainmri.intake.records import Case
from brainmri.study import Study
from brainmri.teaching.choosing import Wish, choose_cases, take_cases
from brainmri.teaching.plans import GivenAnswer, Mark, SessionPlan
from brainmri.teaching.reading import join, present, send
from brainmri.teaching.records import Answer, Draft
from brainmri.teaching.sessions import close_session, create_session, list_sessions, read_session
from tests.pages.conftest import APP, OpenPage
from tests.pages.filled import make_filled_study

ALL = frozenset({"network", "pathology", "clinical", "note", "others"})


def make_session(study: Study, *, count: int = 2, **plan):
    cases = choose_cases(study, "exp-001", Wish(count=count))
    plan = SessionPlan(**{"order": "fixed", "reveals": ALL, "clinical_columns": ("age",), **plan})
    return create_session(study, plan, cases, title="Tuesday round", author="Dr. Ono", experiment_id="exp-001")


def answer(name: str, sure: float = 70) -> GivenAnswer:
    return GivenAnswer(diagnosis=name, confidence={name: sure})


def titles(app: AppTest) -> list[str]:
    return [one.value for one in app.title]


def words(app: AppTest) -> str:
    return "\n".join(
        str(one.value) for kind in ("markdown", "caption", "text", "info", "warning", "error") for one in app.get(kind)
    )


def control(app: AppTest, kind: str, name: str):
    return next(one for one in app.get(kind) if one.key and one.key.startswith(name))


def press(app: AppTest, label: str) -> AppTest:
    next(one for one in app.button if one.label == label).click()
    app.run()
    assert not app.exception, [one.message for one in app.exception]
    return app


def test_a_study_without_cases_offers_to_join_and_says_why_no_session_can_be_made(
    empty_study: Study, open_page: OpenPage
) -> None:
    app = open_page("teaching")
    assert titles(app) == ["Teaching"]
    assert "needs cases whose diagnosis is known" in words(app)
    assert [link.proto.page for link in app.get("page_link")] == ["cases"]
    assert not app.error


def test_a_reader_joins_answers_twice_sees_the_pathology_and_the_own_results(
    filled_study: Study, open_page: OpenPage
) -> None:
    made = make_session(filled_study, count=1)
    app = open_page("teaching", code=made.code)
    app.text_input(key="teaching-name").set_value("Mina")
    press(app, "Join")
    assert titles(app) == ["Case 1 of 1"]
    assert set(app.query_params) == {"reader"}
    assert "The network says" not in words(app)
    assert "Pathology" not in [one.label for one in app.metric]
    control(app, "button_group", "teaching-diagnosis").set_value("PCNSL")
    app.run()
    control(app, "slider", "teaching-sure").set_value(80)
    app.run()
    press(app, "Send")
    assert "The network says" in words(app)
    assert "You said PCNSL." in words(app)
    press(app, "Keep my answer")
    assert "Pathology" in [one.label for one in app.metric]
    assert "age: 61" in words(app)
    press(app, "Finish")
    assert titles(app) == ["All cases read"]
    assert [one.label for one in app.metric] == ["Alone", "With the network", "Helped / harmed", "Time a case"]
    with filled_study.session() as session:
        rows = session.scalars(select(Answer).order_by(Answer.id)).all()
    assert [(row.step, row.diagnosis, row.confidence) for row in rows] == [
        ("alone", "PCNSL", {"PCNSL": 80.0}),
        ("with network", "PCNSL", {"PCNSL": 80.0}),
    ]
    assert made.session_id not in str(app.query_params)


def test_what_is_filled_in_is_kept_and_comes_back_in_another_browser_session(
    filled_study: Study, open_page: OpenPage
) -> None:
    made = make_session(filled_study, confidence="each", reasoning=True)
    reader = join(filled_study, made.code, "Mina")
    app = open_page("teaching", reader=reader.reader_id)
    control(app, "button_group", "teaching-diagnosis").set_value("meningioma")
    app.run()
    control(app, "text_input", "teaching-reasoning").set_value("dural tail")
    app.run()
    with filled_study.session() as session:
        (draft,) = session.scalars(select(Draft)).all()
    assert (draft.content["diagnosis"], draft.content["reasoning"]) == ("meningioma", "dural tail")
    again = open_page("teaching", reader=reader.reader_id)
    assert control(again, "button_group", "teaching-diagnosis").value == "meningioma"
    assert control(again, "text_input", "teaching-reasoning").value == "dural tail"


def test_nothing_is_stored_before_something_is_filled_in(filled_study: Study, open_page: OpenPage) -> None:
    made = make_session(filled_study)
    reader = join(filled_study, made.code, "Mina")
    app = open_page("teaching", reader=reader.reader_id)
    press(app, "Send")
    assert "Choose a diagnosis, then send the answer." in words(app)
    with filled_study.session() as session:
        assert session.scalars(select(Draft)).all() == []
        assert session.scalars(select(Answer)).all() == []


@pytest.mark.parametrize(
    ("code", "name", "said"),
    [
        ("ZZZZZZ", "Kenji", "There is no session with this code."),
        (None, "", "Enter a name or a pseudonym."),
        (None, "Mina", "Somebody is already reading as Mina in this session."),
    ],
)
def test_who_cannot_join_is_told_why(
    filled_study: Study, open_page: OpenPage, code: str | None, name: str, said: str
) -> None:
    made = make_session(filled_study)
    join(filled_study, made.code, "Mina")
    app = open_page("teaching", code=code or made.code)
    app.text_input(key="teaching-name").set_value(name)
    press(app, "Join")
    assert said in words(app)
    assert titles(app) == ["Teaching"]


def test_a_place_that_is_not_known_leads_back_to_the_door(filled_study: Study, open_page: OpenPage) -> None:
    app = open_page("teaching", reader="no-such-token")
    assert titles(app) == ["Teaching"]
    assert "This place in a session is not known." in words(app)
    assert "reader" not in app.query_params


def test_a_reader_of_a_closed_session_is_told_so_and_loses_nothing(filled_study: Study, open_page: OpenPage) -> None:
    made = make_session(filled_study)
    reader = join(filled_study, made.code, "Mina")
    app = open_page("teaching", reader=reader.reader_id)
    control(app, "button_group", "teaching-diagnosis").set_value("PCNSL")
    app.run()
    close_session(filled_study, made.session_id)
    press(app, "Send")
    assert "The session 'Tuesday round' is closed." in words(app)
    assert control(app, "button_group", "teaching-diagnosis").value == "PCNSL"


def test_results_wait_until_answers_can_no_longer_be_changed(filled_study: Study, open_page: OpenPage) -> None:
    made = make_session(filled_study, count=1, reveals=frozenset(), going_back=True)
    reader = join(filled_study, made.code, "Mina")
    send(filled_study, reader.reader_id, 0, "alone", answer("PCNSL"))
    app = open_page("teaching", reader=reader.reader_id)
    assert "your results are shown here once your instructor has closed it" in words(app)
    assert not app.metric
    close_session(filled_study, made.session_id)
    assert open_page("teaching", reader=reader.reader_id).metric


def test_an_instructor_makes_a_session_of_cases_drawn_by_chance(filled_study: Study, open_page: OpenPage) -> None:
    app = open_page("teaching")
    app.text_input(key="teaching-title").set_value("Round of *stars*")
    app.text_input(key="teaching-author").set_value("Dr. Ono")
    app.number_input(key="teaching-count").set_value(2)
    app.run()
    press(app, "Make the session")
    (made,) = list_sessions(filled_study)
    assert (made.session.title, made.session.author, made.cases) == ("Round of *stars*", "Dr. Ono", 2)
    assert made.session.session_id in app.query_params["session"]
    assert titles(app) == [r"Round of \*stars\*"]


def test_a_session_without_title_or_name_is_refused(filled_study: Study, open_page: OpenPage) -> None:
    app = open_page("teaching")
    press(app, "Make the session")
    assert "enter your name" in words(app)
    app.text_input(key="teaching-author").set_value("Dr. Ono")
    press(app, "Make the session")
    assert "Give the session a title" in words(app)
    assert list_sessions(filled_study) == ()


def test_an_instructor_closes_copies_and_deletes(filled_study: Study, open_page: OpenPage) -> None:
    made = make_session(filled_study)
    app = open_page("teaching")
    press(app, "Close")
    assert read_session(filled_study, made.session_id).status == "closed"
    press(app, "Copy")
    assert len(list_sessions(filled_study)) == 2
    press(app, "Delete")
    assert [one.session.session_id for one in list_sessions(filled_study)] == [made.session_id]


@pytest.mark.parametrize("view", ["code", "live", "lead", "results"])
def test_each_view_of_a_session_is_drawn_before_and_after_answers(
    filled_study: Study, open_page: OpenPage, view: str
) -> None:
    made = make_session(filled_study)
    assert titles(open_page("teaching", session=made.session_id, view=view)) == ["Tuesday round"]
    for name, said in (("Mina", "PCNSL"), ("Kenji", "meningioma")):
        reader = join(filled_study, made.code, name)
        send(filled_study, reader.reader_id, 0, "alone", answer(said))
        send(filled_study, reader.reader_id, 0, "with network", answer("PCNSL"))
    app = open_page("teaching", session=made.session_id, view=view)
    assert not app.error
    assert "Mina" not in words(app)


def test_a_reader_cannot_reach_the_instructors_part(filled_study: Study, open_page: OpenPage) -> None:
    made = make_session(filled_study)
    reader = join(filled_study, made.code, "Mina")
    app = open_page("teaching", reader=reader.reader_id, session=made.session_id, view="results")
    assert titles(app) == ["Case 1 of 2"]
    assert "session" not in app.query_params


def test_the_network_and_the_pathology_are_nowhere_before_the_answer(filled_study: Study, open_page: OpenPage) -> None:
    made = make_session(filled_study)
    reader = join(filled_study, made.code, "Mina")
    app = open_page("teaching", reader=reader.reader_id)
    with filled_study.session() as session:
        names = session.scalars(select(Case.case_id)).all()
    sent = b"".join(protos(app))
    assert [name for name in (*names, "exp-001", made.session_id) if name.encode() in sent] == []


def test_readers_get_the_same_whatever_the_pathology_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two studies that differ in nothing but the labels of the cases send the same bytes to an unanswered reader."""
    sent = []
    for turn in range(2):
        folder = tmp_path / str(turn) / "study"
        monkeypatch.setenv("BRAINMRI_STUDY", str(folder))
        study = make_filled_study(folder)
        if turn:
            _turn_labels(study)
        with monkeypatch.context() as fixed:
            count = itertools.count()
            fixed.setattr(secrets, "token_urlsafe", lambda size: f"token-{next(count)}".ljust(size, "x"))  # noqa: B023
            fixed.setattr(secrets, "token_hex", lambda size: "ab" * size)
            fixed.setattr(secrets, "choice", lambda letters: letters[0])
            cases = take_cases(study, None, ["case-0001", "case-0002", "case-0003"])
            plan = SessionPlan(reveals=frozenset({"pathology"}), order="fixed", mark=True)
            made = create_session(study, plan, cases, title="Tuesday round", author="Dr. Ono")
            reader = join(study, made.code, "Mina")
        app = AppTest.from_file(str(APP), default_timeout=30)
        app.query_params["reader"] = reader.reader_id
        app.run()
        app.query_params["reader"] = reader.reader_id
        app.switch_page("pages/teaching.py").run()
        assert titles(app) == ["Case 1 of 3"]
        sent.append(list(protos(app)))
        assert present(study, reader.reader_id).step == "alone"
    assert len(sent[0]) > 10
    assert max(map(len, sent[0])) > 5_000  # the images are among them
    assert sent[0] == sent[1]


def protos(app: AppTest) -> Iterator[bytes]:
    """Yield what the server sends for each element and block."""
    for block in (app.main, app.sidebar):
        yield from _walk(block)


def _walk(node) -> Iterator[bytes]:
    proto = getattr(node, "proto", None)
    if proto is not None and hasattr(proto, "SerializeToString"):
        yield proto.SerializeToString(deterministic=True)
    for child in getattr(node, "children", {}).values():
        yield from _walk(child)


def _turn_labels(study: Study) -> None:
    """Give each case the diagnosis that comes after its own."""
    turned = {"glioblastoma": "PCNSL", "PCNSL": "meningioma", "meningioma": "glioblastoma"}
    with study.session() as session:
        for case in session.scalars(select(Case)):
            case.diagnosis = turned.get(case.diagnosis, case.diagnosis)


def test_who_marks_the_tumour_sees_whether_it_was_there(filled_study: Study, open_page: OpenPage) -> None:
    made = make_session(filled_study, exercise="locate", reveals=frozenset())
    reader = join(filled_study, made.code, "Mina")
    app = open_page("teaching", reader=reader.reader_id)
    press(app, "Send")
    assert "Mark where the tumour is, then send the answer." in words(app)
    for position, mark in enumerate((Mark(slice_index=3, row=12, column=14), Mark(slice_index=3, row=12, column=24))):
        given = GivenAnswer(diagnosis=None, confidence={}, mark=mark)
        send(filled_study, reader.reader_id, position, "alone", given)
        app = open_page("teaching", reader=reader.reader_id)
        assert ("The mark is 9 mm outside the tumour." if position else "The mark is inside the tumour.") in words(app)
        press(app, "Finish" if position else "Next case")
    assert [(one.label, one.value) for one in app.metric] == [
        ("Marks inside the tumour", "50 %"),
        ("Distance, median", "4 mm"),
    ]
    app = open_page("teaching", session=made.session_id, view="results")
    assert not app.error


def test_similar_cases_are_none_of_the_session(filled_study: Study, open_page: OpenPage) -> None:
    made = make_session(filled_study, count=1, reveals=frozenset({"similar"}))
    reader = join(filled_study, made.code, "Mina")
    send(filled_study, reader.reader_id, 0, "alone", answer("PCNSL"))
    app = open_page("teaching", reader=reader.reader_id)
    assert "None are stored for this network yet." in words(app)


def test_who_goes_back_finds_the_answer_and_may_change_it(filled_study: Study, open_page: OpenPage) -> None:
    made = make_session(filled_study, reveals=frozenset(), going_back=True)
    reader = join(filled_study, made.code, "Mina")
    app = open_page("teaching", reader=reader.reader_id)
    control(app, "button_group", "teaching-diagnosis").set_value("PCNSL")
    app.run()
    press(app, "Send")
    assert titles(app) == ["Case 2 of 2"]
    assert control(app, "button_group", "teaching-diagnosis").value is None
    press(app, "Back")
    assert titles(app) == ["Case 1 of 2"]
    assert control(app, "button_group", "teaching-diagnosis").value == "PCNSL"
    control(app, "button_group", "teaching-diagnosis").set_value("meningioma")
    app.run()
    press(app, "Send")
    assert titles(app) == ["Case 2 of 2"]
    with filled_study.session() as session:
        rows = session.scalars(select(Answer).order_by(Answer.id)).all()
    assert [(row.version, row.diagnosis) for row in rows] == [(1, "PCNSL"), (2, "meningioma")]
