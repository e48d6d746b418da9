from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torchvision import models
from torchvision.models import densenet

from brainmri.errors import TrainingError, UsageError, WeightsMissing
from brainmri.training import architecture_names, weights
from brainmri.training.architecture_names import Architecture
from brainmri.training.architectures import build_model


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder for published weights, and no network behind it."""
    monkeypatch.setattr(weights, "_FOLDER", tmp_path / "pretrained")
    monkeypatch.setattr(weights, "DOWNLOAD_ADDRESS", f"{(tmp_path / 'web').as_uri()}/")
    (tmp_path / "pretrained").mkdir()
    (tmp_path / "web").mkdir()
    return tmp_path / "pretrained"


def publish(tiny: Architecture, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, dict[str, torch.Tensor]]:
    """Write weights of 1000 classes, with an auxiliary head, under the digest of the file; put it into the table."""
    state = build_model("tiny", 1000).state_dict() | {"aux.weight": torch.zeros(2)}
    draft = folder / "draft.pth"
    torch.save(state, draft)
    name = f"tiny-{digest_of(draft)}.pth"
    draft.rename(folder / name)
    monkeypatch.setitem(architecture_names.ARCHITECTURES, "tiny", replace(tiny, published_files=(name,)))
    return folder / name, state


def test_published_weights_are_loaded_under_a_new_head(tiny, folder, monkeypatch):
    _path, state = publish(tiny, folder, monkeypatch)
    model = build_model("tiny", 3, weights="imagenet")
    assert torch.equal(model.state_dict()["features.0.weight"], state["features.0.weight"])
    assert model.head.weight.shape == (3, 16)


def test_the_older_names_in_the_published_densenet_are_those_that_torchvision_makes_of_them(folder, monkeypatch):
    torch.manual_seed(0)
    newer = models.densenet121().state_dict()
    older = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", name): tensor
        for name, tensor in newer.items()
        if not name.endswith("num_batches_tracked")
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in older
    torch.save(older, folder / "draft.pth")
    path = (folder / "draft.pth").rename(folder / f"densenet121-{digest_of(folder / 'draft.pth')}.pth")
    entry = replace(architecture_names.ARCHITECTURES["densenet121"], published_files=(path.name,))
    monkeypatch.setitem(architecture_names.ARCHITECTURES, "densenet121", entry)

    theirs = models.densenet121()
    published = SimpleNamespace(get_state_dict=lambda **_options: dict(older))
    densenet._load_state_dict(theirs, published, progress=False)
    ours = build_model("densenet121", 3, weights="imagenet").state_dict()
    for name, tensor in theirs.state_dict().items():
        if not name.startswith("classifier."):
            assert torch.equal(ours[name], tensor), name
    by_path = build_model("densenet121", 3, weights=str(path)).state_dict()
    assert torch.equal(by_path["features.conv0.weight"], older["features.conv0.weight"])


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def test_a_wrong_digest_names_what_was_found_and_expected(tiny, folder, monkeypatch):
    path, _state = publish(tiny, folder, monkeypatch)
    expected = path.stem.split("-")[1]
    with path.open("ab") as stream:
        stream.write(b"x")
    found = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    with pytest.raises(TrainingError, match=f"begins with {found}, expected {expected}"):
        build_model("tiny", 3, weights="imagenet")


def test_missing_weights_name_file_address_and_folder(folder):
    with pytest.raises(WeightsMissing) as caught:
        weights.ensure_weights(["alexnet", "resnet50"])
    text = str(caught.value)
    for expected in ("AlexNet and ResNet50", "alexnet-owt-7be5be79.pth", "resnet50-0676ba61.pth", str(folder), "web/"):
        assert expected in text


def test_weights_are_fetched_where_they_can_be_had(tiny, folder, monkeypatch):
    path, _state = publish(tiny, folder, monkeypatch)
    path.rename(folder.parent / "web" / path.name)
    assert not weights._status(architecture_names.ARCHITECTURES["tiny"]).present
    build_model("tiny", 3, weights="imagenet")
    assert path.is_file()


def test_a_page_in_place_of_the_file_is_not_taken_for_weights(tiny, folder, monkeypatch):
    path, _state = publish(tiny, folder, monkeypatch)
    path.unlink()
    (folder.parent / "web" / path.name).write_text("<html>Please sign in</html>")
    with pytest.raises(WeightsMissing, match="could not be fetched"):
        weights.ensure_weights(["tiny"])
    assert not list(folder.iterdir())


def test_the_state_of_all_weights_needs_no_network(folder):
    (folder / "resnet50-11ad3fa6.pth").write_bytes(b"")
    status = {one.architecture: one for one in weights.weights_status()}
    assert status["resnet50"].present
    assert status["resnet50"].file_name == "resnet50-11ad3fa6.pth"
    assert not status["alexnet"].present
    assert status["alexnet"].path == folder / "alexnet-owt-7be5be79.pth"


def test_the_list_of_files_for_people_names_every_published_file():
    listed = (Path(__file__).resolve().parents[2] / "models" / "README.md").read_text(encoding="utf-8")
    for entry in architecture_names.ARCHITECTURES.values():
        for file in entry.published_files:
            assert f"| `{file}` | `https://download.pytorch.org/models/{file}` |" in listed


def test_a_name_without_a_digest_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="no digest in its name"):
        weights.check_digest(tmp_path / "resnet50.pth")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_of_ones_own_is_loaded(tiny, tmp_path, suffix):
    state = build_model("tiny", 3).state_dict()
    path = tmp_path / f"own{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    model = build_model("tiny", 3, weights=str(path))
    assert torch.equal(model.head.weight, state["head.weight"])


def test_a_head_of_other_classes_is_left_out(tiny, tmp_path):
    state = build_model("tiny", 1000).state_dict()
    torch.save(state, tmp_path / "own.pth")
    model = build_model("tiny", 3, weights=str(tmp_path / "own.pth"))
    assert torch.equal(model.features[0].weight, state["features.0.weight"])
    assert model.head.out_features == 3


def test_weights_of_another_network_are_described(tiny, tmp_path):
    state = build_model("tiny", 3).state_dict()
    state["stem.weight"] = state.pop("features.0.weight")
    state["features.0.bias"] = torch.zeros(9)
    torch.save(state, tmp_path / "own.pth")
    expected = (
        r"features.0.weight is missing; stem.weight is unknown; features.0.bias has the shape \(9,\) instead of \(8,\)"
    )
    with pytest.raises(TrainingError, match=expected):
        build_model("tiny", 3, weights=str(tmp_path / "own.pth"))


def test_a_pickle_that_would_run_code_is_refused(tiny, tmp_path):
    torch.save({"a": Path("x")}, tmp_path / "own.pth")
    with pytest.raises(TrainingError, match="cannot be read"):
        build_model("tiny", 3, weights=str(tmp_path / "own.pth"))


def test_a_file_that_holds_no_tensors_is_refused(tiny, tmp_path):
    torch.save([1, 2], tmp_path / "own.pth")
    with pytest.raises(TrainingError, match="holds a list; expected a dictionary"):
        build_model("tiny", 3, weights=str(tmp_path / "own.pth"))


def test_a_file_that_is_not_there_is_said(tiny, tmp_path):
    with pytest.raises(TrainingError, match=r"own\.pth does not exist"):
        build_model("tiny", 3, weights=str(tmp_path / "own.pth"))


def test_one_file_serves_one_architecture(tmp_path):
    (tmp_path / "own.pth").write_bytes(b"")
    weights.check_weight_file(tmp_path / "own.pth", ["alexnet"])
    with pytest.raises(UsageError, match="2 are chosen: alexnet, resnet50"):
        weights.check_weight_file(tmp_path / "own.pth", ["alexnet", "resnet50"])
