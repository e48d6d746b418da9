"""Read what a run has of a case: verdict, squares, volumes and maps. Nothing here imports torch or streamlit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from brainmri.errors import EvaluationError, StudyError
from brainmri.explanation.maps import RunMaps, read_maps, upsample
from brainmri.imaging.intensity import percentile_limits
from brainmri.imaging.records import Dataset, Sample
from brainmri.imaging.regions import SquareRegion
from brainmri.imaging.settings import DatasetSettings
from brainmri.intake.records import Case
from brainmri.intake.volumes import CaseVolumes, read_placement, read_volume, volume_path
from brainmri.study import Study
from brainmri.training.records import FINISHED, Experiment, Prediction, Run, Split
from brainmri.vocabulary import SEQUENCES

_MOST_NAMED: Final = 6
"""Runs that a refusal names."""


@dataclass(frozen=True, kw_only=True)
class SeenSlice:
    """One slice of a case as the network saw it.

    Parameters
    ----------
    sample_index : int
    region : SquareRegion
        The square, in pixels of the case's grid.
    predicted_class : int
    probabilities : tuple of float
        0 to 1.
    """

    sample_index: int
    region: SquareRegion
    predicted_class: int
    probabilities: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class TestedByRun:
    """A case, the run that tested it, and what the run said of each slice."""

    case: Case
    run: Run
    dataset: Dataset
    split_unit: str
    repeats: int
    true_class: int
    slices: tuple[SeenSlice, ...]
    """From inferior to superior."""

    __test__ = False  # no test, whatever its name looks like to pytest

    @property
    def classes(self) -> tuple[str, ...]:
        """Diagnoses in the order of their class index."""
        return tuple(self.dataset.classes)

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Means over the slices, 0 to 1."""
        means = np.mean([one.probabilities for one in self.slices], axis=0)
        return tuple(float(value) for value in means)

    @property
    def predicted_class(self) -> int:
        """The class with the highest mean probability."""
        return int(np.argmax(self.probabilities))


@dataclass(frozen=True, eq=False, kw_only=True)
class CaseEvidence:
    """The images of a case and the maps of a run over them.

    Parameters
    ----------
    tested : TestedByRun
    volumes : CaseVolumes
        Without the mask.
    limits : dict of str to (float, float)
        For each sequence the intensities that are shown black and white.
    maps : RunMaps or None
        None where the run has none.
    """

    tested: TestedByRun
    volumes: CaseVolumes
    limits: dict[str, tuple[float, float]]
    maps: RunMaps | None

    def map_of(self, place: int, class_index: int) -> NDArray[np.float32] | None:
        """Return the map (h, w) of the slice at a place among those seen, or None where the run has no map of it."""
        index = self.tested.slices[place].sample_index
        if self.maps is None or index not in self.maps.sample_index:
            return None
        return self.maps.of(index, class_index)

    def most_evidence(self) -> int:
        """Return the place of the slice with most evidence for the verdict, else of the middle one of those seen."""
        places = range(len(self.tested.slices))
        found = [self.map_of(place, self.tested.predicted_class) for place in places]
        sums = [0.0 if one is None else float(np.maximum(one, 0).sum()) for one in found]
        return int(np.argmax(sums)) if max(sums) > 0 else len(sums) // 2

    def map_on_grid(self, place: int, class_index: int) -> NDArray[np.float32] | None:
        """Return the map of a slice on the case's grid, shape (R, C): 0 outside the square."""
        found = self.map_of(place, class_index)
        if found is None:
            return None
        region = self.tested.slices[place].region
        rows, columns = self.volumes.arrays["T1c"].shape[1:]
        top, left = max(region.row, 0), max(region.column, 0)
        bottom, right = min(region.row + region.size_px, rows), min(region.column + region.size_px, columns)
        whole = np.zeros((rows, columns), np.float32)
        if top < bottom and left < right:
            square = upsample(found, region.size_px)
            whole[top:bottom, left:right] = square[
                top - region.row : bottom - region.row, left - region.column : right - region.column
            ]
        return whole


def read_tested(study: Study, run_id: str, case_id: str) -> TestedByRun:
    """Return what a run said of a case.

    Raises
    ------
    StudyError
        Where there is no such case or run.
    EvaluationError
        Where the run has not finished, or did not test the case.
    """
    with study.session() as session:
        case, run = session.get(Case, case_id), session.get(Run, run_id)
        if case is None:
            raise StudyError(
                f"The study has no case '{case_id}'. The review page lists its cases; they are named like case-0001."
            )
        if run is None:
            raise StudyError(f"The study has no run '{run_id}'. Runs are named like exp-001-alexnet-01.")
        if run.status != FINISHED:
            raise EvaluationError(f"The run {run_id} is {run.status}; a case can be taken away once it has finished.")
        experiment = session.get_one(Experiment, run.experiment_id)
        query = (
            select(Prediction, Sample)
            .join(Sample, Sample.sample_index == Prediction.sample_index)
            .where(
                Prediction.run_id == run_id,
                Sample.dataset_hash == experiment.dataset_hash,
                Sample.case_id == case_id,
            )
            .order_by(Sample.slice_index, Sample.sample_index)
        )
        rows = [(prediction, sample) for prediction, sample in session.execute(query)]
        splits = list(session.scalars(select(Split).where(Split.experiment_id == run.experiment_id)))
        dataset = session.get_one(Dataset, experiment.dataset_hash)
    if not rows:
        raise EvaluationError(_not_tested(study, run, case_id, dataset.hash))
    return TestedByRun(
        case=case,
        run=run,
        dataset=dataset,
        split_unit=next((one.unit for one in splits if one.repeat == run.repeat), "patient"),
        repeats=len(splits),
        true_class=rows[0][0].true_class,
        slices=tuple(
            SeenSlice(
                sample_index=sample.sample_index,
                region=SquareRegion(sample.slice_index, sample.row, sample.column, sample.size_px),
                predicted_class=prediction.predicted_class,
                probabilities=tuple(float(share) for share in prediction.probabilities),
            )
            for prediction, sample in rows
        ),
    )


def read_evidence(study: Study, tested: TestedByRun) -> CaseEvidence:
    """Read the volumes of a case and the maps of the run that tested it.

    Raises
    ------
    IntakeError, ImagingError, ExplanationError
        Where volumes are missing or empty, or stored maps are damaged.
    """
    made = {**DatasetSettings().__dict__, **tested.dataset.settings}
    folder = study.case_folder(tested.case.case_id)

    def read(name: str) -> tuple[NDArray[Any], tuple[float, float, float], tuple[float, float]]:
        array, spacing_mm = read_volume(volume_path(folder, name))
        limits = percentile_limits(array, lower=made["lower_percentile"], upper=made["upper_percentile"])
        return array, spacing_mm, limits

    with ThreadPoolExecutor(len(SEQUENCES)) as pool:  # unpacking and sorting let other threads run
        found = dict(zip(SEQUENCES, pool.map(read, SEQUENCES), strict=True))
    volumes = CaseVolumes(
        arrays={name: array for name, (array, _, _) in found.items()},
        mask=None,
        spacing_mm=found["T1c"][1],
        placement=read_placement(volume_path(folder, "T1c")),
    )
    limits = {name: of_one for name, (_, _, of_one) in found.items()}
    return CaseEvidence(tested=tested, volumes=volumes, limits=limits, maps=read_maps(study, tested.run.run_id))


def grey_slice(values: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.uint8]:
    """Return a slice as grey values, shape (R, C), 0 to 255."""
    low, high = limits
    share = np.clip((values.astype(np.float64) - low) / max(high - low, 1e-30), 0, 1)
    return (share * 255).round().astype(np.uint8)


def _not_tested(study: Study, run: Run, case_id: str, dataset_hash: str) -> str:
    query = (
        select(Prediction.run_id)
        .join(Run, Run.run_id == Prediction.run_id)
        .join(Sample, Sample.sample_index == Prediction.sample_index)
        .where(
            Run.experiment_id == run.experiment_id,
            Run.status == FINISHED,
            Sample.dataset_hash == dataset_hash,
            Sample.case_id == case_id,
        )
        .distinct()
        .order_by(Prediction.run_id)
    )
    with study.session() as session:
        others = list(session.scalars(query))
    start = f"The run {run.run_id} did not test {case_id}: it was among its training cases, or is not in its data set."
    if not others:
        return f"{start} No finished run of {run.experiment_id} tested it."
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    return f"{start} Choose a run that did: {', '.join(others[:_MOST_NAMED])}{more}."
