"""Corrections, the data set that they make, and the experiment that repeats another one on it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from brainmri.commands import retraining
from brainmri.commands.parser import make_parser
from brainmri.errors import ImagingError, LeakError, StudyError, TrainingError, UsageError
from brainmri.imaging.datasets import freeze_dataset, read_dataset, read_sample_rows, read_samples
from brainmri.imaging.regions import SquareRegion
from brainmri.imaging.samples import pseudo_rgb
from brainmri.imaging.settings import DatasetSettings
from brainmri.intake.records import Case
from brainmri.intake.volumes import read_case
from brainmri.review.corrections import (
    changes_since,
    correct_dataset,
    exclude_case,
    read_corrections,
    redraw_region,
    relabel_case,
    withdraw_correction,
)
from brainmri.review.retraining import repeat_corrected
from brainmri.study import Study
from brainmri.training.experiments import create_experiment, read_experiment, read_run, read_split
from brainmri.training.given_splits import Ancestor, carry_over, check_given_splits
from brainmri.training.settings import TrainingSettings
from brainmri.training.splits import SplitIndices
from tests.imaging.test_datasets import add_case

SETTINGS = DatasetSettings(size_px=64)
PROTOCOL = TrainingSettings(weights="scratch", repeats=3, architectures=("alexnet",))
WHO = {"reason": "seen in review", "author": "Abe"}


@pytest.fixture
def filled(study: Study) -> Study:
    """Four cases a class, two slices (1 and 2) each."""
    for number in range(12):
        add_case(study, number + 1, ("glioblastoma", "PCNSL", "meningioma")[number % 3])
    return study


def rows_of(study: Study, dataset_hash: str, case_id: str) -> list[tuple[str, int, int, int, int]]:
    rows = [row for row in read_sample_rows(study, dataset_hash) if row.case_id == case_id]
    return [(row.diagnosis, row.slice_index, row.row, row.column, row.size_px) for row in rows]


def correct_three(study: Study) -> None:
    relabel_case(study, "case-0001", "pcnsl", **WHO)
    redraw_region(study, "case-0002", SquareRegion(2, 5, 6, 20), last_slice=3, **WHO)
    exclude_case(study, "case-0003", **WHO)


def test_a_corrected_data_set_has_the_corrections_and_nothing_else(filled: Study) -> None:
    before = freeze_dataset(filled, settings=SETTINGS)
    correct_three(filled)
    after = correct_dataset(filled, before.hash)
    assert (after.corrected_from, after.correction_ids) == (before.hash, [1, 2, 3])
    assert rows_of(filled, after.hash, "case-0001") == [("PCNSL", 1, 10, 14, 24), ("PCNSL", 2, 10, 14, 24)]
    assert rows_of(filled, after.hash, "case-0002") == [
        ("PCNSL", 1, 10, 14, 24),
        ("PCNSL", 2, 5, 6, 20),
        ("PCNSL", 3, 5, 6, 20),
    ]
    assert rows_of(filled, after.hash, "case-0003") == []
    old, new = read_samples(filled, before.hash), read_samples(filled, after.hash)
    np.testing.assert_array_equal(new[:3], old[:3])  # both slices of case 1, and slice 1 of case 2
    volumes = read_case(filled, "case-0002").arrays
    made = pseudo_rgb(volumes, [SquareRegion(2, 5, 6, 20), SquareRegion(3, 5, 6, 20)], settings=SETTINGS)
    np.testing.assert_array_equal(new[3:5], made)
    np.testing.assert_array_equal(new[5:], old[6:])  # from case 4 on


def test_cases_and_the_earlier_data_set_stay_as_they_were(filled: Study) -> None:
    before = freeze_dataset(filled, settings=SETTINGS)
    files = {file.name: file.read_bytes() for file in filled.dataset_folder(before.hash).iterdir()}
    correct_three(filled)
    correct_dataset(filled, before.hash)
    assert {file.name: file.read_bytes() for file in filled.dataset_folder(before.hash).iterdir()} == files
    with filled.session() as session:
        case = session.get_one(Case, "case-0001")
    assert (case.diagnosis, case.excluded) == ("glioblastoma", False)
    assert freeze_dataset(filled, settings=SETTINGS).hash == before.hash


def test_the_hash_is_that_of_the_corrections_and_the_old_one_without_any(filled: Study) -> None:
    before = freeze_dataset(filled, settings=SETTINGS)
    assert "correction_ids" not in json.loads((filled.dataset_folder(before.hash) / "manifest.json").read_text())
    assert correct_dataset(filled, before.hash).hash == before.hash
    correct_three(filled)
    after = correct_dataset(filled, before.hash)
    assert correct_dataset(filled, before.hash).hash == after.hash == correct_dataset(filled, after.hash).hash
    assert after.hash != before.hash
    for number in (1, 2, 3):
        withdraw_correction(filled, number, author="Ito")
    assert correct_dataset(filled, after.hash).hash == before.hash


def test_changes_since_a_data_set_are_what_it_does_not_have_or_should_not_have(filled: Study) -> None:
    before = freeze_dataset(filled, settings=SETTINGS)
    correct_three(filled)
    assert [one.id for one in changes_since(filled, before.hash).added] == [1, 2, 3]
    after = correct_dataset(filled, before.hash)
    assert changes_since(filled, after.hash).case_ids == ()
    withdraw_correction(filled, 1, author="Ito")
    exclude_case(filled, "case-0004", **WHO)
    changes = changes_since(filled, after.hash)
    assert ([one.id for one in changes.added], [one.id for one in changes.taken_back]) == ([4], [1])
    assert changes.case_ids == ("case-0001", "case-0004")


def test_the_last_label_and_the_last_square_of_a_slice_count(filled: Study) -> None:
    before = freeze_dataset(filled, settings=SETTINGS)
    relabel_case(filled, "case-0001", "PCNSL", **WHO)
    relabel_case(filled, "case-0001", "meningioma", **WHO)
    redraw_region(filled, "case-0001", SquareRegion(1, 1, 1, 10), last_slice=2, **WHO)
    redraw_region(filled, "case-0001", SquareRegion(2, 2, 2, 12), last_slice=2, **WHO)
    after = correct_dataset(filled, before.hash)
    assert rows_of(filled, after.hash, "case-0001") == [("meningioma", 1, 1, 1, 10), ("meningioma", 2, 2, 2, 12)]


def test_a_case_with_a_diagnosis_that_is_not_trained_leaves(filled: Study) -> None:
    before = freeze_dataset(filled, settings=SETTINGS)
    relabel_case(filled, "case-0001", "schwannoma", **WHO)
    assert rows_of(filled, correct_dataset(filled, before.hash).hash, "case-0001") == []


def test_a_class_that_would_be_empty_is_named(filled: Study) -> None:
    before = freeze_dataset(filled, settings=SETTINGS)
    for number in (1, 4, 7, 10):
        exclude_case(filled, f"case-{number:04d}", **WHO)
    with pytest.raises(ImagingError, match="would have no image of Glioblastoma"):
        correct_dataset(filled, before.hash)


def test_what_is_taken_back_stays_in_the_records_with_who_and_when(filled: Study) -> None:
    exclude_case(filled, "case-0001", **WHO)
    withdraw_correction(filled, 1, author="Ito")
    assert read_corrections(filled) == []
    (one,) = read_corrections(filled, "case-0001", withdrawn=True)
    assert (one.author, one.withdrawn_by) == ("Abe", "Ito")
    assert one.withdrawn_at > one.created_at
    with pytest.raises(StudyError, match="no correction 1 that could be taken back"):
        withdraw_correction(filled, 1, author="Ito")


def test_corrections_that_cannot_be_meant_are_refused(filled: Study) -> None:
    with pytest.raises(UsageError, match="'headache' is not a diagnosis"):
        relabel_case(filled, "case-0001", "headache", **WHO)
    with pytest.raises(UsageError, match="slices 2 to 4 are not all in case-0001, which has 4"):
        redraw_region(filled, "case-0001", SquareRegion(2, 0, 0, 10), last_slice=4, **WHO)
    with pytest.raises(UsageError, match="lies outside the images of case-0001"):
        redraw_region(filled, "case-0001", SquareRegion(2, 48, 0, 10), last_slice=2, **WHO)
    with pytest.raises(UsageError, match="reason of the correction has 0 characters"):
        exclude_case(filled, "case-0001", reason=" ", author="Abe")
    with pytest.raises(StudyError, match="no case 'case-0099'"):
        exclude_case(filled, "case-0099", **WHO)
    assert read_corrections(filled, withdrawn=True) == []


def sides(study: Study, experiment_id: str, repeat: int) -> dict[str, str]:
    """Return the side of each case in a repeat; fails where a case has two."""
    rows = read_sample_rows(study, read_experiment(study, experiment_id).dataset_hash)
    split = read_split(study, experiment_id, repeat)
    found: dict[str, str] = {}
    for side in ("train", "test", "validation"):
        for index in getattr(split, side):
            assert found.setdefault(rows[index].case_id, side) == side
    assert len(split.train) + len(split.test) + len(split.validation) == len(rows)
    return found


@pytest.mark.parametrize("validation", [0.0, 0.3])
def test_a_repetition_keeps_protocol_seeds_and_the_side_of_every_patient(filled: Study, validation: float) -> None:
    before = freeze_dataset(filled, settings=SETTINGS)
    settings = TrainingSettings(**{**PROTOCOL.__dict__, "validation_fraction": validation})
    parent = create_experiment(filled, before.hash, settings)
    redraw_region(filled, "case-0002", SquareRegion(3, 5, 6, 20), last_slice=3, **WHO)
    child = repeat_corrected(filled, parent)
    assert read_experiment(filled, child).parent_id == parent
    assert read_experiment(filled, child).settings == read_experiment(filled, parent).settings
    assert read_dataset(filled, read_experiment(filled, child).dataset_hash).corrected_from == before.hash
    assert read_run(filled, f"{child}-alexnet-02").seed == read_run(filled, f"{parent}-alexnet-02").seed
    for repeat in (1, 2, 3):
        assert sides(filled, child, repeat) == sides(filled, parent, repeat)


def test_an_excluded_case_leaves_and_comes_back_to_its_side(filled: Study) -> None:
    parent = create_experiment(filled, freeze_dataset(filled, settings=SETTINGS).hash, PROTOCOL)
    tested = {case for repeat in (1, 2, 3) for case, side in sides(filled, parent, repeat).items() if side == "test"}
    case = min(
        {f"case-{number:04d}" for number in range(1, 13)} - tested
    )  # each class has four and tests one at a time
    exclude_case(filled, case, **WHO)
    child = repeat_corrected(filled, parent)
    for repeat in (1, 2, 3):
        assert sides(filled, child, repeat) == {c: s for c, s in sides(filled, parent, repeat).items() if c != case}
    withdraw_correction(filled, 1, author="Abe")
    grandchild = repeat_corrected(filled, child)
    assert read_experiment(filled, grandchild).parent_id == child
    for repeat in (1, 2, 3):
        assert sides(filled, grandchild, repeat) == sides(filled, parent, repeat)


def test_the_last_test_case_of_a_class_cannot_leave_its_side(filled: Study) -> None:
    parent = create_experiment(filled, freeze_dataset(filled, settings=SETTINGS).hash, PROTOCOL)
    tested = [case for case, side in sides(filled, parent, 2).items() if side == "test"]
    exclude_case(filled, min(tested), **WHO)
    with pytest.raises(TrainingError, match=r"Repeat \d has no test image of .* left"):
        repeat_corrected(filled, parent)


def test_without_corrections_there_is_nothing_to_repeat(filled: Study) -> None:
    parent = create_experiment(filled, freeze_dataset(filled, settings=SETTINGS).hash, PROTOCOL)
    with pytest.raises(TrainingError, match="Nothing was corrected since data set"):
        repeat_corrected(filled, parent)


def split_of(train: list[int], test: list[int], repeat: int = 1) -> SplitIndices:
    return SplitIndices(repeat, 0, train=np.array(train), test=np.array(test), validation=np.array([], dtype=np.int64))


def test_a_new_slice_takes_the_side_of_the_nearest_and_the_lower_one_of_two() -> None:
    before = Ancestor(samples=[("a", 2), ("a", 6), ("b", 0)], splits=[split_of([0, 2], [1])])  # a split of images
    (carried,) = carry_over([before], [("a", 3), ("a", 4), ("a", 5), ("b", 9)])
    assert (carried.train.tolist(), carried.test.tolist()) == ([0, 1, 3], [2])


def test_a_case_that_no_earlier_experiment_had_is_named() -> None:
    before = Ancestor(samples=[("a", 2)], splits=[split_of([0], [])])
    with pytest.raises(TrainingError, match="No earlier experiment had c,"):
        carry_over([before], [("c", 1)])


@pytest.mark.parametrize(
    ("split", "error", "message"),
    [
        (split_of([0, 1, 2], [3]), LeakError, "b has images on both sides"),
        (split_of([0, 1], [2]), TrainingError, "does not divide the 4 samples"),
        (split_of([0, 1], [2, 3]), TrainingError, "no train image of PCNSL"),
        (split_of([0, 1], [2, 3], repeat=2), TrainingError, "splits for the repeats 2"),
    ],
)
def test_given_splits_that_do_not_fit_are_refused(split, error, message) -> None:
    settings = TrainingSettings(repeats=1)
    with pytest.raises(error, match=message):
        check_given_splits(
            [split], [0, 0, 1, 1], ["a", "a", "b", "b"], settings=settings, class_names=("glioblastoma", "PCNSL")
        )


def test_the_command_queues_the_repetition(filled: Study, monkeypatch, capsys) -> None:
    started = []
    monkeypatch.setattr(retraining.jobs, "ensure_worker", started.append)
    parent = create_experiment(filled, freeze_dataset(filled, settings=SETTINGS).hash, PROTOCOL)
    redraw_region(filled, "case-0002", SquareRegion(3, 5, 6, 20), last_slice=3, **WHO)
    options = make_parser().parse_args(["retrain", parent, "--queue", "--json", "--study", str(filled.folder)])
    assert options.run(options) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["experiment"], len(printed["runs"]), len(started)) == ("exp-002", 3, 1)
    assert {run["status"] for run in printed["runs"]} == {"queued"}
