"""Frozen data sets: content, identity, refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk

from brainmri.errors import ImagingError
from brainmri.imaging.datasets import count_by_class, freeze_dataset, read_dataset, read_sample_rows, read_samples
from brainmri.imaging.records import Region
from brainmri.imaging.settings import DatasetSettings
from brainmri.intake.records import Case
from brainmri.study import Study

SETTINGS = DatasetSettings(size_px=64)


def add_case(study: Study, number: int, diagnosis: str | None, *, mask: bool = True, excluded: bool = False) -> str:
    """Add a case of 4 slices with a bright block, which the mask covers on two slices."""
    case_id = f"case-{number:04d}"
    folder = study.case_folder(case_id)
    folder.mkdir(parents=True)
    rng = np.random.default_rng(number)
    arrays = {name: rng.integers(50, 100, (4, 48, 48)).astype(np.int16) for name in ("T1", "T2", "T1c")}
    tumour = np.zeros((4, 48, 48), np.uint8)
    tumour[1:3, 15:30, 18:34] = 1
    if mask:
        arrays["mask"] = tumour
    for name, array in arrays.items():
        image = sitk.GetImageFromArray(array)
        image.SetSpacing((1.0, 1.0, 5.0))
        sitk.WriteImage(image, folder / f"{name}.nii.gz")
    with study.session() as session:
        session.add(
            Case(
                case_id=case_id,
                diagnosis=diagnosis,
                source="NIfTI",
                content_digest=case_id,
                slices=4,
                rows=48,
                columns=48,
                spacing_mm=[5.0, 1.0, 1.0],
                has_mask=mask,
                clinical={},
                excluded=excluded,
            )
        )
    return case_id


@pytest.fixture
def filled(study: Study) -> Study:
    for number, diagnosis in enumerate(("glioblastoma", "PCNSL", "meningioma", "schwannoma"), start=1):
        add_case(study, number, diagnosis)
    return study


def test_holds_one_sample_a_slice_that_shows_the_tumour(filled: Study) -> None:
    dataset = freeze_dataset(filled, settings=SETTINGS)
    assert count_by_class(filled, dataset) == (
        {"glioblastoma": 2, "PCNSL": 2, "meningioma": 2},
        {"glioblastoma": 1, "PCNSL": 1, "meningioma": 1},
    )
    samples = read_samples(filled, dataset.hash)
    assert samples.shape == (6, 3, 64, 64)
    assert [row.slice_index for row in read_sample_rows(filled, dataset.hash)] == [1, 2, 1, 2, 1, 2]


def test_same_content_is_the_same_data_set(filled: Study) -> None:
    first = freeze_dataset(filled, settings=SETTINGS)
    assert freeze_dataset(filled, settings=SETTINGS).hash == first.hash
    assert read_dataset(filled).hash == first.hash


def test_a_new_label_or_size_makes_another_data_set(filled: Study) -> None:
    first = freeze_dataset(filled, settings=SETTINGS)
    assert freeze_dataset(filled, settings=DatasetSettings(size_px=72)).hash != first.hash
    with filled.session() as session:
        session.get_one(Case, "case-0004").diagnosis = "PCNSL"
    assert freeze_dataset(filled, settings=SETTINGS).hash != first.hash


def test_excluded_unlabelled_and_unmarked_cases_stay_out(filled: Study) -> None:
    add_case(filled, 5, "PCNSL", excluded=True)
    add_case(filled, 6, None)
    add_case(filled, 7, "PCNSL", mask=False)
    dataset = freeze_dataset(filled, settings=SETTINGS)
    assert {row.case_id for row in read_sample_rows(filled, dataset.hash)} == {"case-0001", "case-0002", "case-0003"}


def test_a_drawn_region_takes_the_place_of_the_mask(filled: Study) -> None:
    with filled.session() as session:
        session.add(Region(case_id="case-0002", slice_index=0, row=1, column=2, size_px=20, source="drawn"))
    rows = read_sample_rows(filled, freeze_dataset(filled, settings=SETTINGS).hash)
    assert [(r.slice_index, r.row, r.column, r.size_px) for r in rows if r.case_id == "case-0002"] == [(0, 1, 2, 20)]


def test_missing_class_is_named_with_what_was_found(study: Study) -> None:
    add_case(study, 1, "glioblastoma")
    with pytest.raises(ImagingError, match=r"no image of PCNSL and meningioma.*Glioblastoma 1, PCNSL 0, Meningioma 0"):
        freeze_dataset(study, settings=SETTINGS)


def test_manifest_tells_how_each_sample_was_made(filled: Study) -> None:
    dataset = freeze_dataset(filled, settings=SETTINGS)
    manifest = json.loads((filled.dataset_folder(dataset.hash) / "manifest.json").read_text())
    assert manifest["settings"]["margin"] == 0.2
    assert manifest["samples"][0] == {
        "case_id": "case-0001",
        "diagnosis": "glioblastoma",
        "slice_index": 1,
        "row": 10,
        "column": 14,
        "size_px": 24,
    }


def test_lost_samples_are_reported_with_their_path(filled: Study) -> None:
    dataset = freeze_dataset(filled, settings=SETTINGS)
    (filled.dataset_folder(dataset.hash) / "samples.npy").unlink()
    with pytest.raises(ImagingError, match=rf"data set {dataset.hash} cannot be read from .*samples\.npy"):
        read_samples(filled, dataset.hash)


def test_a_study_without_data_set_says_how_to_make_one(study: Study) -> None:
    with pytest.raises(ImagingError, match=r"holds no data set\. Make one with"):
        read_dataset(study)
