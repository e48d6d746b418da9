"""Similar cases on activations whose order is known by hand."""

import numpy as np
import pytest
from scipy.spatial.distance import cosine

from brainmri.errors import ExplanationError
from brainmri.explanation.neighbours import FEATURES_FILE, RunFeatures, read_features, write_features

RUN = "exp-001-alexnet-01"
ANGLES = np.deg2rad([0, 5, 20, 10, 40, 90, 30, 180])


@pytest.fixture
def found():
    return RunFeatures(
        classes=("glioblastoma", "PCNSL"),
        made_from=f"{RUN} then",
        features=np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1).astype(np.float16),
        case_ids=("case-1", "case-1", "case-2", "case-2", "case-3", "case-4", "case-5", "case-6"),
        true_class=np.array([0, 0, 0, 0, 1, 1, 1, 0]),
        predicted_class=np.array([0, 1, 1, 0, 1, 0, 0, 0]),
        part=np.array([2, 2, 0, 0, 0, 1, 2, 2]),
    )


def samples_of(similar):
    return [one.sample_index for one in similar.neighbours]


def test_the_nearest_of_each_other_patient_comes_first(found):
    similar = found.similar(0)
    assert similar.case_id == "case-1"
    assert samples_of(similar) == [3, 6, 4, 5, 7]  # at 10°, 30°, 40°, 90°, 180°; 5° is the same patient's
    rows = found.features.astype(float)
    expected = [cosine(rows[0], rows[index]) for index in (3, 6, 4, 5, 7)]
    assert [one.distance for one in similar.neighbours] == pytest.approx(expected, abs=2e-3)
    assert samples_of(found.similar(0, count=2)) == [3, 6]


def test_right_and_wrong_ones_are_told_apart(found):
    similar = found.similar(0)
    assert [one.sample_index for one in similar.right] == [3, 4, 7]
    assert [one.sample_index for one in similar.wrong] == [6, 5]
    assert samples_of(found.similar(0, right=True)) == [3, 4, 7]
    assert samples_of(found.similar(0, right=False)) == [2, 6, 5]  # the other slice of case-2
    first = similar.neighbours[1]
    assert (first.case_id, first.true_class, first.predicted_class, first.part) == (
        "case-5",
        "PCNSL",
        "glioblastoma",
        "test",
    )


def test_parts_of_the_split_can_be_left_out(found):
    assert samples_of(found.similar(0, parts=("test",))) == [6, 7]
    assert samples_of(found.similar(0, parts=("train", "validation"))) == [3, 4, 5]
    nobody = found.similar(0, parts=())
    assert nobody.neighbours == ()
    assert "no image of another patient" in nobody.describe()


def test_a_record_says_what_it_means(found):
    text = found.similar(0, count=3).describe()
    assert text.startswith("The 3 patients whose images")
    assert "2 PCNSL, 1 Glioblastoma by their true diagnosis; 1 of them classified wrongly" in text


@pytest.mark.parametrize("sample", [-1, 8])
def test_a_sample_that_is_not_there_is_refused(found, sample):
    with pytest.raises(ExplanationError, match=f"no sample {sample}; choose one from 0 to 7"):
        found.similar(sample)


def test_activations_come_back_as_they_were_written(study, found):
    assert read_features(study, RUN) is None
    write_features(study, RUN, found)
    again = read_features(study, RUN)
    assert isinstance(again.features, np.memmap)
    assert again.features.dtype == np.float16
    for name in ("features", "true_class", "predicted_class", "part"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    assert (again.classes, again.case_ids, again.made_from) == (found.classes, found.case_ids, found.made_from)
    assert again.similar(0) == found.similar(0)
    assert sorted(path.name for path in study.run_folder(RUN).iterdir()) == ["features.npy", "features.npz"]


def test_damaged_files_are_reported(study, found):
    write_features(study, RUN, found)
    path = study.run_folder(RUN) / FEATURES_FILE
    np.save(path, found.features[:3])
    with pytest.raises(ExplanationError, match=f"3 rows for 8 samples.*explain-all {RUN} --again"):
        read_features(study, RUN)
    path.unlink()
    with pytest.raises(ExplanationError, match="cannot be read"):
        read_features(study, RUN)
