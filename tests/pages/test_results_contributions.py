"""What each sequence contributed to a network's answers, on the results page."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from brainmri.dashboard.results.network_sequences import contribution_rows, describe_strongest
from brainmri.explanation.contribution_summary import DiagnosisContributions
from brainmri.explanation.contributions import Baseline, RunContributions, write_contributions
from brainmri.study import Study
from brainmri.training.records import Split
from brainmri.vocabulary import TRAINED_DIAGNOSES

OpenPart = Callable[[], AppTest]


@pytest.fixture
def open_part(open_page: Callable[..., AppTest]) -> OpenPart:
    """Return a function that opens the part on sequences for ResNet50."""

    def opened() -> AppTest:
        app = open_page("results", view="network", network="resnet50")
        return app.button_group(key="network_part").set_value("sequences").run()

    return opened


def store(study: Study, repeat: int) -> None:
    """Store games in which T1c alone speaks for meningioma, in the repeats of ResNet50."""
    with study.session() as session:
        samples = list(session.scalars(select(Split.test).where(Split.repeat == repeat)).one())
    logits = np.zeros((len(samples), 1, 8, 3), dtype=np.float32)
    logits[:, :, [place for place in range(8) if place & 4], TRAINED_DIAGNOSES.index("meningioma")] = 3.0
    write_contributions(
        study,
        f"exp-001-resnet50-{repeat:02d}",
        RunContributions(
            classes=TRAINED_DIAGNOSES,
            baseline=Baseline(name="blurred", sigma_px=6.4),
            made_from="",
            sample_index=np.array(samples),
            logits=logits,
        ),
    )


def texts(app: AppTest) -> str:
    kinds = (app.subheader, app.markdown, app.caption, app.info, app.warning, app.error)
    return "\n".join(element.value for kind in kinds for element in kind)


@pytest.mark.usefixtures("filled_study")
def test_where_nothing_is_stored_the_page_says_what_makes_it(open_part: OpenPart, started: list) -> None:
    app = open_part()
    assert not app.exception
    assert "It is not stored yet what each sequence contributed in the runs of ResNet50" in texts(app)
    assert "`python -m brainmri explain-all exp-001`" in texts(app)
    app.button(key="explain-all").click().run()
    assert started == [("explain", ["explain-all", "exp-001"], "exp-001")]


def test_each_diagnosis_has_its_mean_contributions(filled_study: Study, open_part: OpenPart) -> None:
    store(filled_study, 1)
    app = open_part()
    assert not app.exception
    assert "From 1 of 2 runs of ResNet50" in texts(app)
    assert "python -m brainmri explain-all exp-001" in texts(app)
    assert "**Meningioma**: T1c adds most, in one patient." in texts(app)
    assert "**PCNSL**: no sequence raises its score on average." in texts(app)

    store(filled_study, 2)
    app.run()
    assert "**Meningioma**: T1c adds most" in texts(app)
    assert "From 2 of 2 runs of ResNet50" in texts(app)
    assert "The other runs are explained by" not in texts(app)
    (figure,) = [json.loads(one.proto.spec) for one in app.get("plotly_chart") if "true diagnosis" in one.proto.spec]
    by_name = {trace["name"]: trace["x"] for trace in figure["data"]}
    gained = 100 * (np.exp(3) / (np.exp(3) + 2) - 1 / 3)  # softmax of (0, 0, 3) less that of (0, 0, 0)
    assert by_name["Meningioma"] == pytest.approx([0, 0, gained], abs=1e-3)
    app.button_group(key="network_contribution_score").set_value("logit").run()
    assert not app.exception
    rows = app.dataframe[0].value
    assert rows[rows["Diagnosis"] == "Meningioma"]["Mean"].tolist() == ["+0.0", "+0.0", "+3.0"]


def test_a_doubtful_sign_is_told() -> None:
    one = DiagnosisContributions(
        class_name="PCNSL", score="logit", patients=3, mean=(0.1, 0.2, -1), low=(0, -0.1, -2), high=(0.2, 0.4, 0)
    )
    assert "leave open whether it adds anything" in describe_strongest(one)
    sure = DiagnosisContributions(
        class_name="PCNSL", score="logit", patients=3, mean=(0.1, 0.2, -1), low=(0, 0.1, -2), high=(0.2, 0.4, 0)
    )
    assert describe_strongest(sure) == "**PCNSL**: T2 adds most on average."
    assert contribution_rows((one,))[1]["95 % interval"] == "-0.1 to +0.4"
