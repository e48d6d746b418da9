"""What runs on a node: functions that Ray calls there, with torch, torchvision, numpy and safetensors only.

torch is imported inside, so that a node without it can say so.
"""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainmri.training.engines.messages import NodeJob, NodeNetwork, NodeOutcome


def train_on_node(
    job: NodeJob,
    samples: NDArray[np.uint8],
    weights: NDArray[np.uint8] | None,
    activations: NDArray[np.floating] | None,
    state: NDArray[np.uint8] | None,
    mailbox: Any,
) -> NodeOutcome:
    """Do one run; a Ray task.

    Parameters
    ----------
    job : NodeJob
    samples : ndarray, shape (N, 3, H, W), uint8
    weights : ndarray of uint8, or None
        Bytes of the weight file to start from.
    activations : ndarray, shape (V, N, …), or None
        Of frozen layers.
    state : ndarray of uint8, or None
        Bytes of the state to go on from.
    mailbox : ActorHandle
        Of `brainmri.training.engines.mailbox.Mailbox`.
    """
    try:
        from brainmri.training.engines.node_training import run_job  # noqa: PLC0415
    except (ImportError, OSError) as error:
        return NodeOutcome(ending="unfit", message=_unfit(error))
    return run_job(job, samples, weights, activations, state, mailbox)


def activations_on_node(
    network: NodeNetwork, samples: NDArray[np.uint8], weights: NDArray[np.uint8] | None
) -> NDArray[np.floating] | None:
    """Compute the activations of frozen layers for all runs of an architecture; a Ray task.

    None where the node cannot; the runs then find out why.
    """
    try:
        from brainmri.training.engines.node_training import compute_node_activations  # noqa: PLC0415
    except (ImportError, OSError):
        return None
    return compute_node_activations(network, samples, weights)


def _unfit(error: Exception) -> str:
    return (
        f"The node {platform.node()} cannot train: {error}. Install torch, torchvision, numpy and safetensors into the "
        "Python in which Ray runs there."
    )
