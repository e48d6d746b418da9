"""Numbers and findings in words, as pages and figures write them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from brainmri.evaluation.comparison import Anova, TukeyPair
from brainmri.evaluation.reading import EvaluatedExperiment
from brainmri.training.architecture_names import display_architecture
from brainmri.training.monitor import ExperimentSummary
from brainmri.vocabulary import display_diagnosis

SIGNIFICANCE: Final = 0.05

OVERLAP_CAVEAT: Final = (
    "Read these tests with care: they take the repeats for independent samples, but random splits of one data set "
    "overlap, so that they report a difference in a quarter to a third of studies in which there is none."
)
"""Why the plain tests are too eager; of 5,000 simulated studies of three equally good networks over ten overlapping 7:3
splits, ANOVA and Tukey found a difference in 25 %, repeated-measures ANOVA in 36 % (`brainmri simulate-type1`)."""

IMAGE_SPLIT_CAVEAT: Final = (
    "The split divided images: slices of one patient were trained on and tested on, so these accuracies measure memory "
    "as well as skill."
)


def format_share(share: float | None, *, digits: int = 1) -> str:
    """Return a share from 0 to 1 in per cent, ``96.2 %``; a dash for none."""
    if share is None or not math.isfinite(share):
        return "–"
    return f"{100 * share:.{digits}f} %"


def format_points(difference: float | None) -> str:
    """Return a difference of shares in percentage points with its sign, ``+3.7``; a dash for none."""
    if difference is None or not math.isfinite(difference):
        return "–"
    return f"{100 * difference:+.1f}".replace("-", "−")


def format_p(p: float | None) -> str:
    """Return a p-value as papers print it: ``p < 0.001``, ``p = 0.012``, ``p > 0.999``; a dash for none."""
    if p is None or not math.isfinite(p):
        return "–"
    if p < 0.001:
        return "p < 0.001"
    return "p > 0.999" if p > 0.9995 else f"p = {p:.3f}"


def list_words(words: Sequence[str]) -> str:
    """Return ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def describe_experiment(experiment: EvaluatedExperiment) -> str:
    """Say in plain words what was compared."""
    settings = experiment.settings
    names = list_words([display_architecture(name) for name in settings.architectures])
    parts = _proportion(settings.test_fraction)
    unit = "patients" if settings.split_by == "patient" else "images"
    times = {1: "once", 2: "twice each"}.get(settings.repeats, f"{settings.repeats} times each")
    splits = f"a random {parts} split" if settings.repeats == 1 else f"random {parts} splits"
    classes = list_words([display_diagnosis(name) if i == 0 else name for i, name in enumerate(experiment.classes)])
    start = {"imagenet": "published ImageNet weights", "scratch": "random weights"}.get(
        settings.weights, f"weights from {settings.weights}"
    )
    amount = f"{experiment.images:,} images of {experiment.cases:,} cases"
    return (
        f"{names}, trained {times} on {splits} of {unit}, starting from {start}. "
        f"{classes}: {amount}, {experiment.size_px} × {experiment.size_px} pixels."
    )


def label_experiment(experiment: ExperimentSummary) -> str:
    """Return ``exp-001 · split of patients · 30 runs`` for a list to choose from."""
    unit = "images" if experiment.settings.get("split_by") == "image" else "patients"
    runs = (
        f"{experiment.total} runs"
        if experiment.finished == experiment.total
        else (f"{experiment.finished} of {experiment.total} runs")
    )
    return f"{experiment.experiment_id} · split of {unit} · {runs}"


def describe_missing(experiment: EvaluatedExperiment) -> str | None:
    """Say that runs are missing from the results, or return None."""
    if experiment.finished == experiment.total:
        return None
    return f"{experiment.finished} of {experiment.total} runs have finished; the numbers below are of these."


def describe_anova(anova: Anova) -> str:
    """Return ``F(2, 27) = 56.18, p < 0.001``."""
    if anova.f is None:
        return "F –"
    return f"F({anova.df_between}, {anova.df_within}) = {anova.f:.2f}, {format_p(anova.p)}"


def explain_anova(anova: Anova) -> str | None:
    """Say what the analysis of variance found, or None where it could not be computed."""
    if anova.p is None:
        return None
    if anova.p < SIGNIFICANCE:
        return "The networks' means differ by more than the scatter between repeats explains."
    return "The networks' means differ by no more than the scatter between repeats explains."


def name_architectures(note: str) -> str:
    """Return a note of a comparison with the architectures' names as people write them."""
    return re.sub(r"\w+", lambda word: display_architecture(word.group()), note)


def explain_pair(pair: TukeyPair) -> str:
    """Say what Tukey's test says of two networks, in a sentence for a table or a hover."""
    a, b = display_architecture(pair.a), display_architecture(pair.b)
    if pair.p is None:
        return "Not tested"
    if not pair.is_clear:
        return "No clear difference"
    return f"{a} higher" if pair.difference > 0 else f"{b} higher"


def format_range(low: float | None, high: float | None) -> str:
    """Return two shares as ``92.2–93.4 %``; a dash for none."""
    if low is None or high is None:
        return "–"
    return f"{format_share(low).removesuffix(' %')}–{format_share(high)}"


def _proportion(test_fraction: float) -> str:
    """Return ``7:3`` for 0.3."""
    test = Fraction(test_fraction).limit_denominator(20)
    if abs(float(test) - test_fraction) > 1e-6:
        return f"{100 * (1 - test_fraction):.1f}:{100 * test_fraction:.1f}"
    return f"{test.denominator - test.numerator}:{test.numerator}"
