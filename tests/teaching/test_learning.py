"""Accuracy over sessions, with statsmodels as the oracle of the trend."""

from datetime import UTC, datetime

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import Table
from statsmodels.stats.proportion import proportion_confint

from brainmri.errors import EvaluationError
from brainmri.teaching.learning import SessionResult, learn


def results(*counts):
    return [
        SessionResult(
            session_id=f"ses-{index:03d}",
            title=f"Session {index}",
            date=datetime(2026, 1, 1 + index, tzinfo=UTC),
            right=right,
            n=n,
        )
        for index, (right, n) in enumerate(counts)
    ]


def test_the_trend_is_that_of_statsmodels():
    counts = [(11, 20), (14, 20), (20, 30), (9, 10)]
    found = learn(results(*counts))
    table = Table(np.array([[right, n - right] for right, n in counts]), shift_zeros=False)
    expected = table.test_ordinal_association(row_scores=np.arange(4), col_scores=np.array([1, 0]))
    assert found.p == pytest.approx(expected.pvalue, abs=1e-12)


def test_the_slope_is_that_of_weighted_least_squares():
    counts = [(11, 20), (14, 20), (20, 30), (9, 10)]
    shares, n = np.array([right / n for right, n in counts]), np.array([n for _, n in counts])
    assert learn(results(*counts)).slope == pytest.approx(np.polyfit(np.arange(4), shares, 1, w=np.sqrt(n))[0])


def test_points_have_wilsons_intervals_and_the_order_of_dates():
    found = learn(results((3, 10), (5, 10), (0, 0))[::-1])
    assert [point.session_id for point in found.points] == ["ses-000", "ses-001"]
    accuracy = found.points[0].accuracy
    assert (accuracy.lower, accuracy.upper) == pytest.approx(proportion_confint(3, 10, method="wilson"))


def test_a_trend_is_said_only_where_it_is_supported():
    rising = learn(results((10, 30), (18, 30), (27, 30))).sentence
    assert rising.startswith("Over 3 sessions accuracy rises by about 28.3 points a session (p < 0.001).")
    assert "difficulty" in rising
    assert "accuracy falls" in learn(results((27, 30), (18, 30), (10, 30))).sentence
    assert learn(results((6, 10), (7, 10), (7, 10))).sentence.startswith(
        "Over 3 sessions no change of accuracy beyond chance (p = 0."
    )


def test_too_few_sessions_and_answers_all_alike_are_said():
    assert learn([]).sentence == "No session has been answered yet."
    assert learn(results((6, 10))).sentence == "One session says nothing about a trend: it takes 3 or more."
    assert learn(results((6, 10), (9, 10))).sentence.startswith("Two sessions say nothing about a trend")
    alike = learn(results((10, 10), (10, 10), (10, 10)))
    assert (alike.slope, alike.p) == (0.0, None)
    assert alike.sentence.endswith("there is no trend to test.")


def test_more_right_answers_than_answers_are_refused():
    with pytest.raises(EvaluationError, match="Session ses-000 is said to have 11 right answers of 10"):
        learn(results((11, 10)))
