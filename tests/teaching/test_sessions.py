"""Sessions are made, found, copied and closed."""

import pytest

from brainmri.errors import TeachingError
from brainmri.review.filters import Filter
from brainmri.review.findings import Entry, add_finding
from brainmri.study import Study
from brainmri.teaching import sessions as module
from brainmri.teaching.choosing import Wish, choose_cases, describe_choice, take_cases
from brainmri.teaching.plans import SessionPlan
from brainmri.teaching.reading import join
from brainmri.teaching.sessions import (
    close_session,
    copy_session,
    create_session,
    delete_session,
    find_session,
    list_sessions,
    read_cases,
    read_truth,
    reopen_session,
)
from brainmri.training.records import Run
from tests.evaluation.finished_experiment import add_experiment
from tests.teaching.sessions_for_tests import make_session


@pytest.fixture
def filled(study: Study) -> Study:
    add_experiment(study, repeats=4, cases=12, slices=2)
    return study


def trained_on(study: Study, run_id: str, case_id: str) -> bool:
    """Return whether no stored prediction says that the run tested the case."""
    from brainmri.evaluation.loading import load_predictions

    found = load_predictions(study, "exp-001")
    run = [one.run_id for one in found.runs].index(run_id)
    case = found.case_ids.index(case_id)
    return not ((found.run == run) & (found.case == case)).any()


def test_the_network_shown_for_a_case_was_tested_on_it(filled: Study) -> None:
    for seed in range(5):
        for case in choose_cases(filled, "exp-001", Wish(count=8, seed=seed)):
            assert not trained_on(filled, case.run_id, case.case_id)


def test_errors_show_a_network_that_was_wrong_and_the_description_counts_them(filled: Study) -> None:
    cases = choose_cases(filled, "exp-001", Wish(count=50, only_errors=True))
    assert cases
    assert all(case.network_right is False for case in cases)
    assert describe_choice(cases).endswith(f"the network is wrong in {len(cases)}")


def test_a_balanced_choice_has_as_many_of_each_diagnosis(filled: Study) -> None:
    cases = choose_cases(filled, None, Wish(count=6, balanced=True, seed=3))
    labels = [case.diagnosis for case in cases]
    assert {name: labels.count(name) for name in set(labels)} == {"glioblastoma": 2, "PCNSL": 2, "meningioma": 2}
    assert all(case.run_id is None for case in cases)


def test_the_same_seed_draws_the_same_cases_and_another_one_others(filled: Study) -> None:
    first, again, other = (choose_cases(filled, "exp-001", Wish(count=6, seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_bookmarked_cases_are_found_by_the_filter_of_the_worklist(filled: Study) -> None:
    tested = choose_cases(filled, "exp-001", Wish(count=1))[0].case_id
    add_finding(filled, "exp-001", tested, "Abe", Entry(verdict="model error", bookmarked=True))
    found = choose_cases(filled, "exp-001", Wish(count=9, chosen=Filter(bookmarked=True)))
    assert [case.case_id for case in found] == [tested]


@pytest.mark.parametrize(
    ("case_ids", "sentence"),
    [
        (["case-0001", "case-0001"], "case-0001 was named twice"),
        (["case-0099"], "is no case of this study"),
    ],
)
def test_cases_by_hand_are_checked(filled: Study, case_ids: list[str], sentence: str) -> None:
    with pytest.raises(TeachingError, match=sentence):
        take_cases(filled, "exp-001", case_ids)


def test_cases_by_hand_keep_their_order(filled: Study) -> None:
    assert [case.case_id for case in take_cases(filled, None, ["case-0007", "case-0002"])] == ["case-0007", "case-0002"]


def test_a_wish_that_nothing_fits_is_refused(filled: Study) -> None:
    with pytest.raises(TeachingError, match="No case fits"):
        choose_cases(filled, "exp-001", Wish(count=3, diagnoses=("schwannoma",)))
    with pytest.raises(TeachingError, match="need an experiment"):
        choose_cases(filled, None, Wish(count=3, only_errors=True))


def test_a_session_is_found_by_its_code_however_it_is_written(study: Study) -> None:
    made = make_session(study)
    assert set(made.code) <= set(module.CODE_LETTERS)
    assert len(made.code) == 6
    assert find_session(study, f" {made.code[:3].lower()}-{made.code[3:]} ").session_id == made.session_id == "ses-001"
    with pytest.raises(TeachingError, match="no session with this code"):
        find_session(study, "ZZZZZZ")


def test_a_code_that_is_taken_is_drawn_again(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_session(study)
    letters = iter(first.code + "ABCDEF")
    monkeypatch.setattr(module.secrets, "choice", lambda _letters: next(letters))
    assert make_session(study).code == "ABCDEF"


def test_a_copy_has_the_same_cases_and_networks_and_no_reader(study: Study) -> None:
    made = make_session(study)
    join(study, made.code, "Ito")
    copied = copy_session(study, made.session_id, title="Rounds again", author="Abe")
    assert (copied.session_id, copied.copied_from, copied.plan) == ("ses-002", "ses-001", made.plan)
    both = [[(one.case_id, one.run_id) for one in read_cases(study, name)] for name in ("ses-001", "ses-002")]
    assert both[0] == both[1]
    assert [(one.cases, one.readers) for one in list_sessions(study)] == [(4, 0), (4, 1)]


def test_a_session_that_somebody_joined_is_closed_and_not_deleted(study: Study) -> None:
    made = make_session(study)
    delete_session(study, make_session(study).session_id)
    join(study, made.code, "Ito")
    with pytest.raises(TeachingError, match="Close it instead"):
        delete_session(study, made.session_id)
    close_session(study, made.session_id)
    with pytest.raises(TeachingError, match="'Rounds' is closed"):
        join(study, made.code, "Mori")
    reopen_session(study, made.session_id)
    join(study, made.code, "Mori")


def test_the_truth_is_in_the_order_of_the_cases(study: Study) -> None:
    made = make_session(study, count=6)
    names = [case.case_id for case in read_cases(study, made.session_id)]
    expected = [("glioblastoma", "PCNSL", "meningioma")[(int(name[-4:]) - 1) % 3] for name in names]
    assert list(read_truth(study, made.session_id)) == expected


def test_a_session_without_title_case_or_network_is_refused(filled: Study) -> None:
    cases = choose_cases(filled, None, Wish(count=2))
    with pytest.raises(TeachingError, match="title"):
        create_session(filled, SessionPlan(), cases, title="  ", author="Abe")
    with pytest.raises(TeachingError, match="at least one case"):
        create_session(filled, SessionPlan(), [], title="A", author="Abe")
    with pytest.raises(TeachingError, match="no network was tested"):
        create_session(filled, SessionPlan(), cases, title="A", author="Abe")
    with pytest.raises(TeachingError, match="not among the diagnoses offered"):
        plan = SessionPlan(classes=("PCNSL", "schwannoma"), reveals=frozenset())
        create_session(filled, plan, choose_cases(filled, None, Wish(count=12)), title="A", author="Abe")


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        ({"classes": ("PCNSL",)}, "two diagnoses or more"),
        ({"limit_s": 1}, "expected 5 to 3600 s"),
        ({"going_back": True}, "cannot go back"),
        ({"reveals": frozenset({"truth"})}, "no reveal 'truth'"),
        ({"order": "random"}, "no order 'random'"),
    ],
)
def test_plans_that_cannot_be_meant_are_refused(plan: dict, sentence: str) -> None:
    with pytest.raises(TeachingError, match=sentence):
        SessionPlan(**plan)


def test_a_plan_comes_back_from_the_database_as_it_was() -> None:
    plan = SessionPlan(limit_s=60, reveals=frozenset({"network"}), going_back=True, clinical_columns=("age",))
    assert SessionPlan.from_json(plan.to_json()) == plan


def test_runs_are_rows_of_the_study(study: Study) -> None:
    made = make_session(study)
    with study.session() as session:
        assert all(session.get(Run, case.run_id) for case in read_cases(study, made.session_id))
