"""What the viewer sends to the browser."""

import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from brainmri.dashboard import viewer
from brainmri.dashboard.viewer import (
    DrawnRegion,
    MarkedPoint,
    PackedVolumes,
    ViewedSquare,
    messages,
    pack_case,
    pack_volumes,
    packing,
    read_mark,
    read_region,
    start_slice,
    without_position,
)
from brainmri.dashboard.viewer.colours import NAMES, colour_tables
from brainmri.dashboard.viewer.messages import messages_of
from brainmri.dashboard.viewer.voxels import find_air
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


PLACEMENT = Placement(
    origin_mm=(-90.0, -100.0, -35.0),
    slice_direction=(0.0, 0.0, 1.0),
    row_direction=(0.0, 0.9961947, 0.0871557),
    column_direction=(1.0, 0.0, 0.0),
)


@dataclass
class Opened:
    """A packed case taken apart, without the code that packed it."""

    head: dict
    maps: np.ndarray
    colours: np.ndarray
    levels: np.ndarray
    upper: np.ndarray
    samples: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """In the scanner's units, shape (sequences, S, R, C) of the box."""
        slopes, offsets = (np.array(self.head[name])[:, None, None, None] for name in ("slopes", "offsets"))
        return self.levels * slopes + offsets


def read(blob: bytes) -> Opened:
    (length,) = struct.unpack_from("<I", blob)
    head, at = json.loads(blob[4 : 4 + length]), 4 + length
    shape = (len(head["classes"]), len(head["squares"]), *head["mapGrid"])
    maps = np.frombuffer(blob, "<f4", int(np.prod(shape)), at).reshape(shape)
    at += maps.nbytes
    tables = 768 * (len(head["colours"]) + 1)
    colours = np.frombuffer(blob, np.uint8, tables, at).reshape(-1, 256, 3)
    stream = blob[at + tables : at + tables + head["streamBytes"]]
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = engine.decompress(stream)
    assert engine.eof
    assert not engine.unused_data
    first, _, _, slices, rows, columns = head["box"]
    levels = np.zeros((len(head["names"]), slices, rows, columns), np.uint16)
    planes = iter(np.frombuffer(plain, np.uint8, -1))
    take = lambda count: np.fromiter(planes, np.uint8, count)  # noqa: E731
    for place in head["order"]:
        for index, bits in enumerate(head["lowBits"]):
            levels[index, place - first] = take(rows * columns).reshape(rows, columns).astype(np.uint16) << bits
    upper = levels.copy()
    side = head["samplePx"]
    given = (len(head["squares"]), len(levels), side, side)
    samples = take(int(np.prod(given))).reshape(given)
    for place in head["order"]:
        for index, bits in enumerate(head["lowBits"]):
            if bits:
                levels[index, place - first] |= take(rows * columns).reshape(rows, columns)
    assert next(planes, None) is None
    return Opened(head, maps, colours, levels, upper, samples)


def test_whole_numbers_come_back_exactly(volumes: dict[str, np.ndarray], packed: PackedVolumes) -> None:
    opened = read(pack_case("a", packed))
    assert opened.head["lowBits"] == [3, 3, 3]  # up to 1,100 above the lowest: eleven bits
    np.testing.assert_array_equal(opened.values, np.stack([volumes[name] for name in SEQUENCES]))


def test_the_first_half_of_the_stream_shows_each_voxel_within_a_255th_of_the_range(packed: PackedVolumes) -> None:
    opened = read(pack_case("a", packed))
    error = opened.levels.astype(int) - opened.upper
    assert error.min() >= 0
    assert 0 < error.max() <= 1100 / 128


def test_the_slice_shown_first_is_sent_first_and_its_neighbours_next(packed: PackedVolumes) -> None:
    assert read(pack_case("a", packed, squares=SQUARES[:1])).head["order"] == [1, 0, 2, 3]
    assert read(pack_case("a", packed)).head["order"] == [2, 1, 3, 0]


def test_only_the_box_around_the_head_is_sent_and_it_is_exact() -> None:
    volumes = {name: np.full((6, 9, 8), -3, np.int16) for name in SEQUENCES}
    volumes["T1"][2:4, 3:7, 1:5] = 40
    volumes["T2"][3, 8, 6] = 41
    volumes["T1c"][2:4, 3:7, 1:5] = 42
    opened = read(pack_case("a", pack_volumes(volumes, SPACING_MM)))
    assert opened.head["shape"] == [6, 9, 8]
    assert opened.head["box"] == [2, 3, 1, 2, 6, 6]
    assert opened.head["air"] == opened.head["offsets"] == [-3, -3, -3], "air of one value is told exactly"
    for index, name in enumerate(SEQUENCES):
        whole = np.full((6, 9, 8), opened.head["offsets"][index])
        whole[2:4, 3:9, 1:7] = opened.values[index]
        np.testing.assert_array_equal(whole, volumes[name], err_msg=name)


def test_broken_numbers_come_back_within_half_of_a_4096th_of_the_range() -> None:
    volume = np.random.default_rng(6).normal(0, 1e-3, (2, 5, 5)).astype(np.float32)
    opened = read(pack_case("a", pack_volumes({"T1": volume}, SPACING_MM)))
    np.testing.assert_allclose(opened.values[0], volume, atol=0.51 * np.ptp(volume) / 4095)


def test_whole_numbers_stored_as_broken_ones_stay_exact() -> None:
    volume = np.random.default_rng(6).integers(0, 20_000, (2, 5, 5)).astype(np.float32)
    np.testing.assert_array_equal(read(pack_case("a", pack_volumes({"T1": volume}, SPACING_MM))).values[0], volume)


@pytest.fixture(scope="module")
def noisy() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return a head in noise whose ventricle is darker than the air, and where the head is."""
    draw = np.random.default_rng(8)
    rows, columns = np.mgrid[:96, :96] - 48
    head = np.broadcast_to(rows**2 + columns**2 < 30**2, (4, 96, 96))
    ventricle = np.broadcast_to(rows**2 + columns**2 < 8**2, head.shape)
    volumes = {}
    for name in SEQUENCES:
        noise = np.hypot(draw.normal(0, 12, head.shape), draw.normal(0, 12, head.shape))
        volumes[name] = np.where(ventricle, 2, np.where(head, 300 + noise, noise)).astype(np.int16)
    return volumes, head


def test_noisy_air_is_left_out_and_nothing_of_the_head(noisy: tuple[dict[str, np.ndarray], np.ndarray]) -> None:
    volumes, head = noisy
    before = {name: volume.copy() for name, volume in volumes.items()}
    opened = read(pack_case("a", pack_volumes(volumes, SPACING_MM)))
    first, row, column, slices, rows, columns = opened.head["box"]
    for index, name in enumerate(SEQUENCES):
        background = opened.head["offsets"][index] + opened.head["background"][index]
        whole = np.full(head.shape, background)
        whole[first : first + slices, row : row + rows, column : column + columns] = opened.values[index]
        np.testing.assert_array_equal(whole[head], volumes[name][head], err_msg=name)
        np.testing.assert_array_equal(volumes[name], before[name], err_msg="the data itself is never altered")
        left_out = (whole == background) & ~head
        assert left_out.sum() > 0.7 * (~head).sum(), "all but a rim around the head"
        assert opened.head["air"][index] == volumes[name][left_out].max() < 80
        assert background == np.median(volumes[name][left_out])


def test_air_is_not_looked_for_where_the_image_is_cut_within_the_head() -> None:
    volume = np.random.default_rng(9).normal(400, 30, (3, 96, 96)).astype(np.float32)
    assert find_air([volume]) is None or not find_air([volume])[:, 20:76, 20:76].any()


def test_air_is_what_is_dark_in_all_sequences(noisy: tuple[dict[str, np.ndarray], np.ndarray]) -> None:
    volumes, head = noisy
    bright = volumes["T1"].copy()
    bright[:, 5:12, 5:12] = 500  # something that only one sequence shows, far from the head
    air = find_air([bright, volumes["T2"]])
    assert air is not None
    assert not air[:, 5:12, 5:12].any()
    assert not air[head].any()


def test_a_volume_without_an_image_is_refused() -> None:
    with pytest.raises(ImagingError, match="there is no image"):
        pack_volumes({"T1": np.zeros((2, 3, 3), np.int16)}, SPACING_MM)


def test_the_header_names_grid_squares_and_windows(packed: PackedVolumes) -> None:
    head = read(pack_case("run case", packed, squares=SQUARES)).head
    assert head["id"] == "run case"
    assert head["shape"] == [4, 7, 9]
    assert head["spacing"] == list(SPACING_MM)
    assert head["names"] == list(SEQUENCES)
    assert head["squares"][0] == {"slice": 1, "row": 2, "column": 3, "size": 4, "said": "PCNSL"}
    assert all(low < high for low, high in head["windows"])


def test_the_header_says_where_the_grid_lies(volumes: dict[str, np.ndarray], packed: PackedVolumes) -> None:
    head = read(pack_case("a", pack_volumes(volumes, SPACING_MM, PLACEMENT))).head
    assert head["placement"] == {
        "origin": [-90.0, -100.0, -35.0],
        "slice": [0.0, 0.0, 1.0],
        "row": [0.0, 0.9961947, 0.0871557],
        "column": [1.0, 0.0, 0.0],
    }
    assert read(pack_case("a", packed)).head["placement"] is None


def test_without_its_position_a_case_still_says_which_side_is_left(volumes: dict[str, np.ndarray]) -> None:
    blind = without_position(pack_volumes(volumes, SPACING_MM, PLACEMENT))
    assert read(pack_case("a", blind)).head["placement"] == {
        "origin": None,
        "slice": [0.0, 0.0, 1.0],
        "row": [0.0, 1.0, 0.09],
        "column": [1.0, 0.0, 0.0],
    }


def test_a_case_under_an_opaque_key_holds_voxels_and_their_geometry_only(volumes: dict[str, np.ndarray]) -> None:
    blob = pack_case("k3y", without_position(pack_volumes(volumes, SPACING_MM, PLACEMENT)))
    opened = read(blob)
    geometry = {"shape", "spacing", "reduced", "box", "placement", "order"}
    values = {
        "voxels",
        "names",
        "slopes",
        "offsets",
        "windows",
        "air",
        "background",
        "lowBits",
        "stream",
        "streamBytes",
    }
    empty = {"squares", "samplePx", "mapGrid", "peaks", "troughs", "maxima", "scales", "classes", "chosen"}
    same_in_all_cases = {"start": 2, "signed": False, "shows": "evidence", "scaleOf": "this run", "colours": [*NAMES]}
    assert set(opened.head) == {"id", "stream", "streamBytes"} | geometry | values | empty | set(same_in_all_cases)
    assert not any(np.any(opened.head[name]) for name in empty)
    assert {name: opened.head[name] for name in same_in_all_cases} == same_in_all_cases
    assert opened.maps.size == opened.samples.size == 0
    assert not [word for word in ("-90", "-100", "-35", "0.996") if word in json.dumps(opened.head["placement"])]


def test_maps_start_at_a_multiple_of_four_whatever_the_names(packed: PackedVolumes) -> None:
    for name in ("a", "ab", "abc", "Ä"):
        (length,) = struct.unpack_from("<I", pack_case(name, packed))
        assert length % 4 == 0


def test_maps_are_sent_as_they_are_with_how_strong_they_are_for_and_against(packed: PackedVolumes) -> None:
    maps = np.zeros((2, 2, 3, 4), np.float32)
    maps[0, 0], maps[0, 1], maps[1, 0, 2, 1] = 4.0, 1.0, -0.5
    opened = read(pack_case("a", packed, squares=SQUARES, maps=maps, classes=("X", "Y"), signed=True))
    np.testing.assert_array_equal(opened.maps, maps)
    assert opened.head["maxima"] == [4.0, 0.0]
    assert opened.head["peaks"] == [[4.0, 1.0], [0.0, 0.0]]
    assert opened.head["troughs"] == [[0.0, 0.0], [0.5, 0.0]]
    assert opened.head["signed"] is True


def test_the_colours_end_where_asked_and_peaks_are_told(packed: PackedVolumes) -> None:
    maps = np.zeros((2, 2, 3, 3), np.float32)
    maps[0, 0, 1, 1], maps[1, 1, 0, 0] = 4.0, 0.5
    head = read(pack_case("a", packed, squares=SQUARES, maps=maps, scales=(8.0, 0.25), classes=("X", "Y"))).head
    assert head["scales"] == [8.0, 0.25]
    assert head["peaks"] == [[4.0, 0.0], [0.0, 0.5]]
    assert read(pack_case("a", packed, squares=SQUARES, maps=maps, classes=("X", "Y"))).head["scales"] == [4.0, 0.5]


def test_what_the_network_was_given_is_sent_as_it_is(packed: PackedVolumes) -> None:
    samples = np.random.default_rng(7).integers(0, 256, (2, 3, 8, 8), dtype=np.uint8)
    maps = np.ones((1, 2, 3, 3), np.float32)
    opened = read(pack_case("a", packed, squares=SQUARES, samples=samples, maps=maps, classes=("X",)))
    assert opened.head["samplePx"] == 8
    np.testing.assert_array_equal(opened.samples, samples)


def test_slices_too_large_to_send_are_averaged(
    volumes: dict[str, np.ndarray], packed: PackedVolumes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "MOST_BYTES", 2 * 3 * 4 * 7 * 9 // 3)
    small = pack_volumes(volumes, SPACING_MM)
    assert (small.shape, small.spacing_mm) == ((4, 3, 4), (5.0, 1.8, 1.6))
    assert small.windows == packed.windows
    opened = read(pack_case("a", small, squares=SQUARES))
    first = opened.values[0, 2, 1, 3]
    assert first == pytest.approx(volumes["T1"][2, 2:4, 6:8].mean(), abs=small.slopes[0])
    assert opened.head["squares"][0] == {"slice": 1, "row": 1, "column": 1.5, "size": 2, "said": "PCNSL"}


def test_without_maps_no_class_is_offered(packed: PackedVolumes) -> None:
    assert read(pack_case("a", packed, squares=SQUARES, classes=("X", "Y"))).head["classes"] == []


def test_colours_are_those_of_matplotlib_and_white_where_nothing_speaks_for_or_against(packed: PackedVolumes) -> None:
    mpl = pytest.importorskip("matplotlib")
    tables = colour_tables()
    np.testing.assert_array_equal(tables[0], colour_table())
    for table, name in zip(tables, (*NAMES, "RdBu_r"), strict=True):
        expected = 255 * mpl.colormaps[name.lower() if name in NAMES else name](np.arange(256))[:, :3]
        assert np.abs(table - expected).max() < 16, name  # of 255: straight lines between ten of its entries
    assert (tables[3][127] > 240).all()
    assert tables[3][0, 2] > 2 * tables[3][0, 0]
    assert tables[3][255, 0] > 2 * tables[3][255, 2]
    np.testing.assert_array_equal(read(pack_case("a", packed)).colours, tables)


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


MARK = {"slice_index": 3, "row": 6, "column": 8}


def test_a_marked_point_is_returned_in_voxels_of_the_case(packed: PackedVolumes) -> None:
    assert read_mark(MARK, pack_case("a", packed)) == MarkedPoint(**MARK)


@pytest.mark.parametrize("change", [{"slice_index": 4}, {"row": 7}, {"column": -1}])
def test_a_point_beyond_the_case_is_refused(packed: PackedVolumes, change: dict[str, int]) -> None:
    with pytest.raises(ImagingError, match="lies beyond the case's 4 slices of 7 × 9 px"):
        read_mark({**MARK, **change}, pack_case("a", packed))


@pytest.mark.parametrize("sent", [None, [], {"row": 1}, {**MARK, "row": 0.5}])
def test_what_is_no_point_is_refused(packed: PackedVolumes, sent: object) -> None:
    with pytest.raises(ImagingError, match="expected whole numbers slice_index, row, column"):
        read_mark(sent, pack_case("a", packed))


def test_a_small_case_is_one_message_and_says_what_was_marked_before(packed: PackedVolumes) -> None:
    blob = pack_case("a", packed)
    for mark, closed in ((None, False), (MarkedPoint(**MARK), True)):
        first, rest = messages_of(blob, mark, closed=closed)
        text = json.dumps({"mark": mark and MARK, "closed": closed}).encode()
        assert first == struct.pack("<I", len(text)) + text + blob
        assert rest is None


def test_a_large_case_is_two_messages_that_belong_together(
    monkeypatch: pytest.MonkeyPatch, packed: PackedVolumes
) -> None:
    monkeypatch.setattr(messages, "FIRST_BYTES", 100)
    blob = pack_case("a", packed)
    head = read(blob).head
    first, rest = messages_of(blob)
    assert rest is not None
    before = len(struct.pack("<I", 0)) + len(json.dumps({"mark": None, "closed": False}))
    assert first[before:] + rest[4:] == blob
    assert len(first) == before + len(blob) - head["streamBytes"] + 100
    assert struct.unpack_from("<I", rest) == (head["stream"],)
    assert head["stream"] == zlib.crc32(blob[-head["streamBytes"] :])


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
