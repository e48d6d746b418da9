"""What the review page shows of stored explanations, and the offer to make them."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from brainmri.dashboard.explanations import describe_missing
from brainmri.dashboard.explanations.helper import CaseJob
from brainmri.dashboard.review import TestedCase, read_tested_cases
from brainmri.explanation.case_files import case_file
from brainmri.explanation.contributions import Baseline, MissingSequence, RunContributions, write_contributions
from brainmri.explanation.faithfulness import RandomisationCheck, RandomisationStep
from brainmri.explanation.maps import FILE_NAME, RunMaps, write_maps
from brainmri.explanation.method_names import METHODS
from brainmri.explanation.neighbours import PARTS, RunFeatures, write_features
from brainmri.explanation.sequence_gradients import RunGradients, write_gradients
from brainmri.explanation.stored_faithfulness import RunFaithfulness, write_faithfulness
from brainmri.imaging.datasets import read_dataset, read_sample_rows
from brainmri.study import Study
from brainmri.training.file_names import CHECKPOINT_FILE
from brainmri.training.records import Split
from brainmri.vocabulary import TRAINED_DIAGNOSES, display_diagnosis

RUN = "exp-001-resnet50-01"
OpenPanel = Callable[..., AppTest]


@pytest.fixture
def case(filled_study: Study) -> TestedCase:
    return read_tested_cases(filled_study, "exp-001", RUN)[0]


@pytest.fixture
def open_panel(open_page: Callable[..., AppTest], case: TestedCase) -> OpenPanel:
    """Return a function that opens a panel of the first case of the run."""
    return lambda panel: open_page("review", run=RUN, case=case.case_id, panel=panel)


class FakeHelper:
    """Explains a case as a process would, at once; remembers what it was asked."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.asked: list[tuple[str, ...]] = []
        self.stopped: list[CaseJob] = []
        self.error = ""
        self.holds = False
        """Jobs do not end by themselves."""

    def prepare(self, run_id: str) -> None:
        """Be ready."""

    def check(self, job: CaseJob) -> None:
        """Be patient."""

    def ask(self, run_id: str, case_id: str, parts: list[str], *, method: str | None, layer: str | None) -> CaseJob:
        """Store games in which T1c alone speaks for the last class, or maps that rise with the class."""
        self.asked.append((run_id, case_id, *parts, *(wish for wish in (method, layer) if wish is not None)))
        job = CaseJob(len(self.asked), {})
        if self.holds:
            return job
        if self.error:
            job.end("failed", self.error)
        elif parts == ["contributions"]:
            store_contributions(self.study, run_id, case_id=case_id)
            job.end("finished")
        else:
            store_case_maps(self.study, run_id, case_id, method or "gradcam", layer)
            job.end("finished")
        return job

    def stop(self, job: CaseJob) -> None:
        """Note that nobody waits for a job."""
        self.stopped.append(job)
        job.end("stopped")


@pytest.fixture
def helper(filled_study: Study, monkeypatch: pytest.MonkeyPatch) -> FakeHelper:
    """Return what explains cases in place of a process, for a run whose network is stored."""
    fake = FakeHelper(filled_study)
    monkeypatch.setattr("brainmri.dashboard.explanations.asking.helper_of", lambda study, slow=False: fake)
    filled_study.run_folder(RUN).mkdir(parents=True, exist_ok=True)
    (filled_study.run_folder(RUN) / CHECKPOINT_FILE).touch()
    return fake


def store_case_maps(study: Study, run_id: str, case_id: str, method: str, layer: str | None) -> None:
    """Store what ``explain-case`` would: maps of a case alone."""
    case = next(one for one in read_tested_cases(study, "exp-001", run_id) if one.case_id == case_id)
    maps = np.broadcast_to(np.arange(3, dtype=np.float32)[:, None, None], (len(case.images), 3, 4, 4))
    write_maps(
        study.run_folder(run_id) / case_file(case_id, METHODS[method].file_on(layer)),
        RunMaps(
            layer=layer or ("layer4.2" if METHODS[method].on_layer else ""),
            classes=TRAINED_DIAGNOSES,
            size_px=64,
            sample_index=np.array([image.sample_index for image in case.images]),
            maps=maps,
            method=method,
        ),
    )


def texts(app: AppTest) -> str:
    kinds = (app.subheader, app.markdown, app.caption, app.info, app.warning, app.error)
    return "\n".join(element.value for kind in kinds for element in kind)


def held_out(study: Study) -> list[int]:
    with study.session() as session:
        return list(session.scalars(select(Split.test).where(Split.repeat == 1)).one())


def store_contributions(study: Study, run_id: str = RUN, *, case_id: str | None = None) -> None:
    """Store games in which T1c alone speaks for the last class."""
    samples = held_out(study)
    logits = np.zeros((len(samples), 1, 8, 3), dtype=np.float32)
    logits[:, :, [place for place in range(8) if place & 4], 2] = 3.0
    write_contributions(
        study,
        run_id,
        RunContributions(
            classes=TRAINED_DIAGNOSES,
            baseline=Baseline(name="blurred", sigma_px=4.0),
            made_from="",
            sample_index=np.array(samples),
            logits=logits,
        ),
        case_id=case_id,
    )


@pytest.mark.parametrize("panel", ["sequences", "checks", "similar"])
def test_what_is_not_stored_is_offered_and_started(open_panel: OpenPanel, started: list, panel: str) -> None:
    app = open_panel(panel)
    assert not app.exception
    assert "It is not stored yet" in texts(app)
    app.button(key="explain-all").click().run()
    assert started == [("explain", ["explain-all", RUN], RUN)]


def test_a_case_is_explained_when_it_is_opened(
    open_panel: OpenPanel, helper: FakeHelper, case: TestedCase, started: list
) -> None:
    app = open_panel("sequences")
    app.run()  # as the watching fragments do
    assert not app.exception
    assert helper.asked == [(RUN, case.case_id, "maps"), (RUN, case.case_id, "contributions")]
    assert "Grad-CAM of the layer layer4.2, a grid of 4 × 4" in texts(app)
    assert "Without T1c it would say" in texts(app)
    assert "what the other choices in place of a missing sequence give" in texts(app)
    assert "what each sequence contributed in this run" not in texts(app)  # nothing is offered that is there
    app.button(key="explain-rest").click().run()
    assert started == [("explain", ["explain-all", RUN], RUN)]


def test_other_layers_and_methods_are_asked_of_the_network(
    open_page: Callable[..., AppTest], helper: FakeHelper, case: TestedCase
) -> None:
    address = {"run": RUN, "case": case.case_id}
    app = open_page("review", **address)
    app.run()
    assert app.selectbox(key="review-layer").options == ["Late layer (usual)", "Middle layer", "Early layer"]
    app.selectbox(key="review-layer").set_value("layer3.5").run()
    app.run()
    assert app.query_params["layer"] == "layer3.5"
    assert "Grad-CAM of the layer layer3.5" in texts(app)
    app.selectbox(key="review-map").set_value("hirescam").run()
    app.run()
    assert helper.asked[-1] == (RUN, case.case_id, "maps", "hirescam", "layer3.5")
    app.selectbox(key="review-layer").set_value("layer4.2").run()
    app.run()
    assert helper.asked[-1] == (RUN, case.case_id, "maps", "hirescam")
    assert "layer" not in app.query_params
    assert len(helper.asked) == 4
    app = open_page("review", **address, map="hirescam", layer="layer3.5")
    assert "HiResCAM of the layer layer3.5" in texts(app)
    assert len(helper.asked) == 4, "it was stored"
    app = open_page("review", **address, layer="features.4")
    assert app.selectbox(key="review-layer").value == "layer4.2", "a layer of another network"


def test_what_takes_a_minute_begins_with_a_button_and_can_be_stopped(
    open_page: Callable[..., AppTest], helper: FakeHelper, case: TestedCase
) -> None:
    helper.holds = True
    app = open_page("review", run=RUN, case=case.case_id, map="occlusion")
    assert helper.asked == []
    app.button(key="ask-maps").click().run()
    assert helper.asked == [(RUN, case.case_id, "maps", "occlusion")]
    app.button(key="stop-maps").click().run()
    assert len(helper.stopped) == 1
    assert "Occlusion was stopped." in texts(app)
    helper.holds = False
    app.button(key="again-maps").click().run()
    assert "Occlusion, averaged to a grid of 4 × 4" in texts(app)


def test_a_job_is_stopped_where_its_visitor_goes_on(
    filled_study: Study, open_page: Callable[..., AppTest], helper: FakeHelper
) -> None:
    helper.holds = True
    first, second = read_tested_cases(filled_study, "exp-001", RUN)[:2]
    app = open_page("review", run=RUN, case=first.case_id)
    assert not helper.stopped
    app.query_params["case"] = second.case_id
    app.run()
    assert [one[1] for one in helper.asked] == [first.case_id, second.case_id]
    assert [one.job_id for one in helper.stopped] == [1]


def test_what_was_made_of_one_case_says_nothing_of_others(
    filled_study: Study, open_page: Callable[..., AppTest], case: TestedCase
) -> None:
    other = read_tested_cases(filled_study, "exp-001", RUN)[1]
    store_contributions(filled_study, case_id=other.case_id)
    app = open_page("review", run=RUN, case=case.case_id, panel="sequences")
    assert "It is not stored yet what each sequence contributed" in texts(app)


def test_why_a_case_cannot_be_explained_is_told(open_panel: OpenPanel, helper: FakeHelper, case: TestedCase) -> None:
    helper.error = "The checkpoint is damaged."
    app = open_panel("sequences")
    app.run()
    assert not app.exception
    assert texts(app).count("The checkpoint is damaged.") == 2  # at the viewer and in the panel
    assert len(helper.asked) == 2, "what failed is not asked again by itself"
    helper.error = ""
    app.button(key="again-maps").click().run()
    assert "Grad-CAM of the layer layer4.2" in texts(app)
    assert helper.asked[-1] == (RUN, case.case_id, "maps")


def test_each_sequence_has_its_bar_and_a_sentence_on_its_absence(
    filled_study: Study, open_panel: OpenPanel, case: TestedCase
) -> None:
    for run_id in (RUN, "exp-001-resnet50-02"):
        store_contributions(filled_study, run_id)
    app = open_panel("sequences")
    app.button_group(key=f"contributed-{RUN}-{case.case_id}").set_value(2).run()
    assert not app.exception
    (figure,) = [
        json.loads(chart.proto.spec) for chart in app.get("plotly_chart") if "For Meningioma" in chart.proto.spec
    ]
    t1, t2, t1c = figure["data"][0]["x"]
    assert (t1, t2) == pytest.approx((0, 0), abs=1e-9)
    assert t1c > 50
    shown = texts(app)
    assert "Without T1c it would say **Glioblastoma** (33 %): another answer." in shown
    assert "Without T1 it would still say Meningioma" in shown
    assert "What stands in for a missing sequence decides the answer" in shown


def test_another_method_is_compared_for_the_answer_that_it_explains(
    filled_study: Study, open_panel: OpenPanel, case: TestedCase
) -> None:
    store_contributions(filled_study)
    samples = held_out(filled_study)
    write_gradients(
        filled_study,
        RUN,
        RunGradients(
            made_from="",
            sample_index=np.array(samples),
            class_index=np.full(len(samples), 2),
            values=np.tile(np.array([1, 0, 3], dtype=np.float32), (len(samples), 1)),
            difference=np.full(len(samples), 4, dtype=np.float32),
        ),
    )
    app = open_panel("sequences")
    control = app.button_group(key=f"contributed-{RUN}-{case.case_id}")
    control.set_value(2).run()
    assert "gives T1 25\u00a0%, T2 0\u00a0%, T1c 75\u00a0%; the Shapley values" in texts(app)
    assert "give T1 0\u00a0%, T2 0\u00a0%, T1c 100\u00a0%. Both give T1c the largest part." in texts(app)
    app.button_group(key="contribution-score").set_value("logit").run()
    assert any('"Integrated Gradients"' in chart.proto.spec for chart in app.get("plotly_chart"))
    app.button_group(key=f"contributed-{RUN}-{case.case_id}").set_value(0).run()
    assert not app.exception
    assert "Integrated Gradients" not in texts(app)


def test_checks_are_told_in_sentences(filled_study: Study, open_panel: OpenPanel) -> None:
    samples = held_out(filled_study)
    count = len(samples)
    steps = (RandomisationStep(layer="", correlations=(0.1, 0.2)),)
    write_faithfulness(
        filled_study,
        RUN,
        RunFaithfulness(
            method="gradcam",
            made_from="",
            sample_index=np.array(samples),
            class_index=np.zeros(count, dtype=np.int64),
            share=np.full((count, 2), 0.6, dtype=np.float32),
            area=np.full((count, 2), 0.25, dtype=np.float32),
            shares=np.array([0, 0.5, 1], dtype=np.float32),
            deletion=np.tile(np.array([0.9, 0.4, 0.3], dtype=np.float32), (count, 1)),
            insertion=np.tile(np.array([0.3, 0.8, 0.9], dtype=np.float32), (count, 1)),
            randomisation=RandomisationCheck(method="gradcam", steps=steps),
        ),
    )
    app = open_panel("checks")
    assert not app.exception
    shown = texts(app)
    assert "60% of the map's evidence lies inside the tumour's outline, which covers 25%" in shown
    assert "With all weights random" in shown
    assert "Agreement needs maps of two repeats" in shown


def store_features(study: Study, *, wrong: int) -> None:
    """Store random activations; a network that takes so many of every ten images for the next diagnosis."""
    rows = read_sample_rows(study, read_dataset(study).hash)
    features = np.random.default_rng(0).normal(size=(len(rows), 5))
    part = np.full(len(rows), PARTS.index("train"))
    part[held_out(study)] = PARTS.index("test")
    true_class = np.array([TRAINED_DIAGNOSES.index(row.diagnosis) for row in rows])
    write_features(
        study,
        RUN,
        RunFeatures(
            classes=TRAINED_DIAGNOSES,
            made_from="",
            features=(features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float16),
            case_ids=tuple(row.case_id for row in rows),
            true_class=true_class,
            predicted_class=(true_class + (np.arange(len(rows)) % 10 < wrong)) % 3,
            part=part,
        ),
    )


def test_similar_images_come_from_other_patients_with_what_the_network_says(
    filled_study: Study, open_panel: OpenPanel, case: TestedCase
) -> None:
    store_features(filled_study, wrong=10)
    app = open_panel("similar")
    assert not app.exception
    captions = [caption.value for caption in app.caption if "similarity" in caption.value]
    assert captions
    assert not any(caption.startswith(case.case_id) for caption in captions)
    assert all("✗" in caption for caption in captions)
    assert any("held out" in caption for caption in captions)
    assert "It gets no image of another patient right." in texts(app)


def store_maps(study: Study, run_id: str, *, strongest: float) -> None:
    """Store maps whose only evidence is for the last class, in the lower right corner."""
    maps = np.zeros((len(held_out(study)), 3, 2, 2), dtype=np.float32)
    maps[:, 2, 1, 1] = strongest
    found = RunMaps(
        layer="layer", classes=TRAINED_DIAGNOSES, size_px=64, sample_index=np.array(held_out(study)), maps=maps
    )
    write_maps(study.run_folder(run_id) / FILE_NAME, found)


def test_all_networks_are_shown_side_by_side_by_the_same_repeat(
    filled_study: Study, open_panel: OpenPanel, case: TestedCase
) -> None:
    for network, strongest in (("alexnet", 0.0), ("resnet50", 7.0)):
        store_maps(filled_study, f"exp-001-{network}-01", strongest=strongest)
    app = open_panel("networks")
    app.button_group(key=f"networks-class-{RUN}-{case.case_id}").set_value(2).run()
    assert not app.exception
    shown = texts(app)
    assert "repeat 1 · **no positive evidence for Meningioma**" in shown  # AlexNet
    assert "No map is stored of this slice" in shown  # GoogLeNet
    assert "repeat 1 · strongest place 100 % of the scale" in shown  # ResNet50
    for name in ("AlexNet", "GoogLeNet", "ResNet50"):
        assert f"**{name}** says {display_diagnosis(case.predicted)}" in shown
    assert "One scale for all pictures" in shown


def test_the_slice_and_the_sequence_of_the_networks_can_be_chosen(
    filled_study: Study, open_panel: OpenPanel, case: TestedCase
) -> None:
    store_maps(filled_study, RUN, strongest=1.0)
    app = open_panel("networks")
    first, *_, last = case.images
    for image in (last, first):
        app.button_group(key=f"networks-slice-{RUN}-{case.case_id}").set_value(image.sample_index).run()
        assert f"**T1c**, slice {image.slice_index + 1}" in texts(app)
    app.button_group(key="networks-sequence").set_value(0).run()
    assert not app.exception
    assert f"**T1**, slice {first.slice_index + 1}" in texts(app)


def test_right_and_wrong_ones_have_a_row_each_however_rare_they_are(filled_study: Study, open_panel: OpenPanel) -> None:
    store_features(filled_study, wrong=5)
    app = open_panel("similar")
    assert not app.exception
    captions = [caption.value for caption in app.caption if "similarity" in caption.value]
    signs = ["✗" in caption for caption in captions]
    assert signs == sorted(signs)  # the right ones first
    assert (signs.count(False), signs.count(True)) == (4, 4)
    assert "Glioblastoma" in texts(app)
    assert "glioblastoma" not in texts(app)


def test_another_slice_and_sequence_can_be_compared(
    filled_study: Study, open_panel: OpenPanel, case: TestedCase
) -> None:
    store_features(filled_study, wrong=5)
    app = open_panel("similar")
    first, *_, last = case.images
    control = app.button_group(key=f"similar-slice-{RUN}-{case.case_id}")
    for image in (first, last):
        control.set_value(image.sample_index).run()
        assert f"{case.case_id}, slice {image.slice_index + 1} ·" in texts(app)
    app.button_group(key="similar-sequence").set_value(1).run()
    assert not app.exception
    assert "T2 is shown" in texts(app)


def test_a_panel_is_kept_in_the_address(open_panel: OpenPanel) -> None:
    app = open_panel("checks")
    for panel in ("similar", "cases", "sequences"):
        app.button_group(key="review-panel").set_value(panel).run()
        assert app.query_params.get("panel") == (None if panel == "cases" else panel)


def test_another_answer_is_told_apart_from_the_same_one() -> None:
    missing = MissingSequence(
        sequence="T2",
        baseline=Baseline(name="mean"),
        probabilities=(0.1, 0.7, 0.2),
        predicted="PCNSL",
        predicted_with_all="PCNSL",
    )
    assert describe_missing(missing) == "Without T2 it would still say PCNSL (70 %)."
