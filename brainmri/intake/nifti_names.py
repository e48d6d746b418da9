"""Tell from the names of NIfTI files their patient and examination, and which words may name their sequence."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from brainmri.intake.descriptions import is_sequence_word, read_hints
from brainmri.intake.words import split_words

_MASK_WORDS: Final = split_words(
    "mask seg segmentation label labels labelmap roi tumor tumour lesion dseg truth gt annotation"
)
_FOLDER_WORDS: Final = split_words(
    "anat mri mr nifti nii images image img imgs scans scan masks derivatives data raw rawdata perf dwi func fmap "
    "session baseline preop series volumes skull stripped manual"
)
"""Names of folders that hold files of a kind, not a patient."""
_FILLER_WORDS: Final = split_words(
    "mri mr brain head scan img image volume vol ax axial sag sagittal cor coronal tra transversal trans 3d 2d se "
    "tse fse ir gr reg registered resampled bet n4 stripped skull norm defaced raw orig original nii gz final "
    "manual"
)
"""Words of file names that name neither a sequence nor a patient."""
_SUBJECT: Final = re.compile(r"sub-[0-9A-Za-z]+")
_SESSION: Final = re.compile(r"(?<![A-Za-z0-9])ses-([0-9A-Za-z]+)")
_TIME_POINT: Final = re.compile(r"(?i)(brats-[a-z]+-\d+)-(\d{3})")
_SERIES_NUMBER: Final = re.compile(r"(?i)(se|ser|series|acq|scan)?[_-]?\d{1,4}")
_FIRST_SESSIONS: Final = ("pre", "preop", "baseline", "initial", "first", "bl")
_LAST_SESSIONS: Final = ("post", "postop", "followup", "follow", "fu")


@dataclass(frozen=True)
class NamedFile:
    """A NIfTI file and what its name says."""

    path: Path
    patient: str
    """Key of the patient within this import."""
    names: tuple[str, ...]
    """What the table of labels may call the patient, best first."""
    session: str
    """Sortable; the first one is the earliest examination."""
    words: str
    """The words that may name the sequence."""
    mask: bool


def name_files(paths: Sequence[Path]) -> list[NamedFile]:
    """Group NIfTI files into patients by folder, by BIDS subject, or by the beginning of their names.

    Parameters
    ----------
    paths : sequence of Path

    Returns
    -------
    list of NamedFile
        In the order of the paths.
    """
    folders: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in paths:
        folders[_patient_folder(path)].append(path)
    named = {}
    for (folder, subject), files in folders.items():
        for code, group in _split(files, folder, subject).items():
            for one in _name_group(folder, subject, code, group):
                named[one.path] = one
    return [named[path] for path in paths]


def is_mask_name(stem: str) -> bool:
    """Return whether a file's name says that it holds a mask."""
    return any(word in _MASK_WORDS for word in _words(_without_entities(stem)))


def _patient_folder(path: Path) -> tuple[Path, str]:
    """Return the folder of a file's patient, and the BIDS subject where there is one."""
    subject = _SUBJECT.match(path.name)
    if subject:
        parts = path.parts
        stop = next((i for i, part in enumerate(parts) if part in (subject[0], "derivatives")), len(parts) - 1)
        return Path(*parts[:stop]), subject[0]
    folder = path.parent
    while folder != folder.parent and _names_no_patient(folder.name):
        folder = folder.parent
    return folder, ""


def _names_no_patient(folder: str) -> bool:
    words = split_words(folder)
    known = _FOLDER_WORDS | _FILLER_WORDS | _MASK_WORDS
    return (bool(words) and all(word in known or is_sequence_word(word) for word in words)) or folder.startswith("ses-")


def _split(files: list[Path], folder: Path, subject: str) -> dict[str, list[Path]]:
    """Split the files of a folder into patients by their names, where the names say that there are several."""
    if subject:
        return {subject: files}
    prefixes = {path: _prefix(_stem(path)) for path in files}
    rests = {path: _rest(_stem(path)) for path in files}
    for codes, may_differ in ((prefixes, True), (rests, False)):
        if all(re.search(r"\d", code) for code in codes.values()) and _are_patients(codes, folder, may_differ):
            groups: dict[str, list[Path]] = defaultdict(list)
            for path, code in codes.items():
                groups[code].append(path)
            return groups
    return {"": files}


def _are_patients(codes: dict[Path, str], folder: Path, may_differ: bool) -> bool:
    """Return whether the distinguishing parts of file names are patients.

    They are where images share one. Where each file has its own (`may_differ`), they are patients unless they look like
    numbers of series and no sequence comes twice.
    """
    images = {path: code for path, code in codes.items() if not is_mask_name(_stem(path))}
    if len(set(codes.values())) == 1 or max(Counter(images.values()).values(), default=0) > 1:
        return True
    numbers_of_series = all(_SERIES_NUMBER.fullmatch(code) for code in images.values())
    return may_differ and (not numbers_of_series or _repeats(codes, folder))


def _repeats(codes: dict[Path, str], folder: Path) -> bool:
    """Return whether the folder holds a sequence more often than once."""
    hints = [read_hints(_sequence_words(path, folder)) for path in codes if not is_mask_name(_stem(path))]
    kinds = Counter((hint.weighting, hint.other, hint.contrast) for hint in hints)
    return bool(kinds) and max(kinds.values()) > 1


def _name_group(folder: Path, subject: str, code: str, files: list[Path]) -> list[NamedFile]:
    shared = _shared_words(files, folder)
    if subject:
        names: tuple[str, ...] = (subject, subject.removeprefix("sub-"))
    else:
        names = tuple(dict.fromkeys(name for name in (code, folder.name) if name))
    time_point = next((match for name in names if (match := _TIME_POINT.fullmatch(name))), None)
    if time_point:
        names = (*names, time_point[1])
    key = f"{folder.parent if time_point else folder}|{time_point[1] if time_point else code}"
    return [
        NamedFile(
            path=path,
            patient=key,
            names=names,
            session=_session(path) or (time_point[2] if time_point else ""),
            words=_telling_words(path, folder, shared),
            mask=is_mask_name(_stem(path))
            or any(word in {"mask", "masks", "seg"} for word in _words(path.parent.name)),
        )
        for path in files
    ]


def _session(path: Path) -> str:
    match = _SESSION.search(path.name) or _SESSION.search(path.parent.as_posix())
    if match is None:
        return ""
    word = match[1].casefold()
    rank = 0 if word.startswith(_FIRST_SESSIONS) else 2 if word.startswith(_LAST_SESSIONS) else 1
    return f"{rank}{word.zfill(12)}"


def _shared_words(files: list[Path], folder: Path) -> set[str]:
    """Return words that stand in every name of a patient: part of a code, which tells nothing about the sequence."""
    images = [set(_words(_sequence_words(path, folder))) for path in files if not is_mask_name(_stem(path))]
    if len(images) < 2:
        return set()
    return {word for word in set.intersection(*images) if read_hints(word).weighting is None}


def _telling_words(path: Path, folder: Path, shared: set[str]) -> str:
    text = _sequence_words(path, folder)
    for word in sorted(shared, key=lambda one: (-len(one), one)):
        text = re.sub(rf"(?i)(?<![^\W_]){re.escape(word)}(?![^\W_])", " ", text)
    return " ".join(text.split())


def _sequence_words(path: Path, folder: Path) -> str:
    """Return the name of the file, with the folders between it and its patient's folder."""
    below = [part for part in path.parent.parts[len(folder.parts) :] if _names_no_patient(part)]
    return _without_entities(" ".join([*below, _stem(path)]))


def _without_entities(stem: str) -> str:
    """Remove BIDS entities that name a subject, a session or a run (``ses-post`` is no contrast)."""
    return re.sub(r"(?<![A-Za-z0-9])(sub|ses|run)-[0-9A-Za-z]+", " ", stem)


def _stem(path: Path) -> str:
    return re.sub(r"(?i)\.nii(\.gz)?$", "", path.name)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _tells(part: str) -> bool:
    return is_sequence_word(part) or part.casefold() in _MASK_WORDS or part.casefold().endswith("flair")


def _prefix(stem: str) -> str:
    """Return what stands before the first word that names a sequence or a mask, without filler."""
    parts = re.split(r"([\W_]+)", stem)
    stop = next((i for i, part in enumerate(parts) if part and _tells(part)), None)
    kept = parts[:stop] if stop is not None else []
    while kept and (not re.fullmatch(r"[^\W_]+", kept[-1]) or kept[-1].casefold() in _FILLER_WORDS):
        kept.pop()
    return "".join(kept)


def _rest(stem: str) -> str:
    """Return the words that name neither a sequence, nor a mask, nor filler."""
    parts = [part for part in re.split(r"[\W_]+", stem) if part]
    return "_".join(part for part in parts if not _tells(part) and part.casefold() not in _FILLER_WORDS)
