"""Masks of cases on samples."""

import numpy as np
import SimpleITK as sitk

from brainmri.explanation.tumour_outlines import read_outlines
from brainmri.imaging.records import Sample


def row(case_id, slice_index, top, left, size_px):
    return Sample(
        dataset_hash="d" * 16, sample_index=0, case_id=case_id, diagnosis="PCNSL", slice_index=slice_index, row=top,
        column=left, size_px=size_px,
    )  # fmt: skip


def test_the_outline_is_that_of_the_square_of_the_sample(study):
    mask = np.zeros((3, 20, 20), dtype=np.uint8)
    mask[1, 6:10, 8:14] = 2
    folder = study.case_folder("case-0001")
    folder.mkdir(parents=True)
    sitk.WriteImage(sitk.GetImageFromArray(mask), folder / "mask.nii.gz")
    found = read_outlines(
        study, [row("case-0001", 1, 4, 6, 10), row("case-0001", 0, 4, 6, 10), row("case-0002", 0, 4, 6, 10)], 20
    )
    expected = np.zeros((20, 20), dtype=bool)
    expected[4:12, 4:16] = True  # rows 6 to 9 and columns 8 to 13 of a square from (4, 6), twice as large
    assert (found[0] == expected).mean() > 0.97
    assert found[0][5:11, 5:15].all()
    assert not found[1].any()
    assert found[2] is None


def test_a_square_beyond_the_image_has_no_tumour_there(study):
    folder = study.case_folder("case-0001")
    folder.mkdir(parents=True)
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((1, 8, 8), dtype=np.uint8)), folder / "mask.nii.gz")
    (found,) = read_outlines(study, [row("case-0001", 0, -4, 0, 8)], 8)
    assert not found[:4].any()
    assert found[4:].all()
