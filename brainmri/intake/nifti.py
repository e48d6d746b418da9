"""Read NIfTI files: header first, checked by hand, then the volume through SimpleITK."""

from __future__ import annotations

import gzip
import json
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import SimpleITK as sitk

from brainmri.errors import RefusedFile
from brainmri.intake.dicom import LARGEST_VOLUME_VOXELS, MINIMUM_SLICES
from brainmri.intake.elements import READ_ERRORS
from brainmri.intake.sequences import SeriesAttributes

_BYTES_OF_TYPE: Final = {2: 1, 4: 2, 8: 4, 16: 4, 64: 8, 256: 1, 512: 2, 768: 4, 1024: 8, 1280: 8}
"""Size of a voxel for the scalar data types of NIfTI-1; colour and complex ones are not read."""
_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class NiftiHeader:
    """What the first bytes of a NIfTI file claim."""

    shape: tuple[int, ...]
    data_offset: int
    voxel_bytes: int

    @property
    def expected_bytes(self) -> int:
        """Size of the file's content, uncompressed."""
        return self.data_offset + math.prod(self.shape) * self.voxel_bytes


def check_nifti(path: Path) -> NiftiHeader:
    """Read and check the header of a NIfTI file, and count the bytes behind it.

    Done before SimpleITK sees the file, because a broken header makes it allocate what the header claims, and print.

    Raises
    ------
    RefusedFile
        Where it is corrupt, truncated, no volume, or too large.
    """
    try:
        with _open(path) as stream:
            header = parse_header(stream.read(544))
            stream.seek(0)
            found = _count_bytes(stream, header.expected_bytes)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise RefusedFile("a corrupt NIfTI file: it cannot be unpacked") from error
    if found < header.expected_bytes:
        raise RefusedFile(f"a truncated NIfTI file: {found} of {header.expected_bytes} bytes are there")
    return header


def parse_header(start: bytes) -> NiftiHeader:
    """Parse the header of NIfTI-1 or NIfTI-2.

    References
    ----------
    https://nifti.nimh.nih.gov (nifti1.h, nifti2.h)
    """
    for order in "<>":
        size = struct.unpack_from(f"{order}i", start.ljust(4, b"\0"))[0]
        if size == 348 and start[344:347] == b"n+1":
            dims, kind = struct.unpack_from(f"{order}8h", start, 40), struct.unpack_from(f"{order}h", start, 70)[0]
            offset = int(struct.unpack_from(f"{order}f", start, 108)[0])
            return _checked(dims, kind, offset)
        if size == 540 and start[4:7] == b"n+2":
            dims, kind = struct.unpack_from(f"{order}8q", start, 16), struct.unpack_from(f"{order}h", start, 12)[0]
            return _checked(dims, kind, struct.unpack_from(f"{order}q", start, 168)[0])
    raise RefusedFile("a corrupt NIfTI file: it does not begin with a NIfTI header")


def read_nifti(path: Path) -> sitk.Image:
    """Read a NIfTI volume in patient coordinates (SimpleITK turns NIfTI's RAS into LPS).

    Raises
    ------
    RefusedFile
        Where its axes are sheared, or it cannot be read.
    """
    try:
        image = sitk.ReadImage(path)
    except READ_ERRORS as error:
        detail = ": its axes are not perpendicular" if "orthonormal" in str(error) else ""
        raise RefusedFile(f"a NIfTI file that cannot be read{detail}") from error
    return image[:, :, :, 0] if image.GetDimension() == 4 else image


def read_geometry(path: Path) -> tuple[tuple[int, ...], tuple[float, ...], tuple[float, ...]]:
    """Return size, spacing (mm) and direction cosines (row by row) of a NIfTI file without its voxels."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        detail = ": its axes are not perpendicular" if "orthonormal" in str(error) else ""
        raise RefusedFile(f"a NIfTI file that cannot be read{detail}") from error
    size = reader.GetDimension()
    directions = np.array(reader.GetDirection()).reshape(size, size)[:3, :3]
    return tuple(reader.GetSize()[:3]), tuple(reader.GetSpacing()[:3]), tuple(directions.ravel().tolist())


def sidecar_of(path: Path) -> Path:
    """Return where the JSON file of BIDS or dcm2niix for an image would be."""
    return path.with_name(path.name.removesuffix(".gz").removesuffix(".nii") + ".json")


def read_sidecar(path: Path, words: str) -> tuple[SeriesAttributes, dict[str, Any]]:
    """Return the attributes of a NIfTI file: words of its name, and times where a JSON file beside it records them.

    Parameters
    ----------
    path : Path
    words : str
        The part of its name that may tell the sequence.

    Returns
    -------
    attributes : SeriesAttributes
        BIDS gives times in seconds.
    technical : dict
        Allow-listed attributes, by the names that the study uses.
    """
    record = _read_json(sidecar_of(path))
    times = {name: _milliseconds(record.get(key)) for name, key in _TIMES.items()}
    description = " ".join(
        [words, *(str(record[key]) for key in ("SeriesDescription", "ProtocolName") if key in record)]
    )
    attributes = SeriesAttributes(
        description=description,
        text_source="file name" if description == words else "file name and its JSON file",
        contrast_agent=str(record.get("ContrastBolusIngredient") or ""),
        scanning_sequence=tuple(str(record.get("ScanningSequence") or "").split("\\")),
        image_type=tuple(str(one) for one in record.get("ImageType") or ()),
        repetition_time_ms=times["repetition_time_ms"],
        echo_time_ms=times["echo_time_ms"],
        inversion_time_ms=times["inversion_time_ms"],
    )
    technical = {name: record.get(key) for name, key in _TECHNICAL.items()}
    known = {name: value for name, value in {**technical, **times}.items() if isinstance(value, (str, int, float))}
    return attributes, known


_TIMES: Final = {
    "repetition_time_ms": "RepetitionTime",
    "echo_time_ms": "EchoTime",
    "inversion_time_ms": "InversionTime",
}
_TECHNICAL: Final = {
    "manufacturer": "Manufacturer",
    "model": "ManufacturersModelName",
    "magnetic_field_strength_t": "MagneticFieldStrength",
    "acquisition_type": "MRAcquisitionType",
    "flip_angle_deg": "FlipAngle",
    "slice_thickness_mm": "SliceThickness",
}


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _count_bytes(stream: BinaryIO, enough: int) -> int:
    found = 0
    while found < enough and (chunk := stream.read(_CHUNK)):
        found += len(chunk)
    return found


def _checked(dims: tuple[int, ...], kind: int, offset: int) -> NiftiHeader:
    count = dims[0]
    shape = tuple(dims[1 : count + 1])
    if not 1 <= count <= 7 or any(size < 1 for size in shape) or offset < 0:
        raise RefusedFile("a corrupt NIfTI file: its header gives no valid matrix")
    if any(size > 1 for size in shape[3:]):
        raise RefusedFile(f"a series of {math.prod(shape[3:])} volumes (4-D) and not one volume; split it first")
    if len(shape) < 3 or min(shape[:3]) < MINIMUM_SLICES:
        raise RefusedFile(f"no volume: its matrix is {' × '.join(str(size) for size in shape)}")
    if math.prod(shape) > LARGEST_VOLUME_VOXELS:
        raise RefusedFile(f"its header claims {math.prod(shape)} voxels; at most {LARGEST_VOLUME_VOXELS} are read")
    if kind not in _BYTES_OF_TYPE:
        raise RefusedFile(f"its voxels are of the NIfTI data type {kind} (colour or complex), which is not read")
    return NiftiHeader(shape, offset, _BYTES_OF_TYPE[kind])


def _read_json(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _milliseconds(seconds: object) -> float | None:
    return round(seconds * 1000, 3) if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) else None
