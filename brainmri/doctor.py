"""What this installation has: versions, device, published weights, database, disk."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from sqlalchemy import make_url

from brainmri import __version__
from brainmri.errors import StudyError
from brainmri.study import Study, default_folder, open_study

LIBRARIES: Final = (
    "streamlit",
    "plotly",
    "pydicom",
    "highdicom",
    "SimpleITK",
    "numpy",
    "torch",
    "torchvision",
    "scikit-learn",
    "scipy",
    "statsmodels",
    "captum",
    "SQLAlchemy",
    "safetensors",
    "python-gdcm",
    "pylibjpeg-openjpeg",
)

OPTIONAL: Final = {
    "onnx": "requirements-export.txt",
    "onnxscript": "requirements-export.txt",
    "onnxruntime": "requirements-export.txt",
    "psycopg": "requirements-postgresql.txt",
    "ray": "requirements-cluster.txt",
    "reportlab": "requirements-takeaway.txt",
    "authlib": "requirements-signin.txt",
    "httpx": "requirements-signin.txt",
}
"""Libraries that one feature needs, and the file that installs them."""


@dataclass(frozen=True)
class Diagnosis:
    """The state of an installation."""

    brainmri: str
    python: str
    platform: str
    libraries: dict[str, str | None]
    """Version of each library, None where it is not installed."""
    optional: dict[str, dict[str, str | None]]
    """``version`` (None where it is not installed) and ``file`` (what installs it) of libraries for one feature."""
    device: dict[str, Any]
    weights: list[dict[str, Any]]
    database: dict[str, Any]
    free_disk_gb: float | None
    """Free space of the study's disk in units of 10⁹ bytes."""

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON can hold it."""
        return asdict(self)


def examine(study_folder: Any = None) -> Diagnosis:
    """Look at the installation and the study; nothing is fetched from a network and nothing raises."""
    try:
        study: Study | None = open_study(study_folder or default_folder())
        problem = None
    except StudyError as error:
        study, problem = None, str(error)
    return Diagnosis(
        brainmri=__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        libraries={name: _version(name) for name in LIBRARIES},
        optional={name: {"version": _version(name), "file": file} for name, file in OPTIONAL.items()},
        device=_device(),
        weights=_weights(),
        database={
            "url": make_url(study.url).render_as_string(hide_password=True) if study else None,
            "reachable": study is not None,
            "problem": problem,
        },
        free_disk_gb=round(study.free_bytes() / 1e9, 1) if study else None,
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _device() -> dict[str, Any]:
    import torch  # noqa: PLC0415 - 3 s that no page shall wait for

    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        return {
            "type": "cuda",
            "name": properties.name,
            "count": torch.cuda.device_count(),
            "memory_gb": round(properties.total_memory / 1e9, 1),
        }
    return {"type": "cpu", "name": platform.processor() or platform.machine(), "cores": torch.get_num_threads()}


def _weights() -> list[dict[str, Any]]:
    from brainmri.training.weights import weights_status  # noqa: PLC0415 - imports torchvision

    return [
        {"architecture": one.architecture, "file": one.file_name, "present": one.present, "path": str(one.path)}
        for one in weights_status()
    ]
