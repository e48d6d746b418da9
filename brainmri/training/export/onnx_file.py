"""A network as an ONNX file that takes intensities and gives probabilities, with all that it needs inside.

The packages onnx, onnxscript and onnxruntime (requirements-export.txt) are imported where they are used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import torch
from torch import Tensor, nn

from brainmri import __version__
from brainmri.errors import TrainingError
from brainmri.training.export import INTENDED_USE
from brainmri.vocabulary import SEQUENCES

INPUT_NAME: Final = "intensities"
OUTPUT_NAME: Final = "probabilities"

PACKAGES: Final = ("onnx", "onnxscript", "onnxruntime")


class NetworkOfIntensities(nn.Module):
    """A network with its normalisation before it and the softmax behind it.

    Parameters
    ----------
    network : nn.Module
        Takes normalised images and returns logits.
    normalisation : mapping
        ``mean`` and ``std``, one number a channel, of intensities 0 to 1.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, normalisation: Mapping[str, Any]) -> None:
        super().__init__()
        self.network = network
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(normalisation[name], dtype=torch.float32).view(1, -1, 1, 1))

    def forward(self, intensities: Tensor) -> Tensor:
        """Return probabilities.

        Parameters
        ----------
        intensities : Tensor, shape (N, 3, size, size), float32, 0 to 1
            Channels T1, T2, T1c.

        Returns
        -------
        Tensor, shape (N, K), float32
        """
        return torch.softmax(self.network((intensities - self.mean) / self.std), dim=1)


def import_export_packages() -> dict[str, ModuleType]:
    """Import what writing and checking an ONNX file needs.

    Raises
    ------
    TrainingError
        Naming the packages that are not installed, and the command that installs them.
    """
    found: dict[str, ModuleType] = {}
    missing = []
    for name in PACKAGES:
        try:
            found[name] = import_module(name)
        except ImportError:
            missing.append(name)
    if missing:
        raise TrainingError(
            f"An ONNX file needs packages that are not installed, or cannot be loaded: {', '.join(missing)}. Install "
            "them: pip install -r requirements-export.txt. Or export with --format safetensors, which needs none."
        )
    return found


def write_onnx(path: Path, model: nn.Module, meta: Mapping[str, Any]) -> None:
    """Write a network as an ONNX file.

    Its input ``intensities`` is float32 of shape (N, 3, size, size), 0 to 1, for any N; its output ``probabilities`` is
    float32 of shape (N, K). The file's metadata name classes, size, normalisation, run and data set.

    Parameters
    ----------
    path : Path
    model : nn.Module
        In evaluation mode, on the processor; its weights are not changed.
    meta : mapping
        Of the checkpoint.

    Raises
    ------
    TrainingError
        Where packages are missing.
    """
    onnx = import_export_packages()["onnx"]
    size = int(meta["size_px"])
    program = torch.onnx.export(
        NetworkOfIntensities(model, meta["normalisation"]).eval(),
        (torch.zeros(2, len(SEQUENCES), size, size),),
        dynamo=True,
        dynamic_shapes={INPUT_NAME: {0: torch.export.Dim("batch")}},
        input_names=[INPUT_NAME],
        output_names=[OUTPUT_NAME],
        verbose=False,
    )
    if program is None:
        raise TrainingError("This torch writes no ONNX program. Expected torch 2.11 or newer: pip install -U torch.")
    proto = program.model_proto
    _forget_sources(proto)
    proto.producer_name, proto.producer_version = "brainmri", __version__
    proto.doc_string = _describe(meta)
    onnx.helper.set_model_props(proto, _properties(meta))
    onnx.checker.check_model(proto)
    onnx.save(proto, path)


def _forget_sources(proto: Any) -> None:
    """Take out the traces of Python that the exporter leaves at every node: they name folders of this machine."""
    graphs = [proto.graph, *proto.functions]
    for graph in graphs:
        del graph.metadata_props[:]
        graph.doc_string = ""
        for node in graph.node:
            del node.metadata_props[:]
            node.doc_string = ""


def _describe(meta: Mapping[str, Any]) -> str:
    size, classes = meta["size_px"], meta["classes"]
    return (
        f"{INTENDED_USE} Input '{INPUT_NAME}': float32 (N, 3, {size}, {size}), channels {', '.join(SEQUENCES)}, "
        f"intensities 0 to 1; normalisation is part of the network. Output '{OUTPUT_NAME}': float32 "
        f"(N, {len(classes)}), one column for each of {', '.join(classes)}."
    )


def _properties(meta: Mapping[str, Any]) -> dict[str, str]:
    """Return the metadata of the file; what is no text is JSON."""
    return {
        "intended_use": INTENDED_USE,
        "architecture": str(meta["architecture"]),
        "classes": json.dumps(meta["classes"]),
        "sequences": json.dumps(SEQUENCES),
        "size_px": str(meta["size_px"]),
        "normalisation": json.dumps(meta["normalisation"]),
        "run": str(meta.get("run", "")),
        "dataset": str(meta.get("dataset", "")),
        "brainmri": json.dumps(dict(meta), allow_nan=False),
    }
