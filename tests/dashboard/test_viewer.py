"""What the viewer sends to the browser."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from brainmri.dashboard import viewer
from brainmri.dashboard.viewer import (
    MAP_PX,
    DrawnRegion,
    PackedVolumes,
    ViewedSquare,
    pack_case,
    pack_volumes,
    read_region,
    start_slice,
)
from brainmri.errors import ImagingError
from brainmri.explanation.maps import colour_table
from brainmri.intake.volumes import Placement
from brainmri.vocabulary import SEQUENCES

SPACING_MM = (5.0, 0.9, 0.8)
SQUARES = (
    ViewedSquare(slice_index=1, row=2, column=3, size_px=4, said="PCNSL"),
    ViewedSquare(slice_index=2, row=1, column=1, size_px=5),
)


@pytest.fixture
def volumes() -> dict[str, np.ndarray]:
    draw = np.random.default_rng(5)
    return {name: draw.integers(-200, 900, (4, 7, 9)).astype(np.int16) for name in SEQUENCES}


@pytest.fixture
def packed(volumes: dict[str, np.ndarray]) -> PackedVolumes:
    return pack_volumes(volumes, SPACING_MM)


def read(blob: bytes) -> tuple[dict, bytes]:
    (length,) = struct.unpack_from("<I", blob)
    return json.loads(blob[4 : 4 + length]), blob[4 + length :]


def maps_of(blob: bytes) -> np.ndarray:
    head, payload = read(blob)
    voxels = 2 * 3 * int(np.prod(head["shape"]))
    maps = np.frombuffer(payload[voxels:-768], np.uint8)
    return maps.reshape(len(head["classes"]), len(head["squares"]), MAP_PX, MAP_PX)


def test_whole_numbers_come_back_exactly(volumes: dict[str, np.ndarray], packed: PackedVolumes) -> None:
    head, payload = read(pack_case("a", packed))
    stored = np.frombuffer(payload[: -colour_table().size], "<u2").reshape(3, 4, 7, 9)
    for index, name in enumerate(SEQUENCES):
        np.testing.assert_array_equal(
            stored[index] * head["slopes"][index] + head["offsets"][index], volumes[name], err_msg=name
        )


def test_only_the_box_around_the_head_is_sent_and_it_is_exact() -> None:
    volumes = {name: np.full((6, 9, 8), -3, np.int16) for name in SEQUENCES}
    volumes["T1"][2:4, 3:7, 1:5] = 40
    volumes["T2"][3, 8, 6] = 41
    volumes["T1c"][2:4, 3:7, 1:5] = 42
    head, payload = read(pack_case("a", pack_volumes(volumes, SPACING_MM)))
    assert head["shape"] == [6, 9, 8]
    assert head["box"] == [2, 3, 1, 2, 6, 6]
    stored = np.frombuffer(payload[:-768], "<u2").reshape(3, 2, 6, 6)
    for index, name in enumerate(SEQUENCES):
        whole = np.full((6, 9, 8), head["offsets"][index])
        whole[2:4, 3:9, 1:7] = stored[index] * head["slopes"][index] + head["offsets"][index]
        np.testing.assert_array_equal(whole, volumes[name], err_msg=name)


def test_broken_numbers_come_back_within_half_a_step() -> None:
    volume = np.random.default_rng(6).normal(0, 1e-3, (2, 5, 5)).astype(np.float32)
    packed = pack_volumes({"T1": volume}, SPACING_MM)
    stored = np.frombuffer(packed.voxels, "<u2").reshape(volume.shape)
    step = packed.slopes[0]
    np.testing.assert_allclose(stored * step + packed.offsets[0], volume, atol=0.51 * step)


def test_a_volume_without_an_image_is_refused() -> None:
    with pytest.raises(ImagingError, match="there is no image"):
        pack_volumes({"T1": np.zeros((2, 3, 3), np.int16)}, SPACING_MM)


def test_the_header_names_grid_squares_and_windows(packed: PackedVolumes) -> None:
    head, _ = read(pack_case("run case", packed, squares=SQUARES))
    assert head["id"] == "run case"
    assert head["shape"] == [4, 7, 9]
    assert head["spacing"] == list(SPACING_MM)
    assert head["names"] == list(SEQUENCES)
    assert head["squares"][0] == {"slice": 1, "row": 2, "column": 3, "size": 4, "said": "PCNSL"}
    assert all(low < high for low, high in head["windows"])


def test_the_header_says_where_the_grid_lies(volumes: dict[str, np.ndarray], packed: PackedVolumes) -> None:
    placement = Placement(
        origin_mm=(-90.0, -100.0, -35.0),
        slice_direction=(0.0, 0.0, 1.0),
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(1.0, 0.0, 0.0),
    )
    head, _ = read(pack_case("a", pack_volumes(volumes, SPACING_MM, placement)))
    assert head["placement"] == {
        "origin": [-90.0, -100.0, -35.0],
        "slice": [0.0, 0.0, 1.0],
        "row": [0.0, 1.0, 0.0],
        "column": [1.0, 0.0, 0.0],
    }
    assert read(pack_case("a", packed))[0]["placement"] is None


def test_voxels_start_at_a_multiple_of_four_whatever_the_names(packed: PackedVolumes) -> None:
    for name in ("a", "ab", "abc", "Ä"):
        (length,) = struct.unpack_from("<I", pack_case(name, packed))
        assert length % 4 == 0


def test_the_maps_of_a_class_share_one_scale(packed: PackedVolumes) -> None:
    maps = np.zeros((2, 2, 3, 3), np.float32)
    maps[0, 0], maps[0, 1], maps[1, 0] = 4.0, 1.0, 0.5
    blob = pack_case("a", packed, squares=SQUARES, maps=maps, classes=("X", "Y"))
    sent = maps_of(blob)
    assert read(blob)[0]["maxima"] == [4.0, 0.5]
    assert [int(sent[0, 0].max()), int(sent[0, 1].max()), int(sent[1, 0].max())] == [255, 64, 255]


def test_a_class_without_evidence_has_empty_maps_and_says_so(packed: PackedVolumes) -> None:
    blob = pack_case("a", packed, squares=SQUARES, maps=np.zeros((1, 2, 3, 3), np.float32), classes=("X",))
    assert read(blob)[0]["maxima"] == [0.0]
    assert not maps_of(blob).any()


def test_the_colours_end_where_asked_and_peaks_are_told(packed: PackedVolumes) -> None:
    maps = np.zeros((2, 2, 3, 3), np.float32)
    maps[0, 0, 1, 1], maps[1, 1, 0, 0] = 4.0, 0.5
    head, _ = read(pack_case("a", packed, squares=SQUARES, maps=maps, scales=(8.0, 0.25), classes=("X", "Y")))
    assert head["scales"] == [8.0, 0.25]
    assert head["peaks"] == [[4.0, 0.0], [0.0, 0.5]]
    assert read(pack_case("a", packed, squares=SQUARES, maps=maps, classes=("X", "Y")))[0]["scales"] == [4.0, 0.5]


def test_what_the_network_was_given_is_sent_as_it_is(packed: PackedVolumes) -> None:
    samples = np.random.default_rng(7).integers(0, 256, (2, 3, 8, 8), dtype=np.uint8)
    maps = np.ones((1, 2, 3, 3), np.float32)
    head, payload = read(pack_case("a", packed, squares=SQUARES, samples=samples, maps=maps, classes=("X",)))
    assert head["samplePx"] == 8
    start = 2 * 3 * int(np.prod(head["shape"])) + 2 * MAP_PX**2
    np.testing.assert_array_equal(np.frombuffer(payload[start:-768], np.uint8).reshape(samples.shape), samples)


def test_slices_too_large_to_send_are_averaged(
    volumes: dict[str, np.ndarray], packed: PackedVolumes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer, "MOST_BYTES", len(packed.voxels) // 3)
    small = pack_volumes(volumes, SPACING_MM)
    assert (small.shape, small.spacing_mm) == ((4, 3, 4), (5.0, 1.8, 1.6))
    assert small.windows == packed.windows
    stored = np.frombuffer(small.voxels, "<u2").reshape(3, *small.shape)
    first = stored[0, 2, 1, 3] * small.slopes[0] + small.offsets[0]
    assert first == pytest.approx(volumes["T1"][2, 2:4, 6:8].mean(), abs=small.slopes[0])
    head, _ = read(pack_case("a", small, squares=SQUARES))
    assert head["squares"][0] == {"slice": 1, "row": 1, "column": 1.5, "size": 2, "said": "PCNSL"}


def test_without_maps_no_class_is_offered(packed: PackedVolumes) -> None:
    assert read(pack_case("a", packed, squares=SQUARES, classes=("X", "Y")))[0]["classes"] == []


REGION = {"row": 2, "column": 3, "size_px": 4, "first_slice": 0, "last_slice": 3}


def test_a_region_that_fits_the_case_is_returned_in_its_voxels(packed: PackedVolumes) -> None:
    assert read_region(REGION, pack_case("a", packed)) == DrawnRegion(**REGION)


@pytest.mark.parametrize(
    "change",
    [{"row": 4}, {"column": -1}, {"column": 6}, {"size_px": 0}, {"last_slice": 4}, {"first_slice": 3, "last_slice": 2}],
)
def test_a_region_beyond_the_case_is_refused(packed: PackedVolumes, change: dict[str, int]) -> None:
    with pytest.raises(ImagingError, match="reaches beyond the case's 4 slices of 7 × 9 px"):
        read_region({**REGION, **change}, pack_case("a", packed))


@pytest.mark.parametrize("sent", ["x", {}, {**REGION, "row": 1.5}, {**REGION, "row": "2"}, {**REGION, "more": 1}])
def test_what_is_no_region_is_refused(packed: PackedVolumes, sent: object) -> None:
    with pytest.raises(ImagingError, match="expected whole numbers row, column, size_px"):
        read_region(sent, pack_case("a", packed))


def test_the_first_slice_is_that_of_the_most_evidence() -> None:
    maps = np.zeros((1, 2, 3, 3), np.float32)
    maps[0, 0] = 0.1
    assert start_slice(SQUARES, 4, maps) == 1
    assert start_slice(SQUARES, 4) == 2
    assert start_slice((), 9) == 4


def test_the_browser_part_asks_for_nothing_outside_and_inserts_no_html() -> None:
    folder = Path(viewer.__file__).parent
    files = [path for path in folder.iterdir() if path.suffix in (".js", ".css", ".html")]
    assert len(files) > 2
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not [word for word in ("http:", "https:", "innerHTML", "insertAdjacentHTML", "eval(") if word in text]
