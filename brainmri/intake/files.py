"""Find files, and tell DICOM, NIfTI and everything else apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

from brainmri.errors import RefusedFile, UsageError

FileKind = Literal["DICOM", "NIfTI"]

_DESKTOP_FILES: Final = frozenset(["thumbs.db", "desktop.ini", "__macosx"])
_PREAMBLE: Final = 128
_GROUPS_AT_START: Final = (b"\x02\x00", b"\x08\x00", b"\x00\x08", b"\x00\x02")
"""Group 0002 or 0008 in either byte order: DICOM without its preamble."""
_TEXT: Final = re.compile(rb"[\t\n\r\f\x20-\x7e\x80-\xff]*")


def list_files(paths: Sequence[Path], *, without: Path | None = None) -> list[Path]:
    """List the files below paths, in a stable order, each once.

    Hidden files and those that desktops leave behind (``.DS_Store``, ``Thumbs.db``) are passed over.

    Parameters
    ----------
    paths : sequence of Path
        Files or folders.
    without : Path, optional
        The table of labels, which is no image.

    Raises
    ------
    UsageError
        Where a path does not exist.
    """
    left_out = without.resolve() if without is not None else None
    found: dict[Path, Path] = {}
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} does not exist. Name a file or a folder with DICOM or NIfTI images.")
        for file in sorted(_walk(path)):
            found.setdefault(file.resolve(), file)
    return [file for resolved, file in found.items() if resolved != left_out]


def classify(path: Path) -> FileKind:
    """Return whether a file is DICOM (by its content) or NIfTI (by its name).

    Raises
    ------
    RefusedFile
        Where it is empty, cannot be opened, or neither.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            start = stream.read(1024)
    except OSError as error:
        raise RefusedFile(f"it cannot be opened: {error.strerror or type(error).__name__}") from error
    if size == 0:
        raise RefusedFile("an empty file (0 bytes)")
    if is_nifti_name(path):
        return "NIfTI"
    if start[_PREAMBLE : _PREAMBLE + 4] == b"DICM" or start[:2] in _GROUPS_AT_START:
        return "DICOM"
    raise RefusedFile(_describe_other(path, start))


def is_nifti_name(path: Path) -> bool:
    """Return whether a file is called ``.nii`` or ``.nii.gz``."""
    return path.name.casefold().endswith((".nii", ".nii.gz"))


def _walk(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for file in path.rglob("*"):
        parts = file.relative_to(path).parts
        if any(part.startswith(".") or part.casefold() in _DESKTOP_FILES for part in parts):
            continue
        if file.is_file():
            yield file


def _describe_other(path: Path, start: bytes) -> str:
    if start.startswith(b"PK\x03\x04"):
        return "a ZIP archive: unpack it first"
    if start.startswith(b"\x1f\x8b"):
        return "a compressed archive: unpack it first"
    if path.suffix.casefold() in {".dcm", ".dicom", ".ima"}:
        kind = "a text file" if _TEXT.fullmatch(start) else "a file of another format"
        return f"not a DICOM file: {kind} that is called {path.suffix}"
    return "not a DICOM or NIfTI file"
