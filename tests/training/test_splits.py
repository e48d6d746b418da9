from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import StratifiedShuffleSplit

from brainmri.errors import LeakError, TrainingError
from brainmri.training.splits import check_no_leak, make_splits


def samples(patients: tuple[int, ...], slices: int = 5) -> tuple[np.ndarray, list[str]]:
    """Return labels and cases of a data set with so many patients a class."""
    unit_labels = np.repeat(np.arange(len(patients)), patients)
    cases = [f"case-{i:04d}" for i in range(len(unit_labels)) for _ in range(slices)]
    return np.repeat(unit_labels, slices), cases


def split(labels, cases, **changes):
    options = {"unit": "patient", "repeats": 10, "test_fraction": 0.3, "seed": 0, **changes}
    return make_splits(labels, cases, **options)


def test_no_patient_stands_on_both_sides_and_no_sample_is_lost():
    labels, cases = samples((24, 24, 24))
    names = np.array(cases)
    for one in split(labels, cases):
        assert not set(names[one.train]) & set(names[one.test])
        assert sorted([*one.train, *one.test]) == list(range(len(labels)))


def test_classes_are_divided_as_by_scikit_learn():
    labels, cases = samples((40, 17, 29), slices=1)
    ours = np.bincount(labels[split(labels, cases, repeats=1)[0].test])
    oracle = StratifiedShuffleSplit(1, test_size=0.3, random_state=0)
    _train, test = next(oracle.split(labels, labels))
    assert ours.sum() == len(test)
    assert np.abs(ours - np.bincount(labels[test])).max() <= 1


def test_images_can_be_split_instead():
    labels, cases = samples((4, 4, 4))
    one = split(labels, cases, unit="image", repeats=1)[0]
    assert len(one.test) == 18
    assert set(np.array(cases)[one.train]) & set(np.array(cases)[one.test])


def test_repeats_differ_and_the_seed_brings_them_back():
    labels, cases = samples((12, 12, 12))
    first, again, other = split(labels, cases), split(labels, cases), split(labels, cases, seed=1)
    assert all(np.array_equal(a.test, b.test) for a, b in zip(first, again, strict=True))
    assert len({tuple(one.test) for one in [*first, *other]}) == 20
    assert len({one.seed for one in first}) == 10
    assert [one.repeat for one in first] == list(range(1, 11))


def test_more_repeats_leave_the_first_ones_as_they_are():
    labels, cases = samples((12, 12, 12))
    few, many = split(labels, cases, repeats=2), split(labels, cases, repeats=10)
    assert np.array_equal(few[1].test, many[1].test)


def test_two_patients_of_a_class_are_enough_for_both_sides():
    labels, cases = samples((2, 2, 30))
    for one in split(labels, cases):
        assert set(labels[one.train]) == {0, 1, 2}
        assert set(labels[one.test]) == {0, 1, 2}


def test_one_patient_of_a_class_is_too_few():
    labels, cases = samples((5, 1, 5))
    with pytest.raises(TrainingError, match="PCNSL has 1 patient in this data set; a split needs at least 2"):
        split(labels, cases, class_names=("glioblastoma", "PCNSL", "meningioma"))


def test_an_empty_class_is_named():
    labels, cases = samples((5, 5))
    with pytest.raises(TrainingError, match="Meningioma has 0 patients"):
        split(labels, cases, class_names=("glioblastoma", "PCNSL", "meningioma"))


def test_a_case_with_two_diagnoses_is_refused():
    labels, cases = samples((3, 3))
    labels[0] = 1
    with pytest.raises(TrainingError, match="case-0000 carries two diagnoses"):
        split(labels, cases)


def test_a_leak_names_the_case():
    with pytest.raises(LeakError, match="case-b has images on both sides"):
        check_no_leak(["case-a", "case-b", "case-b"], [0, 1], [2], unit="patient")
    check_no_leak(["case-a", "case-b", "case-b"], [0, 1], [2], unit="image")


def test_a_sample_on_both_sides_is_a_leak_of_any_split():
    with pytest.raises(LeakError, match="Sample 1 stands both"):
        check_no_leak(["case-a", "case-b"], [0, 1], [1], unit="image")
