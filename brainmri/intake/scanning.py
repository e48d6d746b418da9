"""Look at every file once: DICOM headers, NIfTI series, and the refusals of everything else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from brainmri.errors import RefusedFile
from brainmri.intake.deidentify import collect_identity, screen_technical
from brainmri.intake.files import classify
from brainmri.intake.headers import SliceHeader, read_header
from brainmri.intake.nifti import check_nifti, read_geometry, read_sidecar, sidecar_of
from brainmri.intake.nifti_names import NamedFile, name_files
from brainmri.intake.patients import Examination, MaskFile, Patient
from brainmri.intake.report import Refusal
from brainmri.intake.sequences import identify
from brainmri.intake.series import FoundSeries, common_place, plane_of

if TYPE_CHECKING:
    from concurrent.futures import Executor

In = TypeVar("In")
Out = TypeVar("Out")
Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]
"""Works like `map`, perhaps on several processes; results come in the order of the input."""

_REPORT_EVERY: Final = 100
_CHUNK: Final = 64


@dataclass
class Scan:
    """What the files are."""

    headers: list[SliceHeader] = field(default_factory=list)
    nifti: list[Path] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def scan_files(files: list[Path], *, mapper: Mapper, progress: Callable[[float, str], None]) -> Scan:
    """Read the headers of all files."""
    scan, seen = Scan(), dict[Any, Any]()
    for done, found in enumerate(mapper(inspect_file, files)):
        if done % _REPORT_EVERY == 0:
            progress(done / len(files), f"Reading headers: {done} of {len(files)} files")
        if isinstance(found, SliceHeader):
            for name in ("attributes", "technical", "identity"):  # equal in a series: hold them once
                value = getattr(found, name)
                setattr(found, name, seen.setdefault(value, value))
            scan.headers.append(found)
        elif isinstance(found, Refusal):
            scan.refused.append(found)
        else:
            scan.nifti.append(found)
    sidecars = {sidecar_of(path) for path in scan.nifti}
    scan.refused = [one for one in scan.refused if one.path not in sidecars]
    return scan


def inspect_file(path: Path) -> SliceHeader | Refusal | Path:
    """Return the header of a DICOM file, the path of a NIfTI file, or why a file is refused."""
    try:
        if classify(path) == "DICOM":
            return read_header(path)
        check_nifti(path)
    except RefusedFile as error:
        return Refusal(path, str(error))
    return path


def group_nifti_patients(paths: list[Path]) -> tuple[list[Patient], list[Path], list[Refusal]]:
    """Group NIfTI files into patients.

    Returns
    -------
    patients : list of Patient
        Those with images.
    masks : list of Path
        Masks of groups without images.
    refused : list of Refusal
    """
    groups: dict[str, list[NamedFile]] = defaultdict(list)
    for named in name_files(paths):
        groups[named.patient].append(named)
    patients, masks, refused = [], [], list[Refusal]()
    for _, group in sorted(groups.items()):
        if all(one.mask for one in group):
            masks += [one.path for one in group]
            continue
        examinations = _examinations(group, refused)
        if any(one.series for one in examinations):
            place = common_place(sorted(one.path for one in group))
            patients.append(Patient(group[0].names, collect_identity(group[0].names), place, tuple(examinations)))
    return patients, masks, refused


def _examinations(group: list[NamedFile], refused: list[Refusal]) -> list[Examination]:
    examinations = []
    for session in sorted({one.session for one in group}):
        series, masks = [], []
        for one in sorted((one for one in group if one.session == session), key=lambda one: one.path):
            if one.mask:
                masks.append(MaskFile(one.path, "NIfTI"))
                continue
            try:
                series.append(_describe(one))
            except RefusedFile as error:
                refused.append(Refusal(one.path, str(error)))
        examinations.append(Examination((session,), tuple(series), tuple(masks)))
    return examinations


def _describe(named: NamedFile) -> FoundSeries:
    attributes, technical = read_sidecar(named.path, named.words)
    sequence, evidence = identify(attributes)
    size, spacing, directions = read_geometry(named.path)
    axis = 2 if len(set(spacing)) == 1 else max(range(3), key=lambda i: spacing[i])  # along the coarsest axis
    return FoundSeries(
        source="NIfTI",
        place=named.path,
        uid=named.path.name,
        sequence=sequence,
        evidence=evidence,
        description=None,
        technical=screen_technical(technical, collect_identity(named.names)),
        plane=plane_of(directions[axis::3]),
        images=size[axis],
        in_plane_mm=round(sorted(spacing)[1], 3),
        acquired="",
        manufacturer=str(technical.get("manufacturer", "")),
        path=named.path,
    )


@contextmanager
def workers(count: int) -> Iterator[Mapper]:
    """Open a pool of processes, or work in this one where the count is one."""
    if count <= 1:
        yield map
        return
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - only for many files
    from multiprocessing import get_context  # noqa: PLC0415

    # spawn: a process forked beside threads (torch, a web server) can hang
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_prepare_worker)
    try:
        yield partial(_map_on_pool, pool)
    finally:
        pool.shutdown(cancel_futures=True)


def _map_on_pool(pool: Executor, function: Callable[[In], Out], items: Iterable[In]) -> Iterator[Out]:
    """Map on a pool; where its processes die (no memory, or no processes allowed), go on in this one."""
    from concurrent.futures import BrokenExecutor  # noqa: PLC0415

    waiting = list(items)
    done = 0
    try:
        for result in pool.map(function, waiting, chunksize=_CHUNK if function is inspect_file else 1):
            done += 1
            yield result
    except BrokenExecutor:
        yield from map(function, waiting[done:])


def _prepare_worker() -> None:
    import SimpleITK as sitk  # noqa: PLC0415

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
