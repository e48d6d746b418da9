"""The maps of a case that the viewer shows: any stored method, and over the repeats of a network."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from brainmri.dashboard.case_maps import (
    MEAN,
    SPREAD,
    MapChoice,
    describe_method,
    label_layers,
    map_labels,
    maps_stamp,
    read_case_maps,
    read_summary,
    usual_layer,
)
from brainmri.dashboard.review import TestedCase, packed_blind, packed_case, read_tested_cases
from brainmri.errors import ExplanationError, UsageError
from brainmri.explanation.case_files import case_file
from brainmri.explanation.map_summary import spread_over_repeats
from brainmri.explanation.maps import RunMaps, upsample, write_maps
from brainmri.explanation.method_names import METHODS
from brainmri.study import Study
from brainmri.training.architecture_names import ARCHITECTURES
from brainmri.training.file_names import CHECKPOINT_FILE
from brainmri.training.records import Split
from brainmri.vocabulary import TRAINED_DIAGNOSES
from tests.pages.filled import make_filled_study

RUN, SECOND = "exp-001-resnet50-01", "exp-001-resnet50-02"
OTHER_NETWORK = "exp-001-alexnet-01"


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.delenv("BRAINMRI_DATABASE_URL", raising=False)
    return make_filled_study(tmp_path / "filled")


@pytest.fixture
def case(filled: Study) -> TestedCase:
    """Return a case that the first repeat tested."""
    return read_tested_cases(filled, "exp-001", RUN)[0]


def samples_of(case: TestedCase) -> list[int]:
    return [image.sample_index for image in case.images]


def store(study: Study, run_id: str, samples: list[int], method: str = "gradcam", *, seed: int = 0) -> RunMaps:
    """Store maps of one sample after the other as ``explain-all`` does."""
    values = np.random.default_rng(seed).normal(size=(len(samples), 3, 4, 4)).astype(np.float32)
    maps = RunMaps(
        layer="layer4.2",
        classes=TRAINED_DIAGNOSES,
        size_px=64,
        sample_index=np.array(samples),
        maps=values if METHODS[method].signed else np.maximum(values, 0),
        method=method,
    )
    write_maps(study.run_folder(run_id) / METHODS[method].file_name, maps)
    return maps


def samples_of_repeat(study: Study, repeat: int) -> list[int]:
    with study.session() as session:
        return list(session.scalars(select(Split.test).where(Split.repeat == repeat)).one())


def test_only_what_is_stored_of_the_run_is_offered(filled: Study, case: TestedCase) -> None:
    assert map_labels(filled, RUN, samples_of(case)) == {}
    for method in ("occlusion", "gradcam"):
        store(filled, RUN, samples_of_repeat(filled, 1), method)
    assert list(map_labels(filled, RUN, samples_of(case)).values()) == ["Grad-CAM", "Occlusion"]


def test_the_repeats_are_offered_where_two_of_the_same_network_tested_the_case(filled: Study, case: TestedCase) -> None:
    store(filled, RUN, samples_of_repeat(filled, 1))
    store(filled, OTHER_NETWORK, samples_of_repeat(filled, 1))
    assert list(map_labels(filled, RUN, samples_of(case))) == ["gradcam"]
    store(filled, SECOND, samples_of(case)[:-1])
    assert list(map_labels(filled, RUN, samples_of(case))) == ["gradcam"], "the second did not test every slice"
    store(filled, SECOND, samples_of(case))
    labels = map_labels(filled, RUN, samples_of(case))
    assert labels == {"gradcam": "Grad-CAM", MEAN: "Mean of 2 repeats", SPREAD: "Spread over 2 repeats"}


def test_every_map_is_explained_in_a_sentence() -> None:
    for method in (*METHODS, MEAN, SPREAD):
        assert describe_method(method).endswith(".")


def test_the_maps_of_a_method_are_the_stored_ones_with_the_scale_of_the_run(filled: Study, case: TestedCase) -> None:
    stored = store(filled, RUN, samples_of_repeat(filled, 1), "hirescam")
    found = read_case_maps(filled, RUN, samples_of(case), MapChoice("hirescam"))
    assert found is not None
    for class_index in range(3):
        for place, sample in enumerate(samples_of(case)):
            np.testing.assert_array_equal(found.values[class_index, place], stored.of(sample, class_index))
    assert (found.scales, found.signed, found.shows) == (stored.scales, True, "evidence")
    assert read_case_maps(filled, RUN, samples_of(case), MapChoice("gradcam")) is None


def test_mean_and_spread_are_those_of_the_maps_as_shares_of_strong_evidence(filled: Study, case: TestedCase) -> None:
    stored = [store(filled, RUN, samples_of_repeat(filled, 1)), store(filled, SECOND, samples_of(case), seed=1)]
    mean = read_case_maps(filled, RUN, samples_of(case), MapChoice(MEAN))
    spread = read_case_maps(filled, RUN, samples_of(case), MapChoice(SPREAD))
    assert mean is not None
    assert spread is not None
    expected = spread_over_repeats(stored, samples_of(case)[0], 1, 32)
    assert expected is not None
    np.testing.assert_allclose(upsample(mean.values[1, 0], 32), expected.mean, atol=1e-6)
    first, second = (one.of(samples_of(case)[0], 1) / one.scales[1] for one in stored)
    np.testing.assert_allclose(spread.values[1, 0], np.abs(first - second) / np.sqrt(2), atol=1e-6)
    assert (mean.signed, mean.shows, mean.scales) == (False, "evidence", (1.0, 1.0, 1.0))
    assert (spread.signed, spread.shows, spread.scales) == (False, "spread", (0.5, 0.5, 0.5))


def test_a_class_without_evidence_in_a_run_counts_as_none_in_the_mean(filled: Study, case: TestedCase) -> None:
    first = store(filled, RUN, samples_of_repeat(filled, 1))
    empty = store(filled, SECOND, samples_of(case))
    empty.maps[:] = 0
    write_maps(filled.run_folder(SECOND) / METHODS["gradcam"].file_name, empty)
    mean = read_case_maps(filled, RUN, samples_of(case), MapChoice(MEAN))
    assert mean is not None
    expected = first.of(samples_of(case)[0], 2) / first.scales[2] / 2
    np.testing.assert_allclose(mean.values[2, 0], expected, atol=1e-6)


def test_new_maps_of_another_repeat_make_the_mean_anew(filled: Study, case: TestedCase) -> None:
    store(filled, RUN, samples_of_repeat(filled, 1))
    before = {method: maps_stamp(filled, RUN, MapChoice(method)) for method in ("gradcam", MEAN)}
    store(filled, SECOND, samples_of(case))
    assert maps_stamp(filled, RUN, MapChoice(MEAN)) != before[MEAN]
    assert maps_stamp(filled, RUN, MapChoice("gradcam")) == before["gradcam"]


def test_maps_are_described_by_method_layer_and_grid(filled: Study) -> None:
    assert read_summary(filled, RUN, MapChoice("gradcam")) is None
    for method in ("gradcam", "occlusion"):
        store(filled, RUN, [0], method)
    words = {
        method: read_summary(filled, RUN, MapChoice(method)).describe()
        for method in ("gradcam", "occlusion", MEAN, SPREAD)
    }
    assert words["gradcam"].startswith("Grad-CAM of the layer layer4.2, a grid of 4 × 4; one map drawn over all three")
    assert words["occlusion"].startswith("Occlusion, averaged to a grid of 4 × 4; one map drawn over all three")
    assert words[MEAN] == words[SPREAD] == "From " + words["gradcam"].split(":")[0] + "."


def test_an_unknown_method_and_a_slice_that_was_not_tested_are_refused(filled: Study) -> None:
    with pytest.raises(UsageError, match="no map method 'x'"):
        read_case_maps(filled, RUN, [0], MapChoice("x"))
    store(filled, RUN, [0])
    with pytest.raises(ExplanationError, match="did not test the sample 99"):
        read_case_maps(filled, RUN, [99], MapChoice("gradcam"))


def head_of(packed: bytes) -> dict:
    (length,) = struct.unpack_from("<I", packed)
    return json.loads(packed[4 : 4 + length])


def test_another_method_is_the_same_case_with_other_maps(filled: Study, case: TestedCase) -> None:
    for method in ("gradcam", "occlusion"):
        store(filled, RUN, samples_of_repeat(filled, 1), method)
    first, second = (head_of(packed_case(filled, RUN, case, MapChoice(method))) for method in ("gradcam", "occlusion"))
    assert first["id"] == second["id"], "slice, zoom and windows stay"
    assert first["voxels"] == second["voxels"]
    assert (first["signed"], second["signed"]) == (False, True)


def test_a_case_for_readers_names_neither_itself_nor_the_run(filled: Study, case: TestedCase) -> None:
    store(filled, RUN, samples_of_repeat(filled, 1))
    blind = packed_blind(filled, case.case_id, "k3y")
    shown = packed_case(filled, RUN, case, opaque_key="k3y")
    for packed in (blind, shown):
        assert head_of(packed)["id"] == "k3y"
        for word in (case.case_id, RUN, "exp-001", "resnet"):
            assert word.encode() not in packed
        assert head_of(packed)["placement"]["origin"] is None
    assert not head_of(blind)["squares"]
    assert not head_of(blind)["classes"]
    assert head_of(blind)["voxels"] == head_of(shown)["voxels"]
    assert head_of(packed_case(filled, RUN, case))["placement"]["origin"] is not None


def test_maps_of_one_case_alone_stand_in_where_the_run_has_none(filled: Study, case: TestedCase) -> None:
    samples = samples_of(case)
    run_maps = store(filled, RUN, samples)
    folder = filled.run_folder(RUN)
    alone = folder / case_file(case.case_id, "gradcam.npz")
    alone.parent.mkdir(parents=True)
    (folder / "gradcam.npz").rename(alone)
    assert read_case_maps(filled, RUN, samples, MapChoice("gradcam")) is None
    found = read_case_maps(filled, RUN, samples, MapChoice("gradcam"), case_id=case.case_id)
    assert found.scale_of == "all slices"
    np.testing.assert_array_equal(found.values[:, 0], run_maps.maps[0])
    assert read_summary(filled, RUN, MapChoice("gradcam"), case_id=case.case_id).layer == "layer4.2"
    assert read_summary(filled, RUN, MapChoice("gradcam"), case_id="case-0099") is None
    before = maps_stamp(filled, RUN, MapChoice("gradcam"), case_id=case.case_id)
    store(filled, RUN, samples, seed=1)
    assert maps_stamp(filled, RUN, MapChoice("gradcam"), case_id=case.case_id) != before
    assert read_case_maps(filled, RUN, samples, MapChoice("gradcam"), case_id=case.case_id).scale_of == "this run"


def test_where_the_network_is_stored_every_method_can_be_chosen(filled: Study, case: TestedCase) -> None:
    store(filled, RUN, samples_of_repeat(filled, 1))
    assert list(map_labels(filled, RUN, samples_of(case))) == ["gradcam"]
    (filled.run_folder(RUN) / CHECKPOINT_FILE).touch()
    assert list(map_labels(filled, RUN, samples_of(case))) == list(METHODS)


def test_layers_can_be_chosen_once_the_usual_one_is_known(filled: Study, case: TestedCase) -> None:
    assert usual_layer(filled, RUN, case.case_id) is None
    store(filled, RUN, samples_of_repeat(filled, 1))
    (filled.run_folder(RUN) / CHECKPOINT_FILE).touch()
    assert usual_layer(filled, RUN, case.case_id) == "layer4.2"
    (filled.run_folder(RUN) / CHECKPOINT_FILE).unlink()
    assert usual_layer(filled, RUN, case.case_id) is None, "nothing but what is stored can be shown"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_layers_are_listed_late_to_early(architecture: str) -> None:
    late, middle, early = ARCHITECTURES[architecture].target_layers
    assert label_layers(architecture, middle) == {
        late: "Late layer",
        middle: "Middle layer (usual)",
        early: "Early layer",
    }


def test_maps_on_another_layer_are_of_the_case_alone(filled: Study, case: TestedCase) -> None:
    samples = samples_of(case)
    usual = store(filled, RUN, samples_of_repeat(filled, 1))
    other = MapChoice("gradcam", "layer3.5")
    assert read_case_maps(filled, RUN, samples, other, case_id=case.case_id) is None
    before = maps_stamp(filled, RUN, other, case_id=case.case_id)
    made = replace(usual, layer="layer3.5", sample_index=np.array(samples), maps=usual.maps[: len(samples)] + 1)
    write_maps(filled.run_folder(RUN) / case_file(case.case_id, "gradcam@layer3.5.npz"), made)
    found = read_case_maps(filled, RUN, samples, other, case_id=case.case_id)
    np.testing.assert_array_equal(found.values[:, 0], made.maps[0])
    assert found.scale_of == "all slices"
    assert read_summary(filled, RUN, other, case_id=case.case_id).layer == "layer3.5"
    assert maps_stamp(filled, RUN, other, case_id=case.case_id) != before
    assert read_case_maps(filled, RUN, samples, MapChoice(), case_id=case.case_id).scale_of == "this run"
