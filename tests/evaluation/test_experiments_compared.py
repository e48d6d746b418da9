"""Experiments side by side: paired where they share splits, as wholes where they do not."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from scipy import stats
from sqlalchemy import select

from brainmri.errors import EvaluationError
from brainmri.evaluation.experiments_compared import compare_experiments, compare_pair
from brainmri.evaluation.measured_experiments import MeasuredExperiment, read_measured, read_split_digests
from brainmri.evaluation.metrics import Metric
from brainmri.evaluation.reading import read_accuracies
from brainmri.study import Study
from brainmri.training.records import Run, Split
from tests.evaluation.finished_experiment import add_experiment

BEFORE = [0.80, 0.85, 0.78, 0.90]
AFTER = [0.84, 0.86, 0.84, 0.91]


def experiment(
    name: str, values: Mapping[str, Mapping[int, float]], splits: Mapping[int, str] | None = None, **changes
) -> MeasuredExperiment:
    repeats = sorted({repeat for by_repeat in values.values() for repeat in by_repeat})
    settings = {"split_by": "patient", "dataset_hash": "d", "classes": ("a", "b"), "test_fraction": 0.3, **changes}
    known = splits or {repeat: f"split {repeat}" for repeat in repeats}
    return MeasuredExperiment(experiment_id=name, splits=known, values=values, **settings)


def numbered(values: list[float], start: int = 1) -> dict[int, float]:
    return dict(enumerate(values, start))


def test_shared_splits_are_compared_in_pairs_by_hand() -> None:
    """Nadeau and Bengio: t = mean / sqrt(s² (1/4 + 3/7)), with 3 degrees of freedom."""
    pair = compare_pair(
        experiment("exp-002", {"alexnet": numbered(AFTER)}), experiment("exp-001", {"alexnet": numbered(BEFORE)})
    )
    found = pair.differences[0]
    differences = np.subtract(AFTER, BEFORE)
    error = math.sqrt(differences.var(ddof=1) * (1 / 4 + 3 / 7))
    assert pair.paired
    assert pair.splits_shared == 4
    assert found.difference == pytest.approx(differences.mean())
    assert (found.mean_a, found.mean_b) == pytest.approx((np.mean(AFTER), np.mean(BEFORE)))
    assert found.upper - found.difference == pytest.approx(stats.t.ppf(0.975, 3) * error)
    assert found.p == pytest.approx(2 * stats.t.sf(differences.mean() / error, 3))
    assert "share 4 splits: they are compared split by split" in pair.how


def test_splits_are_matched_by_their_images_not_by_their_number() -> None:
    splits = {repeat: f"split {repeat}" for repeat in range(1, 5)}
    turned = {5 - repeat: digest for repeat, digest in splits.items()}
    a = experiment("exp-001", {"alexnet": numbered(AFTER)}, splits)
    straight = compare_pair(a, experiment("exp-002", {"alexnet": numbered(BEFORE)}, splits))
    other = compare_pair(a, experiment("exp-002", {"alexnet": numbered(BEFORE[::-1])}, turned))
    assert other.differences == straight.differences


def test_repeats_that_one_lacks_are_left_out_and_named() -> None:
    a = experiment("exp-001", {"alexnet": numbered(AFTER)})
    b = experiment("exp-002", {"alexnet": numbered(BEFORE[:3])})
    pair = compare_pair(a, b)
    assert pair.differences[0].n_a == pair.differences[0].n_b == 3
    assert pair.differences[0].mean_a == pytest.approx(np.mean(AFTER[:3]))
    assert pair.notes == ("Left out: 1 of the 4 splits of exp-001, not shared.",)


def test_other_splits_are_compared_as_wholes() -> None:
    a = experiment("exp-001", {"alexnet": numbered(AFTER)}, test_fraction=1e-12)
    b = experiment("exp-002", {"alexnet": numbered(BEFORE, 11)}, test_fraction=1e-12)
    pair = compare_pair(a, b)
    expected = stats.ttest_ind(AFTER, BEFORE, equal_var=False)
    assert not pair.paired
    assert "share no split: they are compared as wholes, not in pairs" in pair.how
    assert pair.differences[0].p == pytest.approx(expected.pvalue)
    assert pair.differences[0].lower == pytest.approx(expected.confidence_interval().low)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dataset_hash": "other"}, "used different data sets"),
        ({"split_by": "image", "splits": {1: "x", 2: "y"}}, "exp-001 divided patients and exp-002 images"),
        ({"splits": {1: "split 1", 2: "y"}}, "share one split only"),
    ],
)
def test_why_they_are_not_paired_is_said(changes: dict, words: str) -> None:
    values = {"alexnet": numbered(AFTER[:2])}
    pair = compare_pair(experiment("exp-001", values), experiment("exp-002", values, **changes))
    assert not pair.paired
    assert words in pair.how


def test_p_values_are_adjusted_for_the_number_of_networks() -> None:
    a = experiment("exp-001", {"alexnet": numbered(AFTER), "resnet50": numbered(BEFORE)})
    b = experiment("exp-002", {"resnet50": numbered(AFTER[::-1]), "alexnet": numbered(BEFORE)})
    found = compare_pair(a, b).differences
    assert [one.architecture for one in found] == ["alexnet", "resnet50"]
    smaller, larger = sorted(found, key=lambda one: one.p)
    assert smaller.p_holm == pytest.approx(2 * smaller.p)
    assert larger.p_holm == pytest.approx(max(larger.p, smaller.p_holm))


def test_what_cannot_be_compared_is_told() -> None:
    a = experiment("exp-001", {"alexnet": numbered(AFTER), "resnet50": {}})
    alone = compare_pair(a, experiment("exp-002", {"googlenet": numbered(AFTER)}, classes=("b", "c")))
    assert alone.differences == ()
    assert "Only exp-001 has finished runs of alexnet, resnet50." in alone.notes
    assert "They share no network: train one of them in both." in alone.notes
    assert "They tell different diagnoses apart: a, b and b, c." in alone.notes
    same = compare_pair(a, experiment("exp-002", {"alexnet": numbered(AFTER), "resnet50": numbered(AFTER)}))
    assert "the same value on every shared split" in same.differences[0].note
    assert same.differences[0].p is None
    assert "no paired test of it" in same.differences[1].note
    assert (same.differences[1].n_a, same.differences[1].n_b) == (0, 4)


def test_three_experiments_make_three_pairs_and_one_makes_none() -> None:
    three = [experiment(f"exp-00{i}", {"alexnet": numbered([i / 10, 0.5, 0.7])}) for i in range(1, 4)]
    pairs = compare_experiments(three)
    assert [(pair.a, pair.b) for pair in pairs] == [
        ("exp-001", "exp-002"),
        ("exp-001", "exp-003"),
        ("exp-002", "exp-003"),
    ]
    with pytest.raises(EvaluationError, match="takes two or more"):
        compare_experiments(three[:1])
    with pytest.raises(EvaluationError, match="exp-001 is named twice"):
        compare_experiments([three[0], three[0]])


def test_a_study_is_measured_with_its_splits(study: Study) -> None:
    add_experiment(study, repeats=3)
    add_experiment(study, repeats=4, experiment_id="exp-002")
    first, second = read_measured(study, "exp-001"), read_measured(study, "exp-002")
    assert [list(first.values[name].values()) for name in first.values] == [
        pytest.approx(values) for values in read_accuracies(study, "exp-001").values()
    ]
    assert compare_pair(first, second).splits_shared == 3 == len(set(first.splits.values()))
    assert read_measured(study, "exp-001", metric=Metric("brier"), level="case").values != first.values
    with study.session() as session:
        split = session.scalars(select(Split).where(Split.experiment_id == "exp-002", Split.repeat == 1)).one()
        split.train, split.validation = split.train[3:], split.train[:3]
    assert read_split_digests(study, "exp-002") == second.splits  # set aside, but not tested
    with study.session() as session:
        for run in session.scalars(select(Run).where(Run.experiment_id == "exp-001")):
            run.status = "failed"
    with pytest.raises(EvaluationError, match="No run of the experiment exp-001 has finished"):
        read_measured(study, "exp-001")
