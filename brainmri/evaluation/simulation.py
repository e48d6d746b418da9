"""How often tests claim a difference between models that are equally good, on overlapping random splits.

A study is a data set of cases. Every repeat draws a random split of it that all models share, as the training of this
package does. Model m, trained for repeat r, answers test case i correctly where

    μ + c(i) + d(m, i) + g(m, r) + e(m, r, i) > 0

with independent normal parts:

- c(i), how easy the case is for every model;
- d(m, i), how the architecture takes to the case, whatever it was trained on;
- g(m, r), what the training set makes of the whole model: the mean over its cases of a pull that each has on m, so
  that two training sets resemble one another by as much as they share;
- e(m, r, i), what is left to chance: the seed of the run and all else.

The models are equally good: all parts have the same distributions for each, so that their accuracies over the
population of cases and training sets are the same. The repeats of one study still share cases, in the test sets
through c and d and in the training sets through g: that correlates their differences, which the plain tests take for
independent. How strongly, is printed beside the table (Nadeau and Bengio's correction takes it for the share of test
data).

Every setting has its reason at `TypeOneSettings`; none is fitted to what the tests then claim. Others move the figures
and not their order (3,000 studies each): without any pull of the training set, one-way ANOVA claims a difference in 9 %
of the studies and the corrected test in 0.1 %; with twice the pull, they do in 49 % and 6 %.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import EvaluationError
from brainmri.evaluation.claims import CLAIMS, claim_differences
from brainmri.evaluation.intervals import wilson_interval
from brainmri.evaluation.resampled import TEST_FRACTION, check_test_fraction

_CHUNK: Final = 500
"""Studies that are drawn at once: some 50 MB."""


@dataclass(frozen=True, kw_only=True)
class TypeOneSettings:
    """Settings of the simulated studies.

    Parameters
    ----------
    studies : int
    repeats : int
        Random splits of a study, 2 or more.
    seed : int
    models : int
        The published study compared three.
    cases : int
        The published study's 114 glioblastomas, 50 PCNSL and 124 meningiomas.
    test_fraction : float
        The published study's 7:3.
    accuracy : float
        Of every model over the population; the middle of the published medians.
    of_case, of_architecture, of_run : float
        Variances of c, d and e, adding up to 1. With the defaults one architecture trained twice answers 5.8 % of the
        cases differently, and two architectures 8 %: networks err on much the same images (Geirhos R, Meding K,
        Wichmann FA. NeurIPS 2020, arXiv:2006.16736).
    pull_of_case : float
        Standard deviation of a training case's pull. With as much as that of c + d + e, training sets move the
        accuracy by a standard deviation of 0.9 percentage points.
    """

    studies: int = 5000
    repeats: int = 10
    seed: int = 0
    models: int = 3
    cases: int = 288
    test_fraction: float = TEST_FRACTION
    accuracy: float = 0.93
    of_case: float = 0.7
    of_architecture: float = 0.15
    of_run: float = 0.15
    pull_of_case: float = 1.0


@dataclass(frozen=True, kw_only=True)
class ClaimRate:
    """How often one test claimed a difference.

    Parameters
    ----------
    test : str
        Key of `CLAIMS`.
    claims : int
        Studies in which it claimed one.
    share, lower, upper : float
        Of all studies, with Wilson's 95 % interval for the number of simulated studies.
    """

    test: str
    claims: int
    share: float
    lower: float
    upper: float

    @property
    def label(self) -> str:
        """What the test is called."""
        return CLAIMS[self.test]


@dataclass(frozen=True, kw_only=True)
class TypeOneSimulation:
    """What a simulation found.

    Parameters
    ----------
    settings : TypeOneSettings
    rates : tuple of ClaimRate
    mean_accuracy : float
    sd_between_repeats : float
        Of one model's accuracies within a study, root of the mean variance.
    correlation : float
        Of the differences of two models on two splits of one study.
    """

    settings: TypeOneSettings
    rates: tuple[ClaimRate, ...]
    mean_accuracy: float
    sd_between_repeats: float
    correlation: float

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON can hold it."""
        return {
            "settings": asdict(self.settings),
            "mean_accuracy": self.mean_accuracy,
            "sd_between_repeats": self.sd_between_repeats,
            "correlation": self.correlation,
            "tests": [{**asdict(rate), "label": rate.label} for rate in self.rates],
        }


def simulate_type_one(settings: TypeOneSettings) -> TypeOneSimulation:
    """Draw studies of equally good models and count how often each test claims a difference at 5 %.

    Raises
    ------
    EvaluationError
        Where a setting makes no sense.
    """
    _check(settings)
    draw = np.random.default_rng(settings.seed)
    sizes = [min(_CHUNK, settings.studies - start) for start in range(0, settings.studies, _CHUNK)]
    studies = np.concatenate([draw_studies(settings, size, draw) for size in sizes])
    claimed = claim_differences(studies, test_fraction=settings.test_fraction)
    rates = []
    for test, found in claimed.items():
        claims = int(found.sum())
        lower, upper = wilson_interval(claims, settings.studies)
        rates.append(ClaimRate(test=test, claims=claims, share=claims / settings.studies, lower=lower, upper=upper))
    return TypeOneSimulation(
        settings=settings,
        rates=tuple(rates),
        mean_accuracy=float(studies.mean()),
        sd_between_repeats=float(np.sqrt(studies.var(axis=1, ddof=1).mean())),
        correlation=_correlation(studies),
    )


def draw_studies(settings: TypeOneSettings, studies: int, draw: np.random.Generator) -> NDArray[np.float64]:
    """Return accuracies of simulated studies, shape (studies, repeats, models), shares from 0 to 1."""
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    cases, repeats, models = settings.cases, settings.repeats, settings.models
    tested = _test_count(settings)
    trained = cases - tested
    # (studies, repeats, tested): the cases that each split tests on
    order = np.argpartition(draw.random((studies, repeats, cases), dtype=np.float32), tested - 1, axis=-1)
    test = order[..., :tested]
    variance = settings.of_case + settings.of_architecture + settings.of_run + settings.pull_of_case**2 / trained
    mean = float(special.ndtri(settings.accuracy)) * np.sqrt(variance)
    of_case = np.sqrt(settings.of_case) * draw.standard_normal((studies, cases))
    accuracies = np.empty((studies, repeats, models))
    for model in range(models):
        affinity = of_case + np.sqrt(settings.of_architecture) * draw.standard_normal((studies, cases))
        pulls = settings.pull_of_case * draw.standard_normal((studies, cases))
        shift = (pulls.sum(axis=1, keepdims=True) - _of_test_cases(pulls, test).sum(axis=-1)) / trained
        latent = mean + _of_test_cases(affinity, test) + shift[..., None]  # (studies, repeats, tested)
        latent += np.sqrt(settings.of_run) * draw.standard_normal(latent.shape)
        accuracies[..., model] = (latent > 0).mean(axis=-1)
    return accuracies


def _of_test_cases(values: NDArray[np.float64], test: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the values (studies, cases) of each split's test cases, shape (studies, repeats, tested)."""
    taken: NDArray[np.float64] = np.take_along_axis(values[:, None, :], test, axis=-1)
    return taken


def _test_count(settings: TypeOneSettings) -> int:
    return round(settings.test_fraction * settings.cases)


def _correlation(studies: NDArray[np.float64]) -> float:
    """Return the correlation of a difference on two splits; over studies its mean is zero."""
    differences = studies[..., :-1] - studies[..., 1:]
    repeats = differences.shape[1]
    squares = float(np.square(differences).mean())
    products = float(np.square(differences.sum(axis=1)).mean()) - repeats * squares
    return products / (repeats * (repeats - 1) * squares)


def _check(settings: TypeOneSettings) -> None:
    check_test_fraction(settings.test_fraction)
    for name, least in (("studies", 1), ("repeats", 2), ("models", 2)):
        if getattr(settings, name) < least:
            raise EvaluationError(f"'{name}' is {getattr(settings, name)}; expected {least} or more.")
    if not 0 < _test_count(settings) < settings.cases:
        raise EvaluationError(
            f"{settings.cases} cases cannot be split with a share of {settings.test_fraction:g} for testing; expected "
            "one case or more on either side."
        )
