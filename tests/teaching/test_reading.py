"""A reader's way through a session: nothing lost, nothing twice, nothing too early."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from brainmri.database import utc_now
from brainmri.errors import TeachingError
from brainmri.study import Study
from brainmri.teaching.collecting import answers_csv, read_answers, read_progress, read_results_of
from brainmri.teaching.plans import GivenAnswer, Mark
from brainmri.teaching.reading import go_back, join, move_on, present, resume, save_draft, send
from brainmri.teaching.records import Answer, Reading, TeachingSession
from brainmri.teaching.reveals import case_on_screen, read_outcome, shown_network
from brainmri.teaching.sessions import close_session, count_answers, read_cases, read_truth
from tests.teaching.sessions_for_tests import make_session, says


@pytest.fixture
def made(study: Study) -> TeachingSession:
    return make_session(study)


def wind_clock(study: Study, seconds: float) -> None:
    """Let all cases have been opened so much earlier."""
    with study.session() as session:
        for row in session.scalars(select(Reading)):
            row.opened_at = utc_now() - timedelta(seconds=seconds)


def test_a_case_goes_from_alone_to_network_to_pathology_to_the_next(study: Study, made: TeachingSession) -> None:
    reader = join(study, made.code, "Ito").reader_id
    first = present(study, reader)
    assert (first.step, first.number, first.count) == ("alone", 1, 4)
    second = send(study, reader, first.position, "alone", says("PCNSL"))
    assert (second.step, second.position) == ("with network", first.position)
    third = send(study, reader, first.position, "with network", says("meningioma", 60))
    assert (third.step, third.answers["alone"].diagnosis) == ("pathology", "PCNSL")
    fourth = move_on(study, reader, first.position)
    assert (fourth.step, fourth.number) == ("alone", 2)
    assert move_on(study, reader, first.position).number == 2  # the button pressed twice


def test_a_reader_who_comes_back_is_at_the_same_case_and_step(study: Study, made: TeachingSession) -> None:
    reader = join(study, made.code, "Ito").reader_id
    first = present(study, reader)
    send(study, reader, first.position, "alone", says("PCNSL"))
    save_draft(study, reader, first.position, "with network", {"diagnosis": "meningioma"})
    again = present(study, resume(study, reader).reader_id)
    assert (again.position, again.step, again.key) == (first.position, "with network", first.key)
    assert again.draft == {"diagnosis": "meningioma"}


def test_the_same_answer_sent_twice_counts_once_and_another_one_is_refused(study: Study, made: TeachingSession) -> None:
    reader = join(study, made.code, "Ito").reader_id
    position = present(study, reader).position
    for _ in range(3):
        assert send(study, reader, position, "alone", says("PCNSL")).step == "with network"
    with pytest.raises(TeachingError, match="was answered already"):
        send(study, reader, position, "alone", says("meningioma"))
    assert count_answers(study, made.session_id) == 1


def test_a_name_that_is_taken_is_refused_and_a_sign_in_comes_back(study: Study, made: TeachingSession) -> None:
    first = join(study, made.code, "Ito", subject="idp|1")
    assert join(study, made.code, "whatever", subject="idp|1").reader_id == first.reader_id
    with pytest.raises(TeachingError, match="already reading as Ito"):
        join(study, made.code, " Ito ")
    with pytest.raises(TeachingError, match="Enter a name"):
        join(study, made.code, "  ")
    with pytest.raises(TeachingError, match="is not known"):
        resume(study, "guessed")


def test_readers_get_the_cases_in_different_orders_unless_it_is_fixed(study: Study) -> None:
    shuffled = make_session(study, count=8)
    orders = {tuple(join(study, shuffled.code, f"R{number}").order) for number in range(6)}
    assert len(orders) > 1
    assert all(sorted(order) == list(range(8)) for order in orders)
    fixed = make_session(study, count=8, order="fixed")
    assert join(study, fixed.code, "Ito").order == list(range(8))


def test_keys_of_cases_differ_between_readers_and_sessions_and_name_nothing(study: Study) -> None:
    keys = []
    for session in (make_session(study, order="fixed"), make_session(study, order="fixed")):
        for name in ("Ito", "Mori"):
            keys.append(present(study, join(study, session.code, name).reader_id).key)
    assert len(set(keys)) == 4
    assert not any("case" in key for key in keys)


def test_nothing_is_shown_before_its_step(study: Study, made: TeachingSession) -> None:
    reader = join(study, made.code, "Ito").reader_id
    position = present(study, reader).position
    assert case_on_screen(study, reader, position) == read_cases(study, made.session_id)[position].case_id
    with pytest.raises(TeachingError, match="after your own one"):
        shown_network(study, reader, position)
    with pytest.raises(TeachingError, match="after the last answer"):
        read_outcome(study, reader, position)
    with pytest.raises(TeachingError, match="not before you"):
        case_on_screen(study, reader, (position + 1) % 4)
    send(study, reader, position, "alone", says("PCNSL"))
    assert shown_network(study, reader, position).run_id == read_cases(study, made.session_id)[position].run_id
    with pytest.raises(TeachingError, match="after the last answer"):
        read_outcome(study, reader, position)
    send(study, reader, position, "with network", says("PCNSL"))
    outcome = read_outcome(study, reader, position)
    assert outcome.diagnosis == read_truth(study, made.session_id)[position]
    assert (outcome.note, outcome.others, outcome.clinical) == ("", None, {})


def test_how_others_answered_counts_their_last_answer_and_leaves_out_the_own_one(study: Study) -> None:
    made = make_session(study, order="fixed", reveals=frozenset({"network", "others"}))
    for name, alone, last in (("Ito", "PCNSL", "meningioma"), ("Mori", "PCNSL", "PCNSL"), ("Abe", "PCNSL", "PCNSL")):
        reader = join(study, made.code, name).reader_id
        position = present(study, reader).position
        send(study, reader, position, "alone", says(alone))
        send(study, reader, position, "with network", says(last))
    assert read_outcome(study, reader, position).others == {"glioblastoma": 0, "PCNSL": 1, "meningioma": 1}


def test_time_that_is_over_takes_the_whole_draft_and_nothing_of_half_a_one(study: Study) -> None:
    made = make_session(study, order="fixed", limit_s=30)
    reader = join(study, made.code, "Ito").reader_id
    first = present(study, reader)
    assert 29 < first.seconds_left <= 30
    save_draft(study, reader, first.position, "alone", says("PCNSL").to_json())
    wind_clock(study, 40)
    second = present(study, reader)
    assert (second.step, second.timed_out, second.answers["alone"]) == ("with network", True, says("PCNSL"))
    send(study, reader, first.position, "with network", says("PCNSL"))
    third = move_on(study, reader, first.position)
    save_draft(study, reader, third.position, "alone", {"diagnosis": None})
    wind_clock(study, 40)
    late = present(study, reader)
    assert (late.step, late.timed_out, late.answers) == ("pathology", True, {})
    with pytest.raises(TeachingError, match="time for this case was over"):
        send(study, reader, third.position, "alone", says("PCNSL"))


def test_an_answer_on_its_way_when_the_time_ends_counts(study: Study) -> None:
    made = make_session(study, limit_s=30)
    reader = join(study, made.code, "Ito").reader_id
    position = present(study, reader).position
    wind_clock(study, 31)
    assert send(study, reader, position, "alone", says("PCNSL")).answers["alone"] == says("PCNSL")


def test_going_back_keeps_both_answers_and_never_answers_alone_after_the_network(study: Study) -> None:
    made = make_session(study, order="fixed", reveals=frozenset({"network"}), going_back=True)
    reader = join(study, made.code, "Ito").reader_id
    with pytest.raises(TeachingError, match="the first"):
        go_back(study, reader)
    send(study, reader, 0, "alone", says("PCNSL"))
    assert send(study, reader, 0, "with network", says("PCNSL")).position == 1
    again = go_back(study, reader)
    assert (again.position, again.step) == (0, "with network")
    with pytest.raises(TeachingError, match="answered already"):
        send(study, reader, 0, "alone", says("meningioma"))
    assert send(study, reader, 0, "with network", says("meningioma")).position == 1
    with study.session() as session:
        rows = session.execute(select(Answer.step, Answer.version, Answer.diagnosis).order_by(Answer.id)).all()
    assert [tuple(row) for row in rows] == [
        ("alone", 1, "PCNSL"),
        ("with network", 1, "PCNSL"),
        ("with network", 2, "meningioma"),
    ]
    assert read_answers(study, made.session_id).assisted[0, 0] == 2


def test_a_session_that_does_not_go_back_says_so(study: Study, made: TeachingSession) -> None:
    with pytest.raises(TeachingError, match="does not go back"):
        go_back(study, join(study, made.code, "Ito").reader_id)


def test_going_back_and_keeping_the_answer_goes_on(study: Study) -> None:
    made = make_session(study, order="fixed", reveals=frozenset(), going_back=True, count=2)
    reader = join(study, made.code, "Ito").reader_id
    send(study, reader, 0, "alone", says("PCNSL"))
    assert send(study, reader, 1, "alone", says("PCNSL")).step == "done"
    assert go_back(study, reader).position == 1
    assert send(study, reader, 1, "alone", says("PCNSL")).step == "done"
    assert count_answers(study, made.session_id) == 2


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (says("schwannoma"), "Choose a diagnosis"),
        (GivenAnswer(diagnosis="PCNSL", confidence={}), "how sure you are of PCNSL"),
        (says("PCNSL", 120), "from 0 to 100"),
        (says("PCNSL", reasoning="x" * 501), "501 characters"),
        (says("PCNSL", reasoning="Taro Yamada 1961-02-03"), "The reasoning could hold a name"),
    ],
)
def test_answers_that_cannot_be_meant_are_refused_in_words(
    study: Study, made: TeachingSession, answer: GivenAnswer, sentence: str
) -> None:
    reader = join(study, made.code, "Ito").reader_id
    position = present(study, reader).position
    with pytest.raises(TeachingError, match=sentence):
        send(study, reader, position, "alone", answer)
    assert present(study, reader).step == "alone"


def test_a_closed_session_takes_no_answer_and_keeps_those_it_has(study: Study, made: TeachingSession) -> None:
    reader = join(study, made.code, "Ito").reader_id
    position = present(study, reader).position
    send(study, reader, position, "alone", says("PCNSL"))
    close_session(study, made.session_id)
    with pytest.raises(TeachingError, match="is closed"):
        send(study, reader, position, "with network", says("PCNSL"))
    assert count_answers(study, made.session_id) == 1


def test_the_exercise_of_finding_the_tumour_asks_for_a_mark_and_shows_the_outcome(study: Study) -> None:
    made = make_session(study, exercise="locate", order="fixed")
    reader = join(study, made.code, "Ito").reader_id
    with pytest.raises(TeachingError, match="Mark where the tumour is"):
        send(study, reader, 0, "alone", GivenAnswer(diagnosis=None, confidence={}))
    mark = Mark(slice_index=1, row=3, column=4)
    after = send(study, reader, 0, "alone", GivenAnswer(diagnosis=None, confidence={}, mark=mark))
    assert (after.step, after.answers["alone"].mark) == ("pathology", mark)


def test_scores_get_every_answer_at_its_place(study: Study) -> None:
    made = make_session(study, count=3, confidence="each")
    shares = {"glioblastoma": 10, "PCNSL": 70, "meningioma": 20}
    reader = join(study, made.code, "Ito").reader_id
    join(study, made.code, "Mori")
    first = present(study, reader)
    send(study, reader, first.position, "alone", GivenAnswer(diagnosis="PCNSL", confidence=shares))
    found = read_answers(study, made.session_id)
    assert found.readers == ("Ito", "Mori")
    assert found.alone[0, first.position] == 1
    assert (found.alone[1] == -1).all()
    assert list(found.alone_confidence[0, first.position]) == pytest.approx([0.1, 0.7, 0.2])
    assert list(found.network.sum(axis=1)) == pytest.approx([1, 1, 1])
    assert [found.classes[place] for place in found.truth] == list(read_truth(study, made.session_id))


def test_the_instructor_sees_how_far_everybody_is_without_opening_anything(study: Study) -> None:
    made = make_session(study, order="fixed", count=2)
    reader = join(study, made.code, "Ito").reader_id
    join(study, made.code, "Mori")
    send(study, reader, present(study, reader).position, "alone", says("PCNSL"))
    first, second = read_progress(study, made.session_id)
    assert (first.reader, first.step, first.answered, first.cases) == (
        "Ito",
        "with network",
        0,
        2,
    )
    assert not first.finished
    assert (second.case_id, second.last_answer_at) == (None, None)
    with study.session() as session:
        assert session.scalar(select(func.count()).select_from(Reading)) == 1


def test_results_over_sessions_follow_the_person(study: Study) -> None:
    for expected in (1, 0):
        made = make_session(study, order="fixed", count=1, reveals=frozenset())
        truth = read_truth(study, made.session_id)[0]
        other = "PCNSL" if truth != "PCNSL" else "meningioma"
        reader = join(study, made.code, "Ito", subject="idp|1").reader_id
        send(study, reader, 0, "alone", says(truth if expected else other))
    found = read_results_of(study, name="Ito", subject="idp|1")
    assert [(one.session_id, one.right, one.n) for one in found] == [("ses-001", 1, 1), ("ses-002", 0, 1)]
    assert read_results_of(study, name="Ito", subject=None) == ()


def test_the_table_of_answers_cannot_run_in_a_spreadsheet_and_hides_names_where_asked(study: Study) -> None:
    made = make_session(study, order="fixed", reasoning=True)
    reader = join(study, made.code, "Ito").reader_id
    send(study, reader, 0, "alone", says("PCNSL", reasoning="=1+1"))
    table = answers_csv(study, made.session_id, names=["Vega"])
    assert "Ito" not in table
    assert table.splitlines()[1].startswith("ses-001,Vega,1,case-")
    assert "'=1+1" in table
    assert "Ito" in answers_csv(study, made.session_id)


def test_twenty_readers_at_once_lose_no_answer_and_none_counts_twice(study: Study) -> None:
    made = make_session(study, count=8)
    truth = read_truth(study, made.session_id)

    def read_all(number: int) -> None:
        reader = join(study, made.code, f"R{number}").reader_id
        now = present(study, reader)
        while now.step != "done":
            if now.step == "pathology":
                now = move_on(study, reader, now.position)
            else:
                step, position = now.step, now.position
                answer = says(truth[position], number)
                with ThreadPoolExecutor(2) as windows:  # the same answer from two windows
                    sent = [windows.submit(send, study, reader, position, step, answer) for _ in range(2)]
                assert all(one.result() for one in sent)
                now = present(study, reader)

    with ThreadPoolExecutor(20) as readers:
        list(readers.map(read_all, range(20)))
    found = read_answers(study, made.session_id)
    assert (found.alone == found.truth).all()
    assert (found.assisted == found.truth).all()
    assert count_answers(study, made.session_id) == 20 * 8 * 2
    assert all(one.finished for one in read_progress(study, made.session_id))
