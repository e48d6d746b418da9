"""From a finished run to stored maps and pictures, on a study of rows and random weights."""

import numpy as np
import pytest
import torch
from PIL import Image

from brainmri.errors import ExplanationError, StopRequested, UsageError
from brainmri.explanation import EXPLAIN_AFTER_RUN
from brainmri.explanation.explain import explain_sample
from brainmri.explanation.maps import FILE_NAME, overlay, read_maps, upsample
from brainmri.explanation.precompute import explain_run
from brainmri.explanation.trained import open_trained
from brainmri.training import checkpoints
from brainmri.training.architectures import build_model, target_layer_name
from brainmri.training.file_names import CHECKPOINT_FILE
from brainmri.training.normalisation import IMAGENET_NORMALISATION
from brainmri.training.records import Run
from tests.evaluation.finished_experiment import CLASSES, add_experiment

RUN = "exp-001-alexnet-01"
SIZE_PX = 64


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Return the file of a network of random weights, 228 MB written once."""
    path = tmp_path_factory.mktemp("network") / CHECKPOINT_FILE
    write_network(path)
    yield path
    path.unlink()


@pytest.fixture
def explainable(study, network):
    """Return a study whose first run has a network."""
    add_experiment(study, repeats=1)
    folder = study.dataset_folder("d" * 16)
    folder.mkdir(parents=True)
    np.save(
        folder / "samples.npy", np.random.default_rng(2).integers(0, 255, (36, 3, SIZE_PX, SIZE_PX), dtype=np.uint8)
    )
    study.run_folder(RUN).mkdir(parents=True)
    (study.run_folder(RUN) / CHECKPOINT_FILE).hardlink_to(network)
    return study


def write_network(path, **changes):
    torch.manual_seed(4)
    meta = {
        "architecture": "alexnet",
        "classes": list(CLASSES),
        "size_px": SIZE_PX,
        "normalisation": IMAGENET_NORMALISATION,
        "target_layer": target_layer_name("alexnet", SIZE_PX),
        **changes,
    }
    model = build_model("alexnet", len(meta["classes"]))
    with torch.no_grad():
        model.classifier[6].weight -= model.classifier[6].weight.mean(dim=0)  # some class has evidence
    checkpoints.write_checkpoint(path, model, meta)


def test_every_test_image_gets_a_map_for_every_class(explainable):
    explain_run(explainable, RUN)
    maps = read_maps(explainable, RUN)
    assert (maps.layer, maps.classes, maps.size_px) == (target_layer_name("alexnet", SIZE_PX), CLASSES, SIZE_PX)
    assert maps.maps.shape == (12, 3, *maps.grid)
    assert min(maps.grid) >= 6
    assert (maps.maps >= 0).all()
    assert maps.maps.any()


def test_work_on_a_run_tells_how_far_it_is_and_can_be_stopped(explainable, monkeypatch):
    monkeypatch.setattr("brainmri.explanation.trained.BATCH_IMAGES", 5)
    told = []
    explain_run(explainable, RUN, progress=lambda share, text: told.append((round(share, 2), text)))
    assert told == [(round(n / 12, 2), f"Grad-CAM of image {n + 1} of 12") for n in (0, 5, 10)] + [
        (1.0, "Storing the maps")
    ]
    stored = read_maps(explainable, RUN)

    def stop(_share, _text):
        raise StopRequested("enough")

    with pytest.raises(StopRequested, match="enough"):
        explain_run(explainable, RUN, progress=stop)
    np.testing.assert_array_equal(read_maps(explainable, RUN).maps, stored.maps)


def test_stored_maps_are_those_of_a_single_sample(explainable, tmp_path):
    explain_run(explainable, RUN)
    maps = read_maps(explainable, RUN)
    sample = int(maps.sample_index[5])
    for index, name in enumerate(CLASSES):
        explained = explain_sample(explainable, RUN, sample, tmp_path, target=name)
        expected = upsample(maps.of(sample, index), SIZE_PX)
        np.testing.assert_allclose(np.load(explained.paths[-1]), expected, rtol=1e-4, atol=1e-4 * maps.maps.max())


def test_a_sample_becomes_a_picture_a_sequence_and_a_map(explainable, tmp_path):
    out = tmp_path / "new" / "folder"
    explained = explain_sample(explainable, RUN, 12, out)
    names = [f"{RUN}-sample-0012-{end}" for end in ("T1.png", "T2.png", "T1c.png", "map.npy")]
    assert [path.name for path in explained.paths] == names
    assert sorted(path.name for path in out.iterdir()) == sorted(names)
    for path in explained.paths[:3]:
        with Image.open(path) as picture:
            assert (picture.size, picture.mode) == ((256, 256), "RGB")
    evidence = np.load(explained.paths[3], allow_pickle=False)
    assert (evidence.shape, evidence.dtype) == ((SIZE_PX, SIZE_PX), np.float32)
    assert list(explained.probabilities) == list(CLASSES)
    assert sum(explained.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert explained.predicted == explained.target == max(explained.probabilities, key=explained.probabilities.get)
    assert explained.layer == target_layer_name("alexnet", SIZE_PX)
    assert min(explained.grid) >= 6


def test_each_picture_shows_its_own_sequence(explainable, tmp_path, monkeypatch):
    monkeypatch.setattr("brainmri.explanation.explain.overlay", lambda grey, share: overlay(grey, 0 * share))
    explained = explain_sample(explainable, RUN, 3, tmp_path)
    sample = np.load(explainable.dataset_folder("d" * 16) / "samples.npy")[3]
    for path, grey in zip(explained.paths, sample, strict=False):
        with Image.open(path) as picture:
            shown = np.asarray(picture)
        np.testing.assert_array_equal(shown[..., 0], upsample(grey, 256).round().astype(np.uint8))
        np.testing.assert_array_equal(shown[..., 0], shown[..., 2])


def test_a_class_may_be_named_as_people_write_it(explainable, tmp_path):
    assert explain_sample(explainable, RUN, 0, tmp_path, target="GBM").target == "glioblastoma"


def test_a_sample_may_be_explained_by_another_method_or_on_another_layer(explainable, tmp_path):
    sample = np.load(explainable.dataset_folder("d" * 16) / "samples.npy")[4:5]
    trained = open_trained(explainable, RUN)
    for method, layer, shown in [
        ("hirescam", None, target_layer_name("alexnet", SIZE_PX)),
        ("gradcam", "features.1", "features.1"),
        ("occlusion", None, ""),
    ]:
        explained = explain_sample(explainable, RUN, 4, tmp_path, target="PCNSL", method=method, layer=layer)
        assert explained.layer == shown
        direct = trained.explain(sample, method=method, layer=layer)[0, 1]
        assert explained.grid == direct.shape
        expected = upsample(direct, SIZE_PX)
        np.testing.assert_allclose(np.load(explained.paths[-1]), expected, atol=1e-4 * np.abs(expected).max())
    with pytest.raises(UsageError, match="AlexNet are made on one of"):
        explain_sample(explainable, RUN, 4, tmp_path, layer="features.10")
    with pytest.raises(UsageError, match="no map method 'lime'"):
        explain_sample(explainable, RUN, 4, tmp_path, method="lime")


def test_an_unknown_class_is_refused(explainable, tmp_path):
    with pytest.raises(UsageError, match="no class 'schwannoma'; it tells glioblastoma, PCNSL, meningioma apart"):
        explain_sample(explainable, RUN, 0, tmp_path, target="schwannoma")
    assert not list(tmp_path.glob("*.png"))


@pytest.mark.parametrize("sample", [-1, 36])
def test_a_sample_outside_the_data_set_is_refused(explainable, tmp_path, sample):
    with pytest.raises(ExplanationError, match=f"no sample {sample}; choose one from 0 to 35"):
        explain_sample(explainable, RUN, sample, tmp_path)


def test_an_unknown_run_is_refused_with_those_that_exist(explainable, tmp_path):
    for explain in (
        lambda: explain_run(explainable, "exp-9"),
        lambda: explain_sample(explainable, "exp-9", 0, tmp_path),
    ):
        with pytest.raises(ExplanationError, match=f"no run 'exp-9'. Its finished runs: {RUN}, exp-001-googlenet-01"):
            explain()


def test_an_empty_study_says_that_nothing_has_finished(study):
    with pytest.raises(ExplanationError, match=r"no run 'exp-9'. None of its runs has finished yet"):
        explain_run(study, "exp-9")


def test_an_unfinished_run_is_refused(explainable):
    with explainable.session() as session:
        session.get(Run, RUN).status = "running"
    with pytest.raises(ExplanationError, match=r"has not finished; it is running.*work exp-001"):
        explain_run(explainable, RUN)
    assert not (explainable.run_folder(RUN) / FILE_NAME).exists()


def test_a_run_without_its_network_is_refused(explainable):
    with pytest.raises(ExplanationError, match="network of the run exp-001-resnet50-01 is not stored"):
        explain_run(explainable, "exp-001-resnet50-01")


def test_the_network_of_another_data_set_is_refused(explainable):
    path = explainable.run_folder(RUN) / CHECKPOINT_FILE
    write_network(path, classes=["glioblastoma", "PCNSL"])
    with pytest.raises(ExplanationError, match="belongs to another run"):
        explain_run(explainable, RUN)
    path.unlink()


def test_a_folder_that_cannot_be_written_is_reported(explainable, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ExplanationError, match=r"pictures cannot be written to .*file"):
        explain_sample(explainable, RUN, 0, tmp_path / "file")


def test_the_name_that_workers_are_given_is_this_function():
    module, function = EXPLAIN_AFTER_RUN.split(":")
    assert (module, function) == (explain_run.__module__, explain_run.__name__)
