"""What each sequence contributed to a class score: exact Shapley values of T1, T2 and T1c.

The three sequences are players of a game whose value is the network's score when some of them are there and the others
are replaced by a baseline. With three players all eight games are played, so that the values are exact, not sampled.
Nothing here imports torch: `brainmri.explanation.coalitions` plays the games, and what it stores is read here.

References
----------
Shapley, A value for n-person games, 1953, https://doi.org/10.1515/9781400881970-018
Lundberg and Lee, A unified approach to interpreting model predictions, NeurIPS 2017,
https://doi.org/10.48550/arXiv.1705.07874
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import factorial
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainmri.errors import ExplanationError, UsageError
from brainmri.explanation.case_files import case_file
from brainmri.explanation.stored import read_arrays, write_arrays
from brainmri.study import Study
from brainmri.vocabulary import SEQUENCES, display_diagnosis

Score = Literal["probability", "logit"]
BaselineName = Literal["blurred", "mean", "other-patient"]

BASELINES: Final[dict[BaselineName, str]] = {
    "blurred": "the same image, blurred: its brightness stays, outlines and texture go",
    "mean": "the mean of the training images of that sequence",
    "other-patient": "the same sequence of another patient, drawn at random",
}
"""What may stand in for a sequence, in words."""

BASELINE_NAMES: Final[dict[BaselineName, str]] = {
    "blurred": "Blurred",
    "mean": "Mean of the training images",
    "other-patient": "Other patients",
}
"""The same, for controls."""

PLAYERS: Final = len(SEQUENCES)
COALITIONS: Final = 2**PLAYERS
"""Numbered by bits: bit c is set where sequence c is there. 0 is none of them, 7 is all."""


def shapley_values(values: ArrayLike) -> NDArray[np.float64]:
    """Return the Shapley value of each player.

    Parameters
    ----------
    values : array_like, shape (…, 2**P)
        Of each coalition, numbered by bits as in `COALITIONS`.

    Returns
    -------
    ndarray, shape (…, P), float64
        They add up to the value of all players less that of none.
    """
    game = np.asarray(values, dtype=np.float64)
    players = int(game.shape[-1]).bit_length() - 1
    if game.shape[-1] != 2**players:
        raise ExplanationError(f"A game has 2, 4, 8, … coalitions; found {game.shape[-1]} values.")
    shares = np.zeros((*game.shape[:-1], players))
    for coalition in range(2**players):
        size = coalition.bit_count()
        for player in range(players):
            if not coalition >> player & 1:
                weight = factorial(size) * factorial(players - size - 1) / factorial(players)
                shares[..., player] += weight * (game[..., coalition | 1 << player] - game[..., coalition])
    return shares


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What stood in for the sequences that were taken away."""

    name: BaselineName
    sigma_px: float | None = None
    """Of the Gaussian, where ``name`` is ``blurred``."""
    draws: int = 1
    """Other patients for each sample, where ``name`` is ``other-patient``; scores are averaged over them."""
    seed: int | None = None
    """Of those draws."""

    def describe(self) -> str:
        """Return in words what stood in."""
        if self.name == "blurred":
            return f"{BASELINES['blurred']} (Gaussian, σ = {self.sigma_px:g} px)"
        if self.name == "other-patient" and self.draws > 1:
            return f"the same sequence of other patients, the mean over {self.draws} drawn at random"
        return BASELINES[self.name]


@dataclass(frozen=True, kw_only=True)
class SequenceContributions:
    """What each sequence added to the score of one class."""

    class_name: str
    score: Score
    baseline: Baseline
    values: tuple[float, ...]
    """One a sequence, in the order of `SEQUENCES`; in the unit of the score. Negative: it spoke against the class."""
    full: float
    """The score with all three sequences: what the network says."""
    empty: float
    """The score with all three replaced."""

    @property
    def total(self) -> float:
        """What the three sequences added together: ``full`` − ``empty``."""
        return self.full - self.empty

    def describe(self) -> str:
        """Return one sentence: what the bars are, with probabilities in percentage points, and how to read them."""
        unit = "percentage points of probability" if self.score == "probability" else "units of the logit"
        diagnosis = display_diagnosis(self.class_name)
        return (
            f"How much each sequence raised (or lowered) the score for {diagnosis}, in {unit}, averaged over all "
            "orders in which the sequences can be added; together they make the difference between the image and "
            f"{self.baseline.describe()}."
        )


@dataclass(frozen=True, kw_only=True)
class MissingSequence:
    """What the network would have said with one sequence replaced by the baseline."""

    sequence: str
    baseline: Baseline
    probabilities: tuple[float, ...]
    """One a class."""
    predicted: str
    predicted_with_all: str

    @property
    def changes_the_answer(self) -> bool:
        """Return whether another class comes out."""
        return self.predicted != self.predicted_with_all


@dataclass(frozen=True, eq=False, kw_only=True)
class RunContributions:
    """The eight games of every test image of a run, from which the contributions to any class follow."""

    classes: tuple[str, ...]
    baseline: Baseline
    made_from: str
    """Which training made the network: see `brainmri.explanation.trained.TrainedRun.identity`."""
    sample_index: NDArray[np.int64]
    """Shape (N,)."""
    logits: NDArray[np.float32]
    """Shape (N, D, 8, K): for each sample, draw of the baseline, coalition and class."""

    def scores(self, score: Score) -> NDArray[np.float64]:
        """Return the score of every class in every game, averaged over draws: shape (N, 8, K)."""
        logits = self.logits.astype(np.float64)
        if score == "logit":
            return logits.mean(axis=1)
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        probabilities: NDArray[np.float64] = (odds / odds.sum(axis=-1, keepdims=True)).mean(axis=1)
        return probabilities

    def of(self, samples: int | Iterable[int], class_index: int, score: Score = "probability") -> SequenceContributions:
        """Return the contributions in one image, or their mean over several images, such as the slices of a case.

        The mean over slices is exact as well: Shapley values are linear in the game.

        Raises
        ------
        ExplanationError
            Where the run did not test one of the samples, or there is no such class.
        """
        if not 0 <= class_index < len(self.classes):
            raise ExplanationError(
                f"There is no class {class_index}; expected 0 to {len(self.classes) - 1} ({', '.join(self.classes)})."
            )
        game = self._games(samples, score)[:, :, class_index].mean(axis=0)  # (8,)
        return SequenceContributions(
            class_name=self.classes[class_index],
            score=score,
            baseline=self.baseline,
            values=tuple(float(value) for value in shapley_values(game)),
            full=float(game[-1]),
            empty=float(game[0]),
        )

    def every(self, class_index: int, score: Score = "probability") -> NDArray[np.float64]:
        """Return the contributions to one class in every image: shape (N, 3)."""
        return shapley_values(self.scores(score)[:, :, class_index])

    def without(self, samples: int | Iterable[int], sequence: str) -> MissingSequence:
        """Return what the network says of an image, or on average of several, without one sequence.

        Raises
        ------
        UsageError
            For a sequence that is not there.
        ExplanationError
            Where the run did not test one of the samples.
        """
        if sequence not in SEQUENCES:
            raise UsageError(f"There is no sequence '{sequence}'; expected one of {', '.join(SEQUENCES)}.")
        games = self._games(samples, "probability").mean(axis=0)  # (8, K)
        left = games[COALITIONS - 1 - (1 << SEQUENCES.index(sequence))]
        return MissingSequence(
            sequence=sequence,
            baseline=self.baseline,
            probabilities=tuple(float(value) for value in left),
            predicted=self.classes[int(left.argmax())],
            predicted_with_all=self.classes[int(games[-1].argmax())],
        )

    def tested(self, samples: int | Iterable[int]) -> bool:
        """Return whether the run tested all of these samples."""
        return bool(np.isin(_as_list(samples), self.sample_index).all())

    def _games(self, samples: int | Iterable[int], score: Score) -> NDArray[np.float64]:
        """Return the scores (n, 8, K) of some samples."""
        wanted = _as_list(samples)
        places = {int(index): place for place, index in enumerate(self.sample_index)}
        absent = [index for index in wanted if index not in places]
        if absent or not wanted:
            raise ExplanationError(
                f"This run did not test the sample {absent[0] if absent else '(none was named)'}, so that nothing is "
                f"stored of it. Choose among its {len(places)} test images."
            )
        chosen = [places[index] for index in wanted]
        part = RunContributions(
            classes=self.classes,
            baseline=self.baseline,
            made_from=self.made_from,
            sample_index=self.sample_index[chosen],
            logits=self.logits[chosen],
        )
        return part.scores(score)


def contributions_file(baseline: str) -> str:
    """Return the name of the file in the run folder."""
    return f"contributions-{baseline}.npz"


def write_contributions(study: Study, run_id: str, found: RunContributions, *, case_id: str | None = None) -> None:
    """Store the games of a run in its folder; with a case, those of its images alone, beside those of the run."""
    baseline = found.baseline
    file_name = contributions_file(baseline.name)
    write_arrays(
        study.run_folder(run_id) / (file_name if case_id is None else case_file(case_id, file_name)),
        {
            "classes": np.array(found.classes),
            "baseline": np.array(baseline.name),
            "sigma_px": np.array(np.nan if baseline.sigma_px is None else baseline.sigma_px),
            "seed": np.array(-1 if baseline.seed is None else baseline.seed),
            "made_from": np.array(found.made_from),
            "sample_index": found.sample_index.astype(np.int64),
            "logits": found.logits.astype(np.float32),
        },
    )


def read_contributions(
    study: Study, run_id: str, baseline: BaselineName = "blurred", *, case_id: str | None = None
) -> RunContributions | None:
    """Return the stored games of a run under a baseline, or None where there are none.

    Parameters
    ----------
    study : Study
    run_id : str
    baseline : {'blurred', 'mean', 'other-patient'}
    case_id : str, optional
        Return those that were made of this case alone, on demand.

    Raises
    ------
    ExplanationError
        Where the file is damaged.
    """
    file_name, again = contributions_file(baseline), f"explain-all {run_id} --again"
    if case_id is not None:
        file_name, again = case_file(case_id, file_name), f"explain-case {run_id} {case_id}"
    stored = read_arrays(study, run_id, file_name, again=again)
    if stored is None:
        return None
    sigma_px, seed = float(stored["sigma_px"]), int(stored["seed"])
    return RunContributions(
        classes=tuple(str(name) for name in stored["classes"]),
        baseline=Baseline(
            name=baseline,
            sigma_px=None if np.isnan(sigma_px) else sigma_px,
            draws=stored["logits"].shape[1],
            seed=None if seed < 0 else seed,
        ),
        made_from=str(stored["made_from"]),
        sample_index=stored["sample_index"],
        logits=stored["logits"],
    )


def _as_list(samples: int | Iterable[int]) -> list[int]:
    return [int(samples)] if isinstance(samples, (int, np.integer)) else [int(one) for one in samples]
