"""From predictions on the images of a case to one verdict on the case, by one of three rules. Arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import EvaluationError
from brainmri.evaluation.loading import ExperimentPredictions, Level, PredictedRun

VerdictRule = Literal["mean", "vote", "maximum"]

VERDICT_RULES: Final[dict[VerdictRule, str]] = {
    "mean": "A case's verdict is the class with the highest mean probability over its images in that run.",
    "vote": "A case's verdict is the class that most of its images in that run are taken for; the mean probability "
    "decides between equal votes.",
    "maximum": "A case's verdict is that of the one image in that run which the network is surest of; the mean "
    "probability decides between equally sure ones.",
}
"""Each rule in one sentence, for pages."""

VERDICT_RULE: Final = VERDICT_RULES["mean"]
"""The rule where nobody chooses."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Verdicts:
    """Predictions aggregated to cases: columns of one length V, ordered by run and case.

    Parameters
    ----------
    classes, runs, case_ids : tuple
        As in `ExperimentPredictions`.
    run, case, true_class, predicted_class : ndarray, shape (V,), int
        As in `ExperimentPredictions`.
    images : ndarray, shape (V,), int
        Test images of the case in the run.
    probabilities : ndarray, shape (V, K), float64
        What the rule weighs, 0 to 1 with the sum 1: the mean over the images, the share of the votes, or the
        probabilities of the surest image.
    rule : {'mean', 'vote', 'maximum'}
    """

    classes: tuple[str, ...]
    runs: tuple[PredictedRun, ...]
    case_ids: tuple[str, ...]
    run: NDArray[np.intp]
    case: NDArray[np.intp]
    true_class: NDArray[np.intp]
    predicted_class: NDArray[np.intp]
    images: NDArray[np.intp]
    probabilities: NDArray[np.floating[Any]]
    rule: VerdictRule = "mean"


Scored = ExperimentPredictions | Verdicts
"""What numbers are computed from: predictions on images, or verdicts on cases."""


def score(predictions: ExperimentPredictions, *, level: Level = "image", rule: VerdictRule = "mean") -> Scored:
    """Return what a level counts: the predictions themselves, or their verdicts on cases."""
    return predictions if level == "image" else verdicts_by_case(predictions, rule=rule)


def verdicts_by_case(predictions: ExperimentPredictions, *, rule: VerdictRule = "mean") -> Verdicts:
    """Aggregate predictions on images to one verdict for each run and case.

    Parameters
    ----------
    predictions : ExperimentPredictions
    rule : {'mean', 'vote', 'maximum'}
        See `VERDICT_RULES`.

    Raises
    ------
    EvaluationError
        Where the rule is another one.
    """
    if rule not in VERDICT_RULES:
        raise EvaluationError(f"There is no rule '{rule}' for verdicts. Choose {', '.join(get_args(VerdictRule))}.")
    cases = max(len(predictions.case_ids), 1)
    keys, first, member = np.unique(predictions.run * cases + predictions.case, return_index=True, return_inverse=True)
    images = np.bincount(member, minlength=keys.size).astype(np.intp)
    means = _sum_by(member, predictions.probabilities.astype(np.float64), keys.size) / images[:, None]
    weighed = means
    if rule == "vote":
        votes = np.eye(len(predictions.classes))[predictions.predicted_class]
        weighed = _sum_by(member, votes, keys.size) / images[:, None]
    elif rule == "maximum":
        weighed = _surest_image(predictions, member, means)
    return Verdicts(
        classes=predictions.classes,
        runs=predictions.runs,
        case_ids=predictions.case_ids,
        run=(keys // cases).astype(np.intp),
        case=(keys % cases).astype(np.intp),
        true_class=predictions.true_class[first],
        predicted_class=_largest(weighed, means),
        images=images,
        probabilities=weighed,
        rule=rule,
    )


def _sum_by(member: NDArray[np.intp], rows: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return the sums of the rows of each group, shape (size, K)."""
    columns = [np.bincount(member, weights=column, minlength=size) for column in rows.T]
    return np.stack(columns, axis=1) if columns else np.empty((size, 0))


def _surest_image(
    predictions: ExperimentPredictions, member: NDArray[np.intp], means: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return for each group the probabilities of its image with the highest one."""
    probabilities = predictions.probabilities.astype(np.float64)
    likeliest = probabilities.argmax(axis=1)
    image = np.arange(member.size)
    order = np.lexsort((-means[member, likeliest], -probabilities[image, likeliest], member))
    _, first = np.unique(member[order], return_index=True)
    surest: NDArray[np.float64] = probabilities[order[first]]
    return surest


def _largest(weighed: NDArray[np.float64], means: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the column with the largest weight of each row, and the larger mean where weights are equal."""
    if not weighed.size:
        return np.empty(0, dtype=np.intp)
    leading = weighed >= weighed.max(axis=1, keepdims=True) - np.finfo(np.float64).eps
    return np.where(leading, means, -1.0).argmax(axis=1).astype(np.intp)
