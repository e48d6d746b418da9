"""Similar cases: the images that the network finds most like another, by its last activations before the head.

Nothing here imports torch: `brainmri.explanation.features` computes the activations, and they are read here.

References
----------
Caruana et al., Case-based explanation of non-case-based learning methods, AMIA 1999,
https://pmc.ncbi.nlm.nih.gov/articles/PMC2232607 (a trained network as the distance between cases)
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import ExplanationError
from brainmri.explanation.stored import damaged, read_arrays, write_arrays
from brainmri.study import Study
from brainmri.vocabulary import display_diagnosis

Part = Literal["train", "validation", "test"]
PARTS: Final[tuple[Part, ...]] = ("train", "validation", "test")

FEATURES_FILE: Final = "features.npy"
"""Activations, memory-mapped when they are read."""
ANSWERS_FILE: Final = "features.npz"
"""What the network says of each sample."""


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """An image of another patient that the network finds similar."""

    sample_index: int
    case_id: str
    distance: float
    """Cosine distance of the activations, 1 − cos: 0 for the same direction, 1 for unrelated ones."""
    true_class: str
    predicted_class: str
    part: Part
    """Of the run's split that the image belongs to: the network has seen the answer to those of ``train``."""

    @property
    def right(self) -> bool:
        """Return whether the network classifies it correctly."""
        return self.true_class == self.predicted_class


@dataclass(frozen=True, kw_only=True)
class SimilarCases:
    """The most similar images of other patients, nearest first, at most one of each patient."""

    sample_index: int
    case_id: str
    neighbours: tuple[Neighbour, ...]

    @property
    def right(self) -> tuple[Neighbour, ...]:
        """Return those that the network classifies correctly."""
        return tuple(one for one in self.neighbours if one.right)

    @property
    def wrong(self) -> tuple[Neighbour, ...]:
        """Return those that it does not."""
        return tuple(one for one in self.neighbours if not one.right)

    def describe(self) -> str:
        """Return one sentence: what is shown and how to read it."""
        if not self.neighbours:
            return "There is no image of another patient to compare with."
        counts = Counter(one.true_class for one in self.neighbours).most_common()
        diagnoses = ", ".join(f"{count} {display_diagnosis(name)}" for name, count in counts)
        return (
            f"The {len(self.neighbours)} patients whose images the network finds most like this one ({diagnoses} by "
            f"their true diagnosis; {len(self.wrong)} of them classified wrongly): what it thinks the image looks like."
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class RunFeatures:
    """The last activations of a run's network for every sample of the data set."""

    classes: tuple[str, ...]
    made_from: str
    """Which training made the network."""
    features: NDArray[np.float16]
    """Shape (N, F); rows of length 1, or 0 where nothing was active."""
    case_ids: tuple[str, ...]
    """N of them, as the rest."""
    true_class: NDArray[np.int64]
    predicted_class: NDArray[np.int64]
    part: NDArray[np.int64]
    """Index into `PARTS`."""

    def similar(
        self, sample_index: int, *, count: int = 8, parts: Sequence[Part] = PARTS, right: bool | None = None
    ) -> SimilarCases:
        """Return the most similar images of other patients, the nearest of each patient.

        Parameters
        ----------
        sample_index : int
        count : int
            Patients at most.
        parts : sequence of str
            Of the split to look in; ``("test",)`` leaves out what the network was trained on.
        right : bool, optional
            Only images that the network classifies correctly (True) or wrongly (False).

        Raises
        ------
        ExplanationError
            Where there is no such sample.
        """
        if not 0 <= sample_index < len(self.case_ids):
            raise ExplanationError(f"There is no sample {sample_index}; choose one from 0 to {len(self.case_ids) - 1}.")
        own = self.case_ids[sample_index]
        wanted = np.isin(self.part, [PARTS.index(part) for part in parts])
        wanted &= np.array(self.case_ids) != own
        if right is not None:
            wanted &= (self.true_class == self.predicted_class) == right
        candidates = np.flatnonzero(wanted)
        one = np.asarray(self.features[sample_index], dtype=np.float32)
        similarity = self.features[candidates].astype(np.float32) @ one  # rows have length 1
        found: dict[str, Neighbour] = {}
        for place in np.argsort(-similarity, kind="stable"):
            index = int(candidates[place])
            case_id = self.case_ids[index]
            if case_id not in found:
                found[case_id] = self._neighbour(index, 1 - float(similarity[place]))
                if len(found) == count:
                    break
        return SimilarCases(sample_index=sample_index, case_id=own, neighbours=tuple(found.values()))

    def _neighbour(self, index: int, distance: float) -> Neighbour:
        return Neighbour(
            sample_index=index,
            case_id=self.case_ids[index],
            distance=min(max(distance, 0.0), 2.0),  # half precision may pass the ends
            true_class=self.classes[self.true_class[index]],
            predicted_class=self.classes[self.predicted_class[index]],
            part=PARTS[self.part[index]],
        )


def write_features(study: Study, run_id: str, found: RunFeatures) -> None:
    """Store a run's activations in its folder; what the network says of the samples comes last."""
    folder = study.run_folder(run_id)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FEATURES_FILE
    partial = folder / f".{FEATURES_FILE}.{os.getpid()}.partial"
    try:
        with partial.open("wb") as stream:
            np.save(stream, found.features.astype(np.float16), allow_pickle=False)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    write_arrays(
        folder / ANSWERS_FILE,
        {
            "classes": np.array(found.classes),
            "made_from": np.array(found.made_from),
            "case_ids": np.array(found.case_ids),
            "true_class": found.true_class.astype(np.int64),
            "predicted_class": found.predicted_class.astype(np.int64),
            "part": found.part.astype(np.int64),
        },
    )


def read_features(study: Study, run_id: str) -> RunFeatures | None:
    """Return the stored activations of a run, or None where it has none.

    Raises
    ------
    ExplanationError
        Where a file is damaged.
    """
    again = f"explain-all {run_id} --again"
    stored = read_arrays(study, run_id, ANSWERS_FILE, again=again)
    if stored is None:
        return None
    path = study.run_folder(run_id) / FEATURES_FILE
    try:
        features = np.load(path, mmap_mode="r", allow_pickle=False)
        if len(features) != len(stored["case_ids"]):
            raise ValueError(f"{len(features)} rows for {len(stored['case_ids'])} samples")
    except (OSError, ValueError, EOFError) as error:
        raise damaged(run_id, path, error, again=again) from error
    return RunFeatures(
        classes=tuple(str(name) for name in stored["classes"]),
        made_from=str(stored["made_from"]),
        features=features,
        case_ids=tuple(str(case_id) for case_id in stored["case_ids"]),
        true_class=stored["true_class"],
        predicted_class=stored["predicted_class"],
        part=stored["part"],
    )
