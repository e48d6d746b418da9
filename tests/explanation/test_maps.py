"""Stored maps and their pictures."""

import zipfile

import numpy as np
import pytest
import torch
from torch.nn import functional

from brainmri.errors import ExplanationError, UsageError
from brainmri.explanation.maps import FILE_NAME, RunMaps, colour_table, overlay, read_maps, upsample, write_maps

RUN = "exp-001-alexnet-01"


@pytest.fixture
def maps():
    values = np.random.default_rng(0).random((3, 2, 6, 7)).astype(np.float32)
    return RunMaps("features.4", ("PCNSL", "meningioma"), 64, np.array([4, 9, 11]), values)


def test_maps_come_back_as_they_were_written(study, maps):
    write_maps(study.run_folder(RUN) / FILE_NAME, maps)
    found = read_maps(study, RUN)
    assert (found.layer, found.classes, found.size_px, found.grid) == ("features.4", maps.classes, 64, (6, 7))
    np.testing.assert_array_equal(found.sample_index, [4, 9, 11])
    np.testing.assert_array_equal(found.maps, maps.maps)
    assert found.maps.dtype == np.float32
    np.testing.assert_array_equal(found.of(9, 1), maps.maps[1, 1])
    assert [path.name for path in study.run_folder(RUN).iterdir()] == [FILE_NAME]


def test_the_file_holds_no_pickle(study, maps):
    path = study.run_folder(RUN) / FILE_NAME
    write_maps(path, maps)
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            assert b"|O" not in archive.read(name)[:128], name


def test_a_run_without_maps_has_none(study):
    assert read_maps(study, RUN) is None
    assert read_maps(study, f"../{RUN}") is None
    assert read_maps(study, "") is None


def test_a_damaged_file_is_reported(study, maps):
    path = study.run_folder(RUN) / FILE_NAME
    write_maps(path, maps)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ExplanationError, match=f"cannot be read: .* explain-run {RUN}"):
        read_maps(study, RUN)


def test_a_sample_that_the_run_did_not_test_is_refused(maps):
    with pytest.raises(ExplanationError, match="did not test the sample 5"):
        maps.of(5, 0)


def test_a_class_that_is_not_there_is_refused(maps):
    with pytest.raises(ExplanationError, match=r"no class 2; expected 0 to 1 \(PCNSL, meningioma\)"):
        maps.of(4, 2)


def test_the_images_of_a_run_share_a_scale_that_one_outlier_does_not_set():
    values = np.zeros((100, 3, 6, 6), dtype=np.float32)
    values[:, 0, 2, 2] = np.arange(100)
    values[7, 1, 0, 0] = 3.0
    values[:90, 0] /= 10
    found = RunMaps("features.4", ("a", "b", "c"), 64, np.arange(100), values).scales
    assert found == pytest.approx((np.percentile(values[:, 0, 2, 2], 95), 3.0, 0.0))
    assert RunMaps("features.4", ("a", "b"), 64, np.arange(0), values[:0, :2]).scales == (0.0, 0.0)


@pytest.mark.parametrize("shape", [(1, 1), (6, 6), (7, 5), (13, 13)])
@pytest.mark.parametrize("size", [(64, 64), (96, 41), (224, 224), (5, 4)])
def test_scaling_up_is_torchs(shape, size):
    values = np.random.default_rng(3).random(shape).astype(np.float32)
    expected = functional.interpolate(torch.from_numpy(values)[None, None], size, mode="bilinear", align_corners=False)
    np.testing.assert_allclose(upsample(values, size), expected[0, 0].numpy(), atol=1e-6)


def test_scaling_up_takes_the_side_of_a_square():
    np.testing.assert_array_equal(upsample(np.full((2, 3), 0.25), 8), np.full((8, 8), 0.25, dtype=np.float32))


def test_the_colour_table_is_inferno():
    matplotlib = pytest.importorskip("matplotlib")
    original = np.round(matplotlib.colormaps["inferno"](np.arange(256))[:, :3] * 255)
    assert np.abs(colour_table() - original).max() <= 5
    assert (colour_table().shape, colour_table().dtype) == ((256, 3), np.uint8)


def test_colours_grow_lighter_with_the_evidence():
    lightness = colour_table()[::5] @ np.array([0.2126, 0.7152, 0.0722])  # whole numbers: single steps are uneven
    assert (np.diff(lightness) > 0).all()


def test_the_overlay_leaves_the_image_untouched_where_there_is_no_evidence():
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    share = np.zeros((8, 8))
    share[2, 3] = 1
    picture = overlay(grey, share, 1.0)
    untouched = share == 0
    np.testing.assert_array_equal(picture[untouched], np.repeat(grey[untouched][:, None], 3, axis=1))
    np.testing.assert_array_equal(picture[2, 3], colour_table()[255])


def test_opacity_grows_with_the_evidence():
    picture = overlay(np.full((1, 3), 100, dtype=np.uint8), np.array([[0.0, 0.5, 1.0]]), 0.8)
    colours = colour_table().astype(float)
    np.testing.assert_array_equal(picture[0, 1], (0.6 * 100 + 0.4 * colours[128]).round())
    np.testing.assert_array_equal(picture[0, 2], (0.2 * 100 + 0.8 * colours[255]).round())


def test_an_overlay_of_another_size_is_refused():
    with pytest.raises(ExplanationError, match="map has 6×6 px and the image 8×8"):
        overlay(np.zeros((8, 8), dtype=np.uint8), np.zeros((6, 6)))


def test_maps_of_each_method_have_their_own_file(study, maps):
    other = RunMaps("features.4", maps.classes, 64, maps.sample_index, -maps.maps, "hirescam", "a training")
    write_maps(study.run_folder(RUN) / "hirescam.npz", other)
    assert read_maps(study, RUN) is None
    found = read_maps(study, RUN, "hirescam")
    assert (found.method, found.made_from) == ("hirescam", "a training")
    np.testing.assert_array_equal(found.maps, -maps.maps)
    with pytest.raises(UsageError, match="no map method 'lime'"):
        read_maps(study, RUN, "lime")


def test_the_scale_of_signed_maps_counts_both_signs(maps):
    signed = RunMaps("features.4", maps.classes, 64, maps.sample_index, -maps.maps, "hirescam")
    assert signed.scales == pytest.approx(maps.scales)
