"""Integrated Gradients of whole sequences as stored after training, beside the Shapley values. Without torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.explanation.stored import read_arrays, write_arrays
from brainmri.study import Study
from brainmri.vocabulary import SEQUENCES

GRADIENTS_FILE: Final = "sequence-gradients.npz"

_WORTH_TELLING: Final = 0.1
"""Share of what was found that may be missing without a word."""


@dataclass(frozen=True, kw_only=True)
class GradientContributions:
    """What each sequence of an image, or on average of several, added to the logit of one class."""

    values: tuple[float, ...]
    """One a sequence, in the order of `SEQUENCES`."""
    difference: float
    """What they should add up to: the logit of the image less that of the blurred one."""

    @property
    def missing(self) -> float:
        """What the finite number of gradients leaves out: ``difference`` less the sum of ``values``."""
        return self.difference - sum(self.values)

    def compare(self, shapley: Sequence[float]) -> str:
        """Return in one sentence how far Shapley values against the blurred image, in logits, say the same.

        Parameters
        ----------
        shapley : sequence of float
            One a sequence.
        """
        own, theirs = (
            ", ".join(f"{name} {share:.0f}\u00a0%" for name, share in zip(SEQUENCES, _shares(values), strict=True))
            for values in (self.values, shapley)
        )
        first, second = (SEQUENCES[int(np.argmax(np.abs(values)))] for values in (self.values, shapley))
        verdict = (
            f"Both give {first} the largest part."
            if first == second
            else f"They disagree: the one gives {first} the largest part, the other {second}."
        )
        return (
            "Integrated Gradients, another way to share out how the score differs between this image and its blurred "
            f"form, gives {own}; the Shapley values of the same score (the logit, which the probability is made of) "
            f"give {theirs}. {verdict}{self._describe_missing()}"
        )

    def _describe_missing(self) -> str:
        if abs(self.missing) <= _WORTH_TELLING * sum(abs(value) for value in self.values):
            return ""
        return f" The gradients leave {self.missing:+.2f} of {self.difference:+.2f} out: read them roughly."


@dataclass(frozen=True, eq=False, kw_only=True)
class RunGradients:
    """Integrated Gradients of the sequences of every test image, for the class that the run takes its case for."""

    made_from: str
    """Which training made the network."""
    sample_index: NDArray[np.int64]
    """Shape (N,)."""
    class_index: NDArray[np.int64]
    """Shape (N,)."""
    values: NDArray[np.float32]
    """Shape (N, 3), in units of the logit."""
    difference: NDArray[np.float32]
    """Shape (N,): see `GradientContributions`."""

    def of(self, samples: Iterable[int], class_index: int) -> GradientContributions | None:
        """Return the mean over some images; None where one of them was not tested, or explained for another class."""
        wanted = np.array([int(one) for one in samples], dtype=np.int64)
        rows = np.flatnonzero(np.isin(self.sample_index, wanted) & (self.class_index == class_index))
        if not len(wanted) or len(rows) < len(wanted):
            return None
        return GradientContributions(
            values=tuple(float(value) for value in self.values[rows].mean(axis=0)),
            difference=float(self.difference[rows].mean()),
        )


def write_gradients(study: Study, run_id: str, found: RunGradients) -> None:
    """Store the gradients of a run in its folder."""
    write_arrays(
        study.run_folder(run_id) / GRADIENTS_FILE,
        {
            "made_from": np.array(found.made_from),
            "sample_index": found.sample_index.astype(np.int64),
            "class_index": found.class_index.astype(np.int64),
            "values": found.values.astype(np.float32),
            "difference": found.difference.astype(np.float32),
        },
    )


def read_gradients(study: Study, run_id: str) -> RunGradients | None:
    """Return the stored gradients of a run, or None where there are none.

    Raises
    ------
    ExplanationError
        Where the file is damaged.
    """
    stored = read_arrays(study, run_id, GRADIENTS_FILE, again=f"explain-all {run_id} --again")
    if stored is None:
        return None
    arrays = ("sample_index", "class_index", "values", "difference")
    return RunGradients(made_from=str(stored["made_from"]), **{name: stored[name] for name in arrays})


def _shares(values: Sequence[float]) -> NDArray[np.float64]:
    """Return values in per cent of the sum of their sizes, with their signs."""
    array = np.asarray(values, dtype=np.float64)
    total = np.abs(array).sum()
    return 100 * array / total if total > 0 else array
