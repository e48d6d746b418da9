"""The worklist of the review page: its filter in the address and in the popover, saved lists, reviewers, downloads."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from brainmri.dashboard.findings import describe_agreement
from brainmri.dashboard.review import read_verdicts
from brainmri.dashboard.reviewing.filtering import describe_filter
from brainmri.dashboard.reviewing.walk import run_that_tested
from brainmri.dashboard.reviewing.worklist import agreement_rows, worklist_rows
from brainmri.review.agreement import measure_agreement
from brainmri.review.filters import Filter
from brainmri.review.findings import Entry, add_finding
from brainmri.review.records import Finding
from brainmri.review.saved_lists import read_lists, save_list
from brainmri.review.worklist import Worklist, read_worklist
from brainmri.study import Study
from tests.pages.test_review_page import metrics, press, repeat_experiment, texts

EXPERIMENT = "exp-001"
OpenPage = Callable[..., AppTest]


@pytest.fixture
def whole(filled_study: Study) -> Worklist:
    return read_worklist(filled_study, EXPERIMENT)


def listed(app: AppTest) -> list[str]:
    """Return the cases of the worklist's table."""
    table = next(frame.value for frame in app.dataframe if "Most runs say" in frame.value)
    return table["Case"].tolist()


def names(worklist: Worklist) -> list[str]:
    return [row.case_id for row in worklist.rows]


def open_filter(app: AppTest) -> AppTest:
    """Open the popover, which the test's browser side closes at every run."""
    app.session_state["review-filter"] = True
    return app.run()


def test_a_link_holds_the_filter_and_opens_the_first_case_that_fits(open_page: OpenPage, whole: Worklist) -> None:
    diagnosis = whole.rows[-1].diagnosis
    fitting = whole.select(Filter(diagnosis=(diagnosis,)))
    app = open_page("review", diagnosis=diagnosis)
    assert listed(app) == names(fitting)
    assert metrics(app)["Case"] == fitting.rows[0].case_id
    assert f"{len(fitting.rows)} of {len(whole.rows)} cases fit" in texts(app)
    press(app, "Clear")
    assert listed(app) == names(whole)
    assert "diagnosis" not in app.query_params


def test_a_filter_that_no_case_fits_says_so_and_leaves_the_case(open_page: OpenPage, whole: Worklist) -> None:
    app = open_page("review", case=whole.rows[0].case_id, text="nowhere")
    assert "No case fits" in texts(app)
    assert "No case is in this list" in texts(app)
    assert metrics(app)["Case"] == whole.rows[0].case_id
    buttons = {button.label: button for button in app.button}
    assert buttons["Previous"].disabled
    assert buttons["Next"].disabled


@pytest.mark.parametrize("query", [{"loss_from": "nan"}, {"status": "done"}, {"kind": "hard"}])
def test_a_filter_that_cannot_be_read_is_left_out_with_a_sentence(
    open_page: OpenPage, whole: Worklist, query: dict[str, str]
) -> None:
    app = open_page("review", **query)
    assert "The filter of this address is left out" in texts(app)
    assert listed(app) == names(whole)


def test_conditions_chosen_in_the_popover_combine_in_the_address(open_page: OpenPage, whole: Worklist) -> None:
    app = open_filter(open_page("review"))
    diagnosis = whole.rows[0].diagnosis
    open_filter(app.multiselect(key="filter-diagnosis").set_value([diagnosis]).run())
    highest = app.slider(key="filter-loss").max
    open_filter(app.slider(key="filter-loss").set_value((0.1, highest)).run())
    open_filter(app.text_input(key="filter-text").set_value("case").run())
    expected = Filter(diagnosis=(diagnosis,), loss_from=0.1, text="case")
    assert listed(app) == names(whole.select(expected))
    assert {name: [app.query_params[name]] for name in expected.to_query()} == expected.to_query()
    app.slider(key="filter-loss").set_value((0.0, highest)).run()
    assert "loss_from" not in app.query_params, "the ends of a range are no condition"


def test_each_choice_says_how_many_cases_it_would_leave(open_page: OpenPage, whole: Worklist) -> None:
    first = whole.rows[0]
    app = open_filter(open_page("review", predicted=first.predicted))
    left = whole.select(Filter(predicted=(first.predicted,))).count("diagnosis")
    options = app.multiselect(key="filter-diagnosis").options
    assert any(option.endswith(f"({left[first.diagnosis]})") for option in options)
    assert [option.rsplit(" (")[-1] for option in options] == [
        f"{left.get(name, 0)})" for name in whole.count("diagnosis")
    ]


def test_a_filter_is_saved_opened_and_deleted(filled_study: Study, open_page: OpenPage, whole: Worklist) -> None:
    app = open_page("review", status="open")
    app.text_input(key="reviewer").set_value("AB").run()
    open_filter(app)
    app.text_input(key="filter-name").set_value("To do").run()
    press(app, "Save")
    assert read_lists(filled_study) == {"To do": Filter(status="open")}
    save_list(filled_study, "Hard", Filter(kind=("always wrong",)), "CD")
    open_filter(app).selectbox(key="filter-list").set_value("Hard").run()
    assert (
        listed(app) == names(whole.select(Filter(kind=("always wrong",)))) if "No case fits" not in texts(app) else True
    )
    assert app.query_params["kind"] in ("always wrong", ["always wrong"])
    press(open_filter(app), "Delete")
    assert list(read_lists(filled_study)) == ["To do"]


def test_reviewers_stand_side_by_side_with_their_agreement(
    filled_study: Study, open_page: OpenPage, whole: Worklist
) -> None:
    one, other = whole.rows[0].case_id, whole.rows[1].case_id
    for reviewer, case_id, verdict in (
        ("AB", one, "artefact"),
        ("CD", one, "artefact"),
        ("EF, with a very long name of a department", one, "label error"),
        ("AB", other, "model error"),
        ("CD", other, "artefact"),
    ):
        add_finding(filled_study, EXPERIMENT, case_id, reviewer, Entry(verdict=verdict))  # type: ignore[arg-type]
    app = open_page("review", case=one)
    assert "2 of 3 reviewers say artefact" in texts(app)
    app.session_state["review-agreement"] = True
    app.run()
    table = next(frame.value for frame in app.dataframe if "Kappa" in frame.value).set_index("Reviewers")
    assert (table.loc["AB and CD", "Cases in common"], table.loc["AB and CD", "Agreed"]) == (2, 1)
    # AB: artefact, model error; CD: artefact twice: p_o = 1/2, p_e = 1/2 · 1 = 1/2
    assert table.loc["AB and CD", "Kappa"] == "0.00"
    assert "2 of " in texts(app)
    assert "reviewed" in metrics_beside(app)["Case"]


def metrics_beside(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.delta for metric in app.metric}


def test_progress_counts_the_list_that_is_walked(filled_study: Study, open_page: OpenPage, whole: Worklist) -> None:
    first = whole.rows[0].case_id
    add_finding(filled_study, EXPERIMENT, first, "AB", Entry(verdict="artefact"))
    app = open_page("review", case=first)
    assert metrics_beside(app)["Case"] == f"1 of {len(whole.rows)} · 1 of {len(whole.rows)} reviewed"
    app = open_page("review", case=first, status="open")
    count = len(whole.rows) - 1
    assert metrics_beside(app)["Case"] == f"not in the list · 0 of {count} reviewed"


def test_findings_of_the_experiment_that_is_repeated_are_shown_and_not_counted(
    filled_study: Study, open_page: OpenPage, whole: Worklist
) -> None:
    case_id = whole.rows[0].case_id
    add_finding(filled_study, EXPERIMENT, case_id, "AB", Entry(verdict="wrong region", note="cut off"))
    repeat_experiment(filled_study)
    app = open_page("review", experiment="exp-002", case=case_id)
    assert "**Found in exp-001**, which this experiment repeats" in texts(app)
    earlier = next(frame.value for frame in app.dataframe if "Found in" in frame.value)
    assert earlier[["Found in", "Reviewer", "Note"]].to_numpy().tolist() == [["exp-001", "AB", "cut off"]]
    assert f"0 of {len(whole.rows)} reviewed" in texts(app)
    assert "Found in" not in texts(open_page("review", experiment="exp-001", case=case_id))


def test_list_and_findings_can_be_taken_away(filled_study: Study, open_page: OpenPage) -> None:
    del filled_study
    app = open_page("review")
    buttons = {button.proto.label: button.proto for button in app.get("download_button")}
    assert {"List (CSV)", "Findings (CSV)"} <= set(buttons)
    assert not buttons["List (CSV)"].disabled


def test_a_name_that_is_entered_last_takes_nothing_out_of_the_form(filled_study: Study, open_page: OpenPage) -> None:
    del filled_study
    app = open_page("review")
    before = next(one for one in app.text_area if one.label == "Note").key
    app.text_input(key="reviewer").set_value("AB").run()
    assert next(one for one in app.text_area if one.label == "Note").key == before


def test_the_run_on_the_screen_is_kept_where_it_tested_the_case(filled_study: Study) -> None:
    verdicts = read_verdicts(filled_study, EXPERIMENT, 6)
    tested = {
        run.run_id: {verdicts.case_ids[case] for case in verdicts.case[verdicts.run == place]}
        for place, run in enumerate(verdicts.runs)
    }
    shown = "exp-001-googlenet-02"
    for case_id in sorted(set().union(*tested.values())):
        found = run_that_tested(verdicts, case_id, shown)
        assert case_id in tested[found]
        assert (found == shown) == (case_id in tested[shown])
        assert "googlenet" in found, "all networks of a repeat share its split"
    assert run_that_tested(verdicts, "case-9999", shown) is None


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (Filter(), []),
        (
            Filter(diagnosis=("PCNSL",), predicted=("glioblastoma", "meningioma")),
            ["PCNSL", "taken for Glioblastoma or Meningioma"],
        ),
        (Filter(confidence_from=0.6), ["confidence 60 % or more"]),
        (Filter(loss_from=0.5, loss_to=2), ["loss 0.5 to 2.0"]),
        (Filter(status="open", reviewer="AB", bookmarked=True), ["not reviewed by AB", "for teaching"]),
        (Filter(reviewer="AB", text="rim"), ["reviewed by AB", "“rim”"]),
        (Filter(disagreement=True, verdict=("artefact",)), ["networks disagree", "found: artefact"]),
    ],
)
def test_a_filter_is_said_in_words(chosen: Filter, words: list[str]) -> None:
    assert describe_filter(chosen) == words


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        (["artefact", "artefact"], "all 2 reviewers say artefact"),
        (["artefact", "label error"], "2 reviewers, each another verdict"),
        (["artefact", "artefact", "label error"], "2 of 3 reviewers say artefact"),
        (["artefact", "artefact", "label error", "label error"], "4 reviewers, divided: artefact 2, label error 2"),
    ],
)
def test_the_agreement_on_one_case_is_said_in_words(verdicts: list[str], words: str) -> None:
    assert describe_agreement([Finding(verdict=one) for one in verdicts]) == words


def test_rows_say_what_the_run_on_the_screen_makes_of_a_case(whole: Worklist) -> None:
    first, second, third = whole.rows[:3]
    rows = worklist_rows(whole.rows[:3], {first.case_id: True, second.case_id: False})
    assert [row["This run"] for row in rows] == ["✓", "✗", None]
    assert rows[2]["Wrong"] == pytest.approx(100 * third.wrong / third.tested)


def test_all_reviewers_together_are_named_by_their_number() -> None:
    ratings = {
        f"case-{n}": {"A": "artefact", "B": "artefact", "C": "label error" if n else "artefact"} for n in range(3)
    }
    rows = agreement_rows(measure_agreement(ratings))
    assert [row["Reviewers"] for row in rows] == ["All 3", "A and B", "A and C", "B and C"]
    assert [row["Agreed"] for row in rows] == [1, 3, 1, 1]
