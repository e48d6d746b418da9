"""Weights that training starts from: published ones, checked by their digest, or a file of the user's own.

torch is imported only where tensors are read, so that pages can ask which files are there.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from brainmri.errors import TrainingError, UsageError, WeightsMissing
from brainmri.training.architecture_names import ARCHITECTURES, Architecture, find_architecture

if TYPE_CHECKING:
    from torch import Tensor, nn

IMAGENET: Final = "imagenet"
SCRATCH: Final = "scratch"

DOWNLOAD_ADDRESS: Final = "https://download.pytorch.org/models/"
"""Where torchvision's weights are published."""

_FOLDER = Path(__file__).resolve().parents[2] / "models" / "pretrained"
_NETWORK_TIMEOUT_S = 15
_HASH_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class WeightsStatus:
    """Whether the published weights of one network are on this machine."""

    architecture: str
    file_name: str
    present: bool
    path: Path
    address: str


def weights_folder() -> Path:
    """Return the folder of published weights, ``models/pretrained/`` beside ``app.py``."""
    return _FOLDER


def weights_status() -> list[WeightsStatus]:
    """Return for each network whether its published weights are there; no network is used and no digest computed."""
    return [_status(entry) for entry in ARCHITECTURES.values()]


def ensure_weights(names: Iterable[str]) -> None:
    """See to it that published weights of all these networks are on this machine, whole; fetch those that are not.

    Raises
    ------
    WeightsMissing
        Where files are missing and cannot be fetched. The message names every file, its address and its folder.
    TrainingError
        Where a file's content does not match the digest in its name.
    """
    missing: list[WeightsStatus] = []
    for entry in map(find_architecture, dict.fromkeys(names)):
        status = _status(entry)
        if status.present:
            check_digest(status.path)
        elif missing or not _fetch(status):  # after one failure there is no network: do not wait for it again
            missing.append(status)
    if missing:
        raise WeightsMissing(_missing_message(missing))


def check_digest(path: Path) -> None:
    """Compare the first digits of a file's sha256 with those in its name, as torchvision writes them.

    Raises
    ------
    TrainingError
        Where they differ: the file is damaged, cut short, or another one.
    """
    match = re.search(r"-([0-9a-f]{8,})\.pth$", path.name)
    if match is None:
        raise TrainingError(
            f"The weight file {path} has no digest in its name; expected for example resnet50-0676ba61.pth."
        )
    expected = match.group(1)
    found = _digest(path)[: len(expected)]
    if found != expected:
        raise TrainingError(
            f"The weight file {path} is damaged or not what its name says: its sha256 begins with {found}, expected "
            f"{expected}. Delete it and fetch it again."
        )


def weights_digest(architecture: str, weights: str) -> str:
    """Return what tells weights to begin with from others: the published file's name, or the sha256 of a file."""
    return _status(find_architecture(architecture)).file_name if weights == IMAGENET else _digest(_existing(weights))


def load_published(model: nn.Module, entry: Architecture) -> None:
    """Load published weights into a network with the 1000 outputs of ImageNet, in place."""
    ensure_weights([entry.name])
    path = _status(entry).path
    state = _own_names(_read_state(path), entry)
    _load_state(model, state, entry, path)


def load_weight_file(model: nn.Module, entry: Architecture, path: str | Path) -> None:
    """Load a user's weights (``.pth`` or ``.safetensors``) into a network, in place.

    A file of the same network with another number of classes is taken without its last layer.

    Raises
    ------
    TrainingError
        Where the file is missing, unreadable, or of another network; the message names what does not fit.
    """
    path = _existing(path)
    state = _own_names(_read_state(path), entry)
    own = model.state_dict()
    for key in (f"{entry.head}.weight", f"{entry.head}.bias"):
        if key in state and state[key].shape != own[key].shape:
            state[key] = own[key]
    _load_state(model, state, entry, path)


def check_weight_file(path: str | Path, architectures: Sequence[str]) -> None:
    """Refuse a weight file that is missing, or that is to serve networks of different kinds.

    Raises
    ------
    TrainingError
        Where the file is missing.
    UsageError
        Where several architectures are to start from it.
    """
    _existing(path)
    if len(architectures) > 1:
        raise UsageError(
            f"One weight file fits one architecture, and {len(architectures)} are chosen: {', '.join(architectures)}. "
            "Train them one by one."
        )


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_HASH_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _existing(path: str | Path) -> Path:
    file = Path(path).expanduser()
    if not file.is_file():
        raise TrainingError(
            f"The weight file {file} does not exist. Use 'imagenet', 'scratch', or the path of a .pth or .safetensors "
            "file."
        )
    return file


def _status(entry: Architecture) -> WeightsStatus:
    present = [name for name in entry.published_files if (weights_folder() / name).is_file()]
    name = (present or entry.published_files)[0]
    return WeightsStatus(entry.name, name, bool(present), weights_folder() / name, DOWNLOAD_ADDRESS + name)


def _fetch(status: WeightsStatus) -> bool:
    """Fetch one file as torchvision does (temporary name, digest, rename); False where that is not possible."""
    from torch.hub import download_url_to_file  # noqa: PLC0415 - torch, 2 s that a page shall not wait for

    digest = status.file_name.removesuffix(".pth").rsplit("-", 1)[1]
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_NETWORK_TIMEOUT_S)
    try:
        status.path.parent.mkdir(parents=True, exist_ok=True)
        download_url_to_file(status.address, os.fspath(status.path), hash_prefix=digest, progress=False)
    except (OSError, RuntimeError):  # no network, no permission; or a proxy's page in place of the file
        return False
    finally:
        socket.setdefaulttimeout(patience)
    return True


def _missing_message(missing: list[WeightsStatus]) -> str:
    files = "; ".join(f"{status.file_name} from {status.address}" for status in missing)
    names = " and ".join(ARCHITECTURES[status.architecture].display_name for status in missing)
    return (
        f"The published ImageNet weights of {names} are not on this machine and could not be fetched. Put into the "
        "folder "
        f"{weights_folder()}: {files}. Or train without them, openly, with the weights 'scratch'."
    )


def _read_state(path: Path) -> dict[str, Tensor]:
    """Read named tensors; a pickle that would run code is refused by torch."""
    import torch  # noqa: PLC0415

    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file  # noqa: PLC0415

            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise TrainingError(
            f"The weight file {path} cannot be read: {type(error).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else ''}. "
            "Expected named tensors, as torch.save(model.state_dict(), …) or safetensors write them."
        ) from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise TrainingError(
            f"The weight file {path} holds a {type(state).__name__}; expected a dictionary of named tensors."
        )
    return dict(state)


def _own_names(state: dict[str, Tensor], entry: Architecture) -> dict[str, Tensor]:
    """Leave out published weights that are not used, and give the others the names that the network has for them."""
    own = {}
    for name, tensor in state.items():
        if name.startswith(entry.published_layers_unused or ("\0",)):
            continue
        for pattern, replacement in entry.published_layers_renamed:
            name = re.sub(pattern, replacement, name)  # noqa: PLW2901 - the same name, as the network writes it
        own[name] = tensor
    return own


def _load_state(model: nn.Module, state: dict[str, Tensor], entry: Architecture, path: Path) -> None:
    own = model.state_dict()
    problems = [f"{key} is missing" for key in own if key not in state and not key.endswith("num_batches_tracked")]
    problems += [f"{key} is unknown" for key in state if key not in own]
    problems += [
        f"{key} has the shape {tuple(state[key].shape)} instead of {tuple(own[key].shape)}"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    if problems:
        shown = "; ".join(problems[:4]) + (f"; and {len(problems) - 4} more" if len(problems) > 4 else "")
        raise TrainingError(f"The weight file {path} does not fit {entry.display_name}: {shown}.")
    model.load_state_dict(state, strict=False)  # strict but for the counters that older files lack
