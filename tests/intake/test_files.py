"""Files that are no MR image are refused one by one, each with its reason."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, EnhancedMRImageStorage, JPEG2000Lossless

from brainmri.errors import RefusedFile, UsageError
from brainmri.intake.files import list_files
from brainmri.intake.headers import SliceHeader, read_header
from brainmri.intake.report import Refusal
from brainmri.intake.scanning import inspect_file
from tests.intake.dicom_files import T1, Person, write_slice

PIXELS = np.zeros((8, 10), np.int16)
GEOMETRY = {
    "ImagePositionPatient": [0, 0, 0],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PixelSpacing": [1, 1],
    "Modality": "MR",
}


def write(folder: Path, **header: Any) -> Path:
    return write_slice(folder / "image.dcm", PIXELS, **{**Person().header(), **GEOMETRY, **T1, **header})


def reason_of(path: Path) -> str:
    found = inspect_file(path)
    assert isinstance(found, Refusal)
    assert found.path == path
    return found.reason


def test_files_come_in_a_stable_order_without_hidden_ones_and_labels(tmp_path: Path) -> None:
    for name in ["b/2", "a/1", ".git/x", "a/.DS_Store", "Thumbs.db", "labels.csv"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    files = list_files([tmp_path / "b" / "2", tmp_path], without=tmp_path / "labels.csv")
    assert [path.relative_to(tmp_path).as_posix() for path in files] == ["b/2", "a/1"]


def test_a_path_that_does_not_exist_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere does not exist"):
        list_files([tmp_path / "nowhere"])


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.dcm", b"", "an empty file (0 bytes)"),
        ("a.dcm", b"Dear colleague,\n", "not a DICOM file: a text file that is called .dcm"),
        ("a.dcm", b"\x00\xff\x01" * 99, "not a DICOM file: a file of another format that is called .dcm"),
        ("notes.txt", b"hello", "not a DICOM or NIfTI file"),
        ("a.zip", b"PK\x03\x04....", "a ZIP archive: unpack it first"),
        ("a.tar.gz", b"\x1f\x8b....", "a compressed archive: unpack it first"),
        ("a.nii.gz", b"\x1f\x8b....", "a corrupt NIfTI file: it cannot be unpacked"),
        ("a.nii", b"\x00" * 400, "a corrupt NIfTI file: it does not begin with a NIfTI header"),
        ("a.nii.gz", b"\x5c\x01", "a corrupt NIfTI file: it does not begin with a NIfTI header"),
        ("a", b"\x08\x00", "not a DICOM or NIfTI file, or one whose header is lost"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert reason_of(tmp_path / name) == reason


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"Modality": "CT", "SOPClassUID": CTImageStorage}, "a CT image; only MR is used"),
        ({"Modality": "PT"}, "a PET image; only MR is used"),
        ({"Modality": "DOC"}, "an image of the modality DOC; only MR is used"),
        ({"SOPClassUID": EnhancedMRImageStorage, "NumberOfFrames": 4}, "an Enhanced (multi-frame) MR object"),
        (
            {"Rows": None, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.11"},
            "a DICOM object without an image (Basic Text SR",
        ),
        ({"PixelSpacing": None}, "its place in space is not recorded (PixelSpacing missing)"),
        ({"PixelSpacing": [0, 0]}, "its pixel spacing is not positive"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "not a plain grey image (RGB)"),
        ({"Rows": 65535, "Columns": 65535}, "its header claims 65535 × 65535 pixels; at most 4096 × 4096 are read"),
        ({"PixelData": b""}, "its pixel data are missing: the file ends behind the header (0 of 160 bytes)"),
        ({"PixelData": b"\0" * 100}, "its pixel data are truncated: 100 of 160 bytes are there"),
    ],
)
def test_dicom_objects_that_are_no_mr_slice_are_refused(tmp_path: Path, header: dict[str, Any], reason: str) -> None:
    assert reason_of(write(tmp_path, **header)).startswith(reason)


def test_an_absurd_matrix_is_refused_also_where_the_pixels_are_compressed(tmp_path: Path) -> None:
    path = write(tmp_path, Rows=65535, Columns=65535)
    dataset = dcmread(path)
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset["PixelData"].is_undefined_length = True
    dataset.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\x04\0\0\0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    dataset.save_as(path)
    assert "65535 × 65535" in reason_of(path)


def test_a_dicomdir_is_refused_as_a_table_of_contents() -> None:
    path = get_testdata_file("DICOMDIR", download=False)
    assert path is not None
    assert reason_of(Path(str(path))).startswith("a DICOMDIR")


def test_a_header_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path)
    item = b""
    for _ in range(3000):
        item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + item + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
        item = (
            struct.pack("<HH2sHI", 0x0008, 0x1115, b"SQ", 0, 0xFFFFFFFF) + item + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
        )
    content = path.read_bytes()
    at = content.index(struct.pack("<HH", 0x0010, 0x0010))
    path.write_bytes(content[:at] + item + content[at:])
    assert "nested too deeply" in reason_of(path)


def test_odd_values_are_read_without_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path, EchoTime=None)
    content = path.read_bytes().replace(b"19510623", b"19nineXX")
    path.write_bytes(content)
    header = read_header(path)
    assert header.attributes.echo_time_ms is None


def test_a_header_keeps_what_is_needed(tmp_path: Path) -> None:
    item = Dataset()
    item.CodeMeaning = "Gadobutrol"
    header = read_header(
        write(tmp_path, ContrastBolusAgentSequence=Sequence([item]), InversionTime="", ImageType=["A", "B"])
    )
    assert header.attributes.contrast_agent == "recorded"
    assert header.attributes.inversion_time_ms is None
    assert header.attributes.image_type == ("A", "B")
    assert dict(header.technical)["pixel_spacing_mm"] == (1.0, 1.0)


def _shipped_files() -> list[Path]:
    folder = Path(str(get_testdata_file("MR_small.dcm", download=False))).parent
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", _shipped_files(), ids=lambda path: path.name)
def test_every_file_that_pydicom_ships_is_read_or_refused(path: Path) -> None:
    found = inspect_file(path)
    if isinstance(found, Refusal):
        assert len(found.reason) > 10
        assert "\n" not in found.reason
    else:
        assert isinstance(found, SliceHeader)


def test_a_gzip_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.nii.gz"
    packer = zlib.compressobj(wbits=31)
    path.write_bytes((packer.compress(b"\x5c\x01\0\0" + bytes(100000)) + packer.flush())[:60])
    assert reason_of(path).startswith("a corrupt NIfTI file")


def test_refused_files_say_why_in_words() -> None:
    with pytest.raises(RefusedFile, match=r"its pixel data are truncated: 8130 of 8192 bytes are there"):
        read_header(Path(str(get_testdata_file("MR_truncated.dcm", download=False))))
