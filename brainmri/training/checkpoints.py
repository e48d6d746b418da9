"""Trained networks on disk: safetensors with the metadata that makes a file sufficient by itself."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from brainmri.errors import TrainingError
from brainmri.training.architectures import build_empty_model

_METADATA_KEY: Final = "brainmri"
_REQUIRED: Final = ("architecture", "classes", "size_px", "normalisation", "target_layer")


def round_weights(model: nn.Module, dtype: str) -> None:
    """Round weight matrices to the precision in which they will be stored, in place.

    Done before testing, so that predictions are those of the stored file. Biases and what batch normalisation has
    gathered stay in float32: they are few, and sums of squares do not fit into float16.

    Raises
    ------
    TrainingError
        Where a weight is not finite in that precision.
    """
    target = _torch_dtype(dtype)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.copy_(parameter.to(target))
            if not bool(torch.isfinite(parameter).all()):
                raise TrainingError(f"The weights of {name} are not finite in {dtype}: training went astray.")


def write_checkpoint(path: Path, model: nn.Module, meta: Mapping[str, Any], dtype: str = "float32") -> None:
    """Write a network under a temporary name and rename it.

    Parameters
    ----------
    path : Path
    model : nn.Module
    meta : mapping
        JSON values; at least architecture, classes, size_px, normalisation and target_layer.
    dtype : {'float32', 'float16'}
        Precision of weight matrices.
    """
    absent = [key for key in _REQUIRED if key not in meta]
    if absent:
        raise TrainingError(f"A checkpoint needs {', '.join(absent)} in its metadata.")
    matrices = {name for name, parameter in model.named_parameters() if parameter.ndim > 1}
    tensors = {
        name: _stored(tensor, _torch_dtype(dtype) if name in matrices else tensor.dtype)
        for name, tensor in model.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.touch()
    mode = partial.stat().st_mode  # safetensors gives its files to nobody but their owner; a study may be shared
    try:
        save_file(tensors, partial, metadata={_METADATA_KEY: json.dumps(dict(meta), allow_nan=False)})
        partial.chmod(mode)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Read a network and its metadata.

    Returns
    -------
    model : nn.Module
        In evaluation mode, float32, on the processor.
    meta : dict

    Raises
    ------
    TrainingError
        Where the file is missing, damaged or not one of this software.
    """
    if not path.is_file():
        raise TrainingError(f"The checkpoint {path} does not exist. Train the run again.")
    try:
        with safe_open(path, framework="pt") as stream:
            text = (stream.metadata() or {}).get(_METADATA_KEY)
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError, ValueError) as error:
        raise TrainingError(f"The checkpoint {path} is damaged: {error}. Train the run again.") from error
    if text is None:
        raise TrainingError(
            f"The file {path} holds weights without this software's metadata; it is no checkpoint of a run."
        )
    meta: dict[str, Any] = json.loads(text)
    model = build_empty_model(meta["architecture"], len(meta["classes"]))
    floats = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    try:
        model.load_state_dict(floats, assign=True)
    except RuntimeError as error:
        raise TrainingError(
            f"The checkpoint {path} does not fit the network {meta['architecture']}: {error}"
        ) from error
    return model.eval().requires_grad_(True), meta


def _stored(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.detach().to(device="cpu", dtype=dtype).contiguous()


def _torch_dtype(name: str) -> torch.dtype:
    return {"float32": torch.float32, "float16": torch.float16}[name]
