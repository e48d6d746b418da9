"""The faithfulness of a run's maps as stored after training. Nothing here imports torch, so that pages can read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import ExplanationError
from brainmri.explanation.faithfulness import (
    EnergyShare,
    PerturbationCurves,
    Place,
    RandomisationCheck,
    RandomisationStep,
    Stability,
    stability,
)
from brainmri.explanation.maps import RunMaps
from brainmri.explanation.stored import read_arrays, write_arrays
from brainmri.study import Study

PLACES: Final[tuple[Place, ...]] = ("tumour", "centre")


@dataclass(frozen=True, eq=False, kw_only=True)
class RunFaithfulness:
    """How far the maps of a run's test images can be believed, each for the class that the run predicted."""

    method: str
    """A name of `brainmri.explanation.method_names.METHODS`."""
    made_from: str
    """Which training made the network."""
    sample_index: NDArray[np.int64]
    """Shape (N,)."""
    class_index: NDArray[np.int64]
    """Shape (N,): the predicted class, which the map explains."""
    share: NDArray[np.float32]
    """Shape (N, 2): of the energy in each of `PLACES`; not a number where the map is empty."""
    area: NDArray[np.float32]
    """Shape (N, 2): of the image that the place covers; not a number where the case has no tumour mask."""
    shares: NDArray[np.float32]
    """Shape (S,): of pixels changed."""
    deletion: NDArray[np.float32]
    """Shape (N, S), as is ``insertion``: probabilities."""
    insertion: NDArray[np.float32]
    randomisation: RandomisationCheck

    def energy(self, sample_index: int, place: Place) -> EnergyShare | None:
        """Return the share of energy in a place; None where the case has no tumour mask."""
        row, column = self._row(sample_index), PLACES.index(place)
        share, area = float(self.share[row, column]), float(self.area[row, column])
        if np.isnan(area):
            return None
        return EnergyShare(place=place, share=None if np.isnan(share) else share, area=area)

    def mean_energy(self, place: Place) -> EnergyShare | None:
        """Return the mean over the images whose map has evidence; None where no case has a tumour mask."""
        column = PLACES.index(place)
        known = ~np.isnan(self.area[:, column])
        if not known.any():
            return None
        told = known & ~np.isnan(self.share[:, column])
        chosen = told if told.any() else known
        return EnergyShare(
            place=place,
            share=float(self.share[told, column].mean()) if told.any() else None,
            area=float(self.area[chosen, column].mean()),
        )

    def curves(self, sample_index: int) -> PerturbationCurves:
        """Return the deletion and insertion curves of an image."""
        row = self._row(sample_index)
        return self._curves(self.deletion[row], self.insertion[row])

    def mean_curves(self) -> PerturbationCurves:
        """Return the mean curves over all test images."""
        return self._curves(self.deletion.mean(axis=0), self.insertion.mean(axis=0))

    def _curves(self, deletion: NDArray[np.float32], insertion: NDArray[np.float32]) -> PerturbationCurves:
        return PerturbationCurves(
            shares=tuple(map(float, self.shares)),
            deletion=tuple(map(float, deletion)),
            insertion=tuple(map(float, insertion)),
        )

    def _row(self, sample_index: int) -> int:
        found = np.flatnonzero(self.sample_index == sample_index)
        if not len(found):
            raise ExplanationError(
                f"This run did not test the sample {sample_index}, so that nothing is stored of it. Choose among its "
                f"{len(self.sample_index)} test images."
            )
        return int(found[0])


def stability_over_repeats(maps: Sequence[RunMaps], sample_index: int, class_index: int) -> Stability:
    """Return how far the repeats of a network that tested an image agree on where the evidence for a class is.

    Parameters
    ----------
    maps : sequence of RunMaps
        Of repeats of one architecture, by one method; those that did not test the image are left out.
    sample_index : int
    class_index : int
    """
    tested = [run for run in maps if sample_index in run.sample_index]
    return stability([run.of(sample_index, class_index) for run in tested], tested[0].size_px if tested else 1)


def faithfulness_file(method: str) -> str:
    """Return the name of the file in the run folder."""
    return f"faithfulness-{method}.npz"


def write_faithfulness(study: Study, run_id: str, found: RunFaithfulness) -> None:
    """Store what was measured of a run's maps in its folder."""
    steps = found.randomisation.steps
    correlations = [[np.nan if value is None else value for value in step.correlations] for step in steps]
    write_arrays(
        study.run_folder(run_id) / faithfulness_file(found.method),
        {
            "made_from": np.array(found.made_from),
            "sample_index": found.sample_index.astype(np.int64),
            "class_index": found.class_index.astype(np.int64),
            "share": found.share.astype(np.float32),
            "area": found.area.astype(np.float32),
            "shares": found.shares.astype(np.float32),
            "deletion": found.deletion.astype(np.float32),
            "insertion": found.insertion.astype(np.float32),
            "random_from": np.array([step.layer for step in steps]),
            "correlations": np.array(correlations, dtype=np.float32),
        },
    )


def read_faithfulness(study: Study, run_id: str, method: str = "gradcam") -> RunFaithfulness | None:
    """Return what was measured of a run's maps, or None where nothing was.

    Raises
    ------
    ExplanationError
        Where the file is damaged.
    """
    again = f"explain-all {run_id} --faithfulness {method} --again"
    stored = read_arrays(study, run_id, faithfulness_file(method), again=again)
    if stored is None:
        return None
    steps = tuple(
        RandomisationStep(
            layer=str(layer), correlations=tuple(None if np.isnan(value) else float(value) for value in correlations)
        )
        for layer, correlations in zip(stored["random_from"], stored["correlations"], strict=True)
    )
    arrays = ("sample_index", "class_index", "share", "area", "shares", "deletion", "insertion")
    return RunFaithfulness(
        method=method,
        made_from=str(stored["made_from"]),
        randomisation=RandomisationCheck(method=method, steps=steps),
        **{name: stored[name] for name in arrays},
    )
