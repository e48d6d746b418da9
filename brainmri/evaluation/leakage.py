"""Leakage: how much better networks seem when a split divides images in place of patients.

Two intervals of the difference are given. One draws patients, the same in both experiments, and takes networks as they
are trained; the other takes the scatter over repeats, with Nadeau and Bengio's variance for overlapping splits in
either experiment, and does not know that the patients are the same.

References
----------
Slices of one patient on both sides of a split: Yagis E et al. Sci Rep 2021;11:22544, doi:10.1038/s41598-021-01681-w.
Nadeau C, Bengio Y. Machine Learning 2003;52:239-281, doi:10.1023/A:1024068626366.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainmri.errors import EvaluationError
from brainmri.evaluation.bootstrap import RESAMPLES, check_resamples, draw_weights, sampled_interval
from brainmri.evaluation.case_tally import CaseTally, Values, mean_of_defined
from brainmri.evaluation.metrics import Metric, metric_values
from brainmri.evaluation.resampled import TEST_FRACTION, check_test_fraction
from brainmri.evaluation.resampled_unpaired import compare_unpaired
from brainmri.evaluation.verdicts import Scored


@dataclass(frozen=True, kw_only=True)
class LeakageDifference:
    """One architecture under both splits.

    Parameters
    ----------
    architecture : str
    by_image, by_patient : float or None
        Mean of the metric over the repeats of either experiment.
    repeats_by_image, repeats_by_patient : int
    difference : float or None
        By image − by patient.
    lower, upper : float or None
        95 % interval over patients.
    lower_over_splits, upper_over_splits : float or None
        95 % interval over repeats, for overlapping splits.
    notes : tuple of str
    """

    architecture: str
    by_image: float | None
    by_patient: float | None
    repeats_by_image: int
    repeats_by_patient: int
    difference: float | None
    lower: float | None
    upper: float | None
    lower_over_splits: float | None
    upper_over_splits: float | None
    notes: tuple[str, ...] = ()


def compare_splits(
    by_image: Scored,
    by_patient: Scored,
    metric: Metric,
    *,
    seed: int,
    resamples: int = RESAMPLES,
    test_fractions: tuple[float, float] = (TEST_FRACTION, TEST_FRACTION),
) -> tuple[LeakageDifference, ...]:
    """Compare the architectures that both experiments trained.

    Parameters
    ----------
    by_image, by_patient : ExperimentPredictions or Verdicts
        Of an experiment whose splits divide images, and of one whose splits divide patients.
    metric : Metric
    seed : int
        Of the draws of patients.
    resamples : int
    test_fractions : pair of float
        n_test / (n_train + n_test) of either.

    Raises
    ------
    EvaluationError
        Where they share no architecture, or differ in their classes.
    """
    check_resamples(resamples)
    for fraction in test_fractions:
        check_test_fraction(fraction)
    shared = _shared_architectures(by_image, by_patient)
    tallies = CaseTally.of(by_image), CaseTally.of(by_patient)
    patients = sorted({tally.scored.case_ids[case] for tally in tallies for case in tally.cases})
    weights = draw_weights(len(patients), resamples, seed=seed)
    place = {case_id: index for index, case_id in enumerate(patients)}
    sampled = []
    for tally in tallies:
        columns = [place[tally.scored.case_ids[case]] for case in tally.cases]
        sampled.append((metric_values(tally, metric, tally.even)[0], metric_values(tally, metric, weights[:, columns])))
    found = []
    for architecture in shared:
        runs = [_runs_of(tally.scored, architecture) for tally in tallies]
        observed = [values[places] for (values, _), places in zip(sampled, runs, strict=True)]
        drawn = [values[:, places] for (_, values), places in zip(sampled, runs, strict=True)]
        found.append(_difference(architecture, observed, drawn, len(patients), test_fractions))
    return tuple(found)


def _shared_architectures(by_image: Scored, by_patient: Scored) -> list[str]:
    if by_image.classes != by_patient.classes:
        raise EvaluationError(
            f"One experiment tells {', '.join(by_image.classes)} apart, the other {', '.join(by_patient.classes)}: "
            "they cannot be compared."
        )
    of_image, of_patient = ([run.architecture for run in one.runs] for one in (by_image, by_patient))
    shared = [name for name in dict.fromkeys(of_image) if name in of_patient]
    if not shared:
        raise EvaluationError(
            f"The experiments share no architecture with finished runs: one has {_listed(of_image)}, the other "
            f"{_listed(of_patient)}. Train one of them under both splits."
        )
    return shared


def _listed(architectures: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(architectures)) or "none"


def _runs_of(scored: Scored, architecture: str) -> list[int]:
    return [place for place, run in enumerate(scored.runs) if run.architecture == architecture]


def _difference(
    architecture: str,
    observed: Sequence[Values],
    drawn: Sequence[Values],
    patients: int,
    test_fractions: tuple[float, float],
) -> LeakageDifference:
    means = [float(mean_of_defined(values, axis=0)) for values in observed]
    difference = means[0] - means[1]
    under_draws = mean_of_defined(drawn[0], axis=1) - mean_of_defined(drawn[1], axis=1)
    lower, upper, note = sampled_interval(difference, under_draws, None, patients=patients)
    over_splits = compare_unpaired(*observed, test_fractions=test_fractions)
    notes = [note] if note else []
    if over_splits.note and not math.isnan(difference):
        notes.append(over_splits.note)
    return LeakageDifference(
        architecture=architecture,
        by_image=_or_none(means[0]),
        by_patient=_or_none(means[1]),
        repeats_by_image=int(np.count_nonzero(~np.isnan(observed[0]))),
        repeats_by_patient=int(np.count_nonzero(~np.isnan(observed[1]))),
        difference=_or_none(difference),
        lower=lower,
        upper=upper,
        lower_over_splits=over_splits.lower,
        upper_over_splits=over_splits.upper,
        notes=tuple(notes),
    )


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
