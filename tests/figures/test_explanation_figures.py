"""Figures of contributions, asked for their traces."""

from __future__ import annotations

import pytest

from brainmri.explanation.contribution_summary import DiagnosisContributions
from brainmri.figures.explanation import draw_diagnosis_contributions
from brainmri.figures.palette import diagnosis_colour


def summary(class_name: str, *, score: str = "probability", patients: int = 4) -> DiagnosisContributions:
    return DiagnosisContributions(
        class_name=class_name,
        score=score,
        patients=patients,
        mean=(0.1, -0.2, 0.3),
        low=(0.05, -0.4, 0.0) if patients > 1 else None,
        high=(0.2, -0.1, 0.5) if patients > 1 else None,
    )


def test_each_diagnosis_has_a_bar_for_each_sequence_with_its_interval() -> None:
    figure = draw_diagnosis_contributions([summary("PCNSL"), summary("meningioma")])
    first, second = figure.data
    assert (first.name, second.name) == ("PCNSL", "Meningioma")
    assert [list(level) for level in first.y] == [["PCNSL (4)"] * 3, ["T1", "T2", "T1c"]]
    assert list(first.x) == pytest.approx([10, -20, 30])
    assert list(first.error_x.array) == pytest.approx([10, 10, 20])
    assert list(first.error_x.arrayminus) == pytest.approx([5, 20, 30])
    assert first.marker.color == diagnosis_colour("PCNSL")
    assert "percentage points" in figure.layout.xaxis.title.text


def test_one_patient_has_no_interval_and_logits_their_own_unit() -> None:
    figure = draw_diagnosis_contributions([summary("PCNSL", score="logit", patients=1)])
    assert list(figure.data[0].x) == pytest.approx([0.1, -0.2, 0.3])
    assert figure.data[0].error_x.array is None
    assert "logit" in figure.layout.xaxis.title.text
