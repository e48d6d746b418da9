"""The record of everything that a comparison of models over repeats found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from brainmri.evaluation.assumptions import Assumptions
from brainmri.evaluation.bayesian import BayesianPair
from brainmri.evaluation.comparison import Comparison, TukeyPair
from brainmri.evaluation.effect_sizes import EffectSizes
from brainmri.evaluation.measure import ACCURACY, Measure
from brainmri.evaluation.rank_tests import DunnPair, Friedman, Kruskal, NemenyiPair
from brainmri.evaluation.repeated_measures import RepeatedMeasures
from brainmri.evaluation.repeats import Repeats
from brainmri.evaluation.resampled import CorrectedPair
from brainmri.evaluation.unequal_variances import Welch

Topic = Literal[
    "nothing",
    "plain",
    "unequal scatter",
    "ranks",
    "fewer assumptions",
    "shared splits",
    "overlap",
    "disagreement",
    "probability",
    "size",
]
"""``nothing`` stands alone, where no test is possible. ``fewer assumptions`` stands for both ``unequal scatter`` and
``ranks``, where they say what the plain test says."""


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """One paragraph of the panel that says what holds under which assumption; models go by the names they came with."""

    topic: Topic
    text: str


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The published comparison and all that stands beside it.

    Parameters
    ----------
    repeats : Repeats
        What was compared.
    test_fraction : float
        n_test / (n_train + n_test) of the splits.
    comparison : Comparison
        As published: descriptive table, one-way analysis of variance, Tukey's pairs.
    assumptions : Assumptions
    welch, kruskal, repeated_measures, friedman : records
        Tests of all models at once.
    games_howell, dunn, nemenyi, corrected_t, bayesian : tuples of records
        Every pair of models, the earlier one first.
    effect_sizes : EffectSizes
    letters : dict of str to dict of str to str
        Compact letters by model for ``tukey``, ``games_howell`` and ``corrected_t``; without a test that left a pair
        untested.
    notes : tuple of str
        Sentences about what could not be computed, or was left out, and why.
    conclusions : tuple of Conclusion
    measure : Measure
        What the numbers are, and which end of them is better.
    """

    repeats: Repeats
    test_fraction: float
    comparison: Comparison
    assumptions: Assumptions
    welch: Welch
    games_howell: tuple[TukeyPair, ...]
    kruskal: Kruskal
    dunn: tuple[DunnPair, ...]
    repeated_measures: RepeatedMeasures
    friedman: Friedman
    nemenyi: tuple[NemenyiPair, ...]
    corrected_t: tuple[CorrectedPair, ...]
    bayesian: tuple[BayesianPair, ...]
    effect_sizes: EffectSizes
    letters: dict[str, dict[str, str]]
    notes: tuple[str, ...] = ()
    conclusions: tuple[Conclusion, ...] = ()
    measure: Measure = ACCURACY

    @property
    def point(self) -> float:
        """One percentage point in the unit of the numbers, or 1 for numbers that are no shares."""
        return self.repeats.point if self.measure.point is None else self.measure.point

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON can hold it, in full precision; what could not be computed is None."""
        return {
            **self.comparison.to_json(),
            "welch": self.welch.to_json(),
            "games_howell": [pair.to_json() for pair in self.games_howell],
            "kruskal": self.kruskal.to_json(),
            "dunn": [pair.to_json() for pair in self.dunn],
            "repeated_measures": self.repeated_measures.to_json(),
            "friedman": self.friedman.to_json(),
            "nemenyi": [pair.to_json() for pair in self.nemenyi],
            "corrected_t": [pair.to_json() for pair in self.corrected_t],
            "bayesian": [pair.to_json() for pair in self.bayesian],
            "effect_sizes": self.effect_sizes.to_json(),
            "assumptions": self.assumptions.to_json(),
            "letters": self.letters,
            "test_fraction": self.test_fraction,
            "notes": list(self.notes),
            "conclusions": [conclusion.text for conclusion in self.conclusions],
        }
