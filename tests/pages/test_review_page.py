"""The review page, driven through app.py."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import inspect, select
from streamlit.testing.v1 import AppTest

from brainmri import tasks
from brainmri.dashboard.review import TestedCase, read_tested_cases
from brainmri.database import Base
from brainmri.explanation.maps import FILE_NAME, RunMaps, write_maps
from brainmri.review.corrections import exclude_case, read_corrections
from brainmri.review.worklist import read_worklist
from brainmri.study import Study
from brainmri.training.records import Experiment, Prediction, Run, Split
from brainmri.vocabulary import TRAINED_DIAGNOSES
from tests.evaluation.finished_experiment import add_experiment

RUN = "exp-001-resnet50-01"
OpenReview = Callable[..., AppTest]


@pytest.fixture
def open_review(open_page: Callable[..., AppTest]) -> OpenReview:
    """Return a function that opens the review page, with what its address carries."""
    return lambda **query: open_page("review", **query)


@pytest.fixture
def mistaken_study(filled_study: Study) -> Study:
    """Return a filled study in which the run has its first test case wrong on every slice."""
    first = read_tested_cases(filled_study, "exp-001", RUN)[0]
    with filled_study.session() as session:
        for image in first.images:
            row = session.get_one(Prediction, (RUN, image.sample_index))
            row.predicted_class = (first.true_class + 1) % 3
            row.probabilities = [0.9 if name == row.predicted_class else 0.05 for name in range(3)]
    return filled_study


def texts(app: AppTest) -> str:
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.info, app.warning, app.error)
    return "\n".join(element.value for kind in kinds for element in kind)


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def worklist_of(app: AppTest) -> pd.DataFrame:
    return next(frame.value for frame in app.dataframe if "Most runs say" in frame.value)


def cases_of(study: Study, run_id: str = RUN) -> tuple[TestedCase, ...]:
    return read_tested_cases(study, "exp-001", run_id)


def add_maps(study: Study, run_id: str = RUN) -> None:
    with study.session() as session:
        test = session.scalars(select(Split.test).where(Split.repeat == int(run_id[-2:]))).one()
    maps = np.random.default_rng(1).random((len(test), 3, 7, 7), dtype=np.float32)
    write_maps(
        study.run_folder(run_id) / FILE_NAME,
        RunMaps(layer="layer4.2", classes=TRAINED_DIAGNOSES, size_px=64, sample_index=np.array(test), maps=maps),
    )


@pytest.mark.usefixtures("empty_study")
def test_an_empty_study_is_met_with_a_sentence_and_a_way_on(open_review: OpenReview) -> None:
    app = open_review()
    assert "Nothing to review yet" in texts(app)
    assert "Go to training" in [link.proto.label for link in app.get("page_link")]


def test_before_the_first_finished_run_cases_are_promised(empty_study: Study, open_review: OpenReview) -> None:
    add_experiment(empty_study, finished=False)
    assert "No run has finished" in texts(open_review())


def test_a_link_opens_its_case_under_its_run(filled_study: Study, open_review: OpenReview) -> None:
    case = cases_of(filled_study)[1]
    app = open_review(experiment="exp-001", run=RUN, case=case.case_id)
    assert metrics(app)["Case"] == case.case_id
    assert metrics(app)["ResNet50 says"].lower() == case.predicted.lower()
    assert "Held-out test case" in texts(app)
    assert "Phantom" in texts(app)
    assert app.get("bidi_component")


def test_a_link_with_a_run_alone_finds_its_experiment_and_keeps_it(
    filled_study: Study, open_review: OpenReview
) -> None:
    app = open_review(run=RUN)
    assert {name: app.query_params[name] for name in ("experiment", "run", "case")} == {
        "experiment": "exp-001",
        "run": RUN,
        "case": cases_of(filled_study)[0].case_id,
    }


def test_a_link_with_a_case_alone_finds_a_run_that_tested_it(filled_study: Study, open_review: OpenReview) -> None:
    case = cases_of(filled_study, "exp-001-alexnet-02")[-1].case_id
    assert metrics(open_review(case=case))["Case"] == case


def test_a_case_that_the_run_trained_on_is_refused_in_words(filled_study: Study, open_review: OpenReview) -> None:
    known = [case.case_id for case in cases_of(filled_study)]
    other = next(f"case-{n:04d}" for n in range(1, 10) if f"case-{n:04d}" not in known)
    app = open_review(run=RUN, case=other)
    assert f"This run did not test {other}" in texts(app)
    assert metrics(app)["Case"] in known


@pytest.mark.parametrize("query", [{"experiment": "exp-999"}, {"run": "x'; --"}, {"case": "../.."}])
def test_nonsense_in_the_address_opens_the_first_case(
    filled_study: Study, open_review: OpenReview, query: dict[str, str]
) -> None:
    del filled_study
    assert metrics(open_review(**query))["Case"].startswith("case-")


def listed(study: Study) -> list[str]:
    return [row.case_id for row in read_worklist(study, "exp-001").rows]


def test_every_case_of_the_experiment_is_listed_the_hardest_first(
    mistaken_study: Study, open_review: OpenReview
) -> None:
    wrong = cases_of(mistaken_study)[0]
    app = open_review(run=RUN)
    assert metrics(app)["Case"] == wrong.case_id
    assert "wrong" in [metric.delta for metric in app.metric]
    table = worklist_of(app)
    assert list(table["Case"]) == listed(mistaken_study)
    assert list(table["Wrong"]) == sorted(table["Wrong"], reverse=True)
    of_run = {case.case_id: "✓" if case.is_right else "✗" for case in cases_of(mistaken_study)}
    assert table["This run"].fillna("–").tolist() == [of_run.get(name, "–") for name in listed(mistaken_study)]


def test_the_cases_of_the_run_or_its_errors_alone_are_listed(mistaken_study: Study, open_review: OpenReview) -> None:
    app = open_review(run=RUN)
    for scope, cases in (
        ("run", cases_of(mistaken_study)),
        ("wrong", [case for case in cases_of(mistaken_study) if not case.is_right]),
    ):
        app.segmented_control(key="review-scope").set_value(scope).run()
        assert app.query_params["list"] == scope
        assert sorted(worklist_of(app)["Case"]) == sorted(case.case_id for case in cases)


def test_choosing_wrong_only_leaves_a_right_case(mistaken_study: Study, open_review: OpenReview) -> None:
    wrong, *_, right = cases_of(mistaken_study)
    app = open_review(run=RUN, case=right.case_id)
    assert metrics(app)["Case"] == right.case_id
    app.segmented_control(key="review-scope").set_value("wrong").run()
    assert metrics(app)["Case"] == wrong.case_id


def test_next_and_previous_walk_the_list_and_change_to_a_run_that_tested_the_case(
    filled_study: Study, open_review: OpenReview
) -> None:
    order = listed(filled_study)
    app = open_review(case=order[0])
    runs = []
    assert {button.label: button for button in app.button}["Previous"].disabled
    for name in order[1:]:
        press(app, "Next")
        assert metrics(app)["Case"] == app.query_params["case"] == name
        runs.append(app.query_params["run"])
        assert name in [case.case_id for case in cases_of(filled_study, runs[-1])]
    assert len({run[-2:] for run in runs}) == 2, "no repeat tested them all"
    assert {button.label: button for button in app.button}["Next"].disabled
    press(app, "Previous")
    assert metrics(app)["Case"] == order[-2]


def test_another_network_keeps_the_repeat_and_the_case(filled_study: Study, open_review: OpenReview) -> None:
    case = cases_of(filled_study)[-1].case_id
    app = open_review(run=RUN, case=case)
    app.segmented_control(key="review-network").set_value("alexnet").run()
    assert app.query_params["run"] == "exp-001-alexnet-01"
    assert metrics(app)["Case"] == case
    app.selectbox(key="review-run").set_value("exp-001-alexnet-02").run()
    assert app.query_params["run"] == "exp-001-alexnet-02"
    assert metrics(app)["Case"] in [case.case_id for case in cases_of(filled_study, "exp-001-alexnet-02")]


def test_all_runs_that_tested_the_case_say_what_they_take_it_for(filled_study: Study, open_review: OpenReview) -> None:
    case = cases_of(filled_study)[0]
    app = open_review(run=RUN, case=case.case_id)
    cells = [
        one[0] for trace in json.loads(app.get("plotly_chart")[0].proto.spec)["data"] for one in trace["customdata"]
    ]
    assert RUN in cells
    assert len(cells) == len(set(cells)) >= 3, "three networks share the split"
    assert "runs that tested it" in texts(app)


def test_a_finding_is_written_down_and_counted(filled_study: Study, open_review: OpenReview) -> None:
    case = cases_of(filled_study)[0]
    app = open_review(run=RUN, case=case.case_id)
    assert "0 of " in texts(app)
    app.text_input(key="reviewer").set_value("AB").run()
    next(one for one in app.button_group if one.label == "What explains it?").set_value("wrong region")
    next(one for one in app.button if one.label == "Save finding").click().run()
    assert not app.exception
    assert "1 of " in texts(app)
    assert "wrong region" in worklist_of(app)["Finding"].tolist()


def correct(app: AppTest, kind: str = "relabel") -> AppTest:
    app.text_input(key="reviewer").set_value("AB").run()
    app.toggle(key="correction-open").set_value(True).run()
    return app.button_group(key="correction-kind").set_value(kind).run()


def press(app: AppTest, label: str) -> AppTest:
    return next(one for one in app.button if one.label == label).click().run()


def test_another_diagnosis_is_noted_and_leads_to_a_new_training(
    filled_study: Study, open_review: OpenReview, started: list
) -> None:
    case = cases_of(filled_study)[0]
    app = correct(open_review(run=RUN, case=case.case_id))
    app.selectbox[-1].set_value("schwannoma")
    press(app, "Note the correction")
    assert "Give a reason" in texts(app)
    next(one for one in app.text_input if one.label == "Reason").set_value("second histology")
    press(app, "Note the correction")
    assert not app.exception
    (correction,) = read_corrections(filled_study, case.case_id)
    assert (correction.kind, correction.diagnosis, correction.author) == ("relabel", "schwannoma", "AB")
    assert "1 case would differ: 1 correction noted" in texts(app)
    press(app, "Train again with these changes")
    kind, arguments, _subject = started[0]
    assert (kind, arguments) == ("train", ["retrain", "exp-001", "--queue"])


def test_a_correction_is_taken_back(filled_study: Study, open_review: OpenReview) -> None:
    case = cases_of(filled_study)[0]
    exclude_case(filled_study, case.case_id, reason="twice the same patient", author="CD")
    app = open_review(run=RUN, case=case.case_id)
    app.text_input(key="reviewer").set_value("AB").run()
    next(one for one in app.button if one.label == "Take back").click().run()
    assert not app.exception
    assert read_corrections(filled_study) == []


def test_a_region_is_asked_for_before_it_is_noted(filled_study: Study, open_review: OpenReview) -> None:
    app = correct(open_review(run=RUN, case=cases_of(filled_study)[0].case_id), "region")
    assert "Draw a square over the tumour" in texts(app)
    next(one for one in app.text_input if one.label == "Reason").set_value("misses the tumour")
    press(app, "Note the correction")
    assert "Draw the square in the viewer above first" in texts(app)
    assert read_corrections(filled_study) == []


def repeat_experiment(study: Study) -> None:
    """Add exp-002, which repeats exp-001 and says the same of every image."""

    def copied(row: Base, **changes: object) -> Base:
        values = {column.key: getattr(row, column.key) for column in inspect(type(row)).mapper.column_attrs}
        return type(row)(**(values | {"experiment_id": "exp-002"} | changes))

    with study.session() as session:
        session.add(copied(session.get_one(Experiment, "exp-001"), parent_id="exp-001"))
        session.flush()
        session.add_all([copied(one, id=None) for one in session.scalars(select(Split))])
        runs = session.scalars(select(Run).where(Run.experiment_id == "exp-001")).all()
        session.add_all([copied(one, run_id=one.run_id.replace("exp-001", "exp-002")) for one in runs])
        session.flush()
        for one in session.scalars(select(Prediction)).all():
            values = {column.key: getattr(one, column.key) for column in inspect(Prediction).mapper.column_attrs}
            session.add(Prediction(**(values | {"run_id": one.run_id.replace("exp-001", "exp-002")})))


def test_before_and_after_are_shown_where_an_experiment_repeats_another(
    filled_study: Study, open_review: OpenReview
) -> None:
    app = open_review(experiment="exp-001", panel="change")
    assert app.button_group(key="review-panel").value == "cases"
    repeat_experiment(filled_study)
    app = open_review(experiment="exp-002", panel="change")
    assert not app.exception
    assert app.button_group(key="review-panel").value == "change"
    networks, cases = (frame.value for frame in app.dataframe if "Slice" not in frame.value)
    assert networks["Network"].tolist() == ["AlexNet", "GoogLeNet", "ResNet50"]
    assert set(networks["Difference (points)"]) == {"+0.0"}
    assert set(networks["Won"]) == set(networks["Lost"]) == set(cases["Change"]) == {0}
    assert "exp-002 less exp-001" in texts(app)


def test_probabilities_are_drawn_and_listed_slice_by_slice(filled_study: Study, open_review: OpenReview) -> None:
    case = cases_of(filled_study)[0]
    app = open_review(run=RUN, case=case.case_id)
    (bars,) = json.loads(app.get("plotly_chart")[1].proto.spec)["data"]
    assert bars["x"] == pytest.approx([100 * share for share in case.probabilities])
    assert list(app.dataframe[0].value["Slice"]) == [image.slice_index + 1 for image in case.images]


def test_stored_maps_are_explained_and_not_offered_again(filled_study: Study, open_review: OpenReview) -> None:
    add_maps(filled_study)
    app = open_review(run=RUN)
    assert "Grad-CAM of the layer layer4.2, a grid of 7 × 7" in texts(app)
    assert "cannot tell which sequence mattered" in texts(app)
    assert "Explain this run" not in [button.label for button in app.button]


def test_missing_maps_are_made_on_request(filled_study: Study, open_review: OpenReview, started: list) -> None:
    del filled_study
    app = open_review(run=RUN)
    assert "It is not stored yet where the network looked" in texts(app)
    next(button for button in app.button if button.label == "Explain this run").click().run()
    assert started == [("explain", ["explain-all", RUN], RUN)]


def test_maps_that_are_being_made_show_their_progress(filled_study: Study, open_review: OpenReview) -> None:
    with tasks.running(filled_study, "explain", subject=RUN) as handle:
        handle.report(0.4, "Grad-CAM")
        app = open_review(run=RUN)
        assert f"Explaining {RUN}" in texts(app)
        assert "Grad-CAM · 40%" in texts(app)
        for panel in ("sequences", "checks", "similar"):  # which say so themselves, and only once
            app.button_group(key="review-panel").set_value(panel).run()
            assert not app.exception, panel
            assert texts(app).count("Grad-CAM · 40%") == 1
            assert "There are no maps of this case yet" in texts(app)


def test_a_missing_volume_is_said_in_a_sentence(filled_study: Study, open_review: OpenReview) -> None:
    case = cases_of(filled_study)[0].case_id
    (filled_study.case_folder(case) / "T2.nii.gz").unlink()
    app = open_review(run=RUN, case=case)
    assert "Import the case again" in texts(app)
    assert metrics(app)["Case"] == case


def test_a_verdict_is_the_mean_over_slices(mistaken_study: Study) -> None:
    for case in cases_of(mistaken_study):
        means = np.mean([image.probabilities for image in case.images], axis=0)
        assert case.probabilities == pytest.approx(tuple(means))
        assert case.predicted_class == int(means.argmax())
        assert case.certainty == pytest.approx(float(means.max()))


@pytest.mark.usefixtures("mistaken_study")
def test_the_volume_is_offered_as_a_panel(open_review: OpenReview) -> None:
    app = open_review(panel="volume")
    assert not app.exception
    assert "The whole volume" in [one.value for one in app.subheader]
