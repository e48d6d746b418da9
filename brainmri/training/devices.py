"""The device that trains: which one, in which precision, and how a process prepares for it."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Final

import torch

from brainmri.errors import TrainingError

_M_TRIM_THRESHOLD: Final = -1
_M_TOP_PAD: Final = -2
_M_MMAP_MAX: Final = -4
_TOP_PAD_BYTES: Final = 64 << 20

PRECISION_NAMES: Final = {torch.bfloat16: "bf16", torch.float16: "fp16", torch.float32: "fp32"}


def resolve_device(name: str) -> torch.device:
    """Return the device that ``auto``, ``cpu`` or ``cuda`` means on this machine.

    Raises
    ------
    TrainingError
        Where a GPU is asked for and torch finds none.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise TrainingError(
            f"Training on '{name}' was asked for, and torch {torch.__version__} finds no such device on this machine. "
            "Choose 'auto' or 'cpu', or install the GPU's driver."
        )
    return torch.device("cuda", torch.cuda.current_device())


def describe_device(device: torch.device) -> str:
    """Return the device as a run records it, for example ``cuda (NVIDIA H100)``."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    name = capabilities.get("cpu_name")
    return f"cpu ({name})" if name else "cpu"


def training_dtype(device: torch.device) -> torch.dtype:
    """Return the precision of matrix products in training: bfloat16 where the hardware multiplies in it.

    Elsewhere float16 on a GPU (its gradients need scaling) and float32 on a processor, where an emulated bfloat16 is
    slower.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    supported = any(
        getattr(torch.cpu, check, lambda: False)() for check in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )
    return torch.bfloat16 if supported else torch.float32


def prepare_device(device: torch.device, *, deterministic: bool = False) -> None:
    """Set torch's switches for training on this device, for the whole process.

    Parameters
    ----------
    device : torch.device
    deterministic : bool
        On a GPU: use only algorithms that give the same bits every time, slower ones among them. An operation that has
        none raises.
    """
    if device.type != "cuda":
        return
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it when it is first used
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cudnn.benchmark = not deterministic  # two batch shapes a run at most
    torch.backends.cudnn.allow_tf32 = False  # testing is in float32; training is under autocast and does not see it
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.cuda.reset_peak_memory_stats(device)


def peak_memory_bytes(device: torch.device) -> int | None:
    """Return the most memory taken: of the GPU since `prepare_device`, or of this process in its whole life."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def measure_gpu(device: torch.device) -> dict[str, float | int | None]:
    """Return ``load``, the share of time in which a GPU computes, and ``memory_bytes``, what is taken of its memory.

    The load is None where NVIDIA's management library is not installed.
    """
    free, total = torch.cuda.mem_get_info(device)
    try:
        load: float | None = torch.cuda.utilization(device) / 100
    except (ModuleNotFoundError, RuntimeError):
        load = None
    return {"load": load, "memory_bytes": total - free}


def tune_allocator() -> None:
    """Keep freed memory in the process, where the C library is glibc: call it first in a process that only trains.

    A training step allocates the same large blocks again and again; glibc gives each back to the system and takes it
    anew, zeroed. Kept, AlexNet trains 1.3 to 2.5 times as fast on a processor, for about 20 % more memory. Not for the
    process of a page: it would never give memory back.
    """
    if not sys.platform.startswith("linux") or "CS_GNU_LIBC_VERSION" not in os.confstr_names:
        return
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, -1)
        libc.mallopt(_M_TOP_PAD, _TOP_PAD_BYTES)
    except (OSError, AttributeError):  # another C library: nothing to gain
        return
