"""Networks in two experiments, in words and as rows of a table: under both kinds of split, or before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from brainmri.evaluation.experiments_compared import ExperimentPair
from brainmri.evaluation.leakage import LeakageDifference
from brainmri.evaluation.measure import measure_of
from brainmri.evaluation.metric_text import format_metric_difference, scale_of
from brainmri.evaluation.metrics import Metric
from brainmri.evaluation.wording import format_p, list_words, name_architectures
from brainmri.training.architecture_names import display_architecture
from brainmri.training.settings import TrainingSettings

BY_IMAGE: Final = "Split of images"
BY_PATIENT: Final = "Split of patients"
OVER_PATIENTS: Final = "95 % over patients"
OVER_REPEATS: Final = "95 % over repeats"

WHY_IT_LEAKS: Final = (
    "Neighbouring slices of one tumour look alike. Where a split divides images, slices of most patients are trained "
    "on and tested on, and a network can answer by remembering the patient. Where it divides patients, every tested "
    "patient is new. The difference is what memory is worth."
)

HOW_SURE: Final = (
    "95 % over patients: other patients of the same kind, the networks as they are trained. 95 % over repeats: other "
    "splits, allowing for their overlap; it does not know that both experiments share patients, and tends to be wider."
)

_NO_MATTER: Final = ("architectures", "split_by", "preset", "device", "processes", "checkpoint_dtype", "deterministic")
_NO_MATTER_EITHER: Final = ("compiled", "keep_checkpoints", "repeats", "seed")
"""Settings that may differ between the experiments that are compared."""


@dataclass(frozen=True, kw_only=True)
class NamedInterval:
    """A 95 % interval of a difference, and what it is over; None where there is none."""

    name: str
    lower: float | None
    upper: float | None

    @property
    def is_clear(self) -> bool:
        """Whether it leaves out zero."""
        return self.lower is not None and self.upper is not None and (self.lower > 0 or self.upper < 0)


@dataclass(frozen=True, kw_only=True)
class ComparedNetwork:
    """One network in both experiments.

    Parameters
    ----------
    architecture : str
    first, second : float or None
        Means over the repeats.
    repeats_first, repeats_second : int
    difference : float or None
        First − second.
    intervals : tuple of NamedInterval
    p : float or None
        Adjusted for the number of networks, where there was a test.
    note : str or None
    """

    architecture: str
    first: float | None
    second: float | None
    repeats_first: int
    repeats_second: int
    difference: float | None
    intervals: tuple[NamedInterval, ...]
    p: float | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """Two experiments, by the networks that both trained; ``first`` and ``second`` say how pages call them."""

    first: str
    second: str
    networks: tuple[ComparedNetwork, ...]


def under_both_splits(differences: Sequence[LeakageDifference]) -> SideBySide:
    """Return networks under a split of images and one of patients."""
    networks = [
        ComparedNetwork(
            architecture=one.architecture,
            first=one.by_image,
            second=one.by_patient,
            repeats_first=one.repeats_by_image,
            repeats_second=one.repeats_by_patient,
            difference=one.difference,
            intervals=(
                NamedInterval(name=OVER_PATIENTS, lower=one.lower, upper=one.upper),
                NamedInterval(name=OVER_REPEATS, lower=one.lower_over_splits, upper=one.upper_over_splits),
            ),
            note=" ".join(one.notes) or None,
        )
        for one in differences
    ]
    return SideBySide(first=BY_IMAGE, second=BY_PATIENT, networks=tuple(networks))


def of_two_experiments(pair: ExperimentPair) -> SideBySide:
    """Return the networks of two experiments of one kind."""
    networks = [
        ComparedNetwork(
            architecture=one.architecture,
            first=one.mean_a,
            second=one.mean_b,
            repeats_first=one.n_a,
            repeats_second=one.n_b,
            difference=one.difference,
            intervals=(NamedInterval(name=OVER_REPEATS, lower=one.lower, upper=one.upper),),
            p=one.p_holm,
            note=None if one.note is None else name_architectures(one.note),
        )
        for one in pair.differences
    ]
    return SideBySide(first=pair.a, second=pair.b, networks=tuple(networks))


def side_by_side_rows(compared: SideBySide, metric: Metric) -> list[dict[str, Any]]:
    """Return one row for each network; shares in per cent, their differences in percentage points."""
    rows = []
    for one in compared.networks:
        row: dict[str, Any] = {
            "Network": display_architecture(one.architecture),
            compared.first: _written(one.first, metric),
            compared.second: _written(one.second, metric),
            "Difference": _written(one.difference, metric),
        }
        row |= {interval.name: describe_interval(interval, metric) for interval in one.intervals}
        if any(network.p is not None for network in compared.networks):
            row["p, Holm"] = format_p(one.p).removeprefix("p ").removeprefix("= ")
        rows.append(row | {"Repeats": f"{one.repeats_first} and {one.repeats_second}"})
    return rows


def describe_interval(interval: NamedInterval, metric: Metric) -> str:
    """Return ``−1.2 to +3.4``; a dash for none."""
    if interval.lower is None:
        return "–"
    return " to ".join(format_metric_difference(end, metric) for end in (interval.lower, interval.upper))


def describe_leakage(compared: SideBySide, metric: Metric) -> str:
    """Say in a sentence or two how much better networks seem where images are divided."""
    known = [one for one in compared.networks if one.difference is not None]
    if not known:
        return "No network has this metric under both splits: there is no difference to take."
    measure = measure_of(metric)
    gains = [measure.describe_signed(scale_of(metric) * (one.difference or 0.0)) for one in known]
    unit = " percentage points" if measure.shares else f" {measure.unit}".rstrip()
    listed = list_words(
        [f"{display_architecture(one.architecture)} {gain}" for one, gain in zip(known, gains, strict=True)]
    )
    sign = 1 if metric.higher_is_better else -1
    better = [one for one in known if one.intervals[0].is_clear and sign * (one.difference or 0.0) > 0]
    worse = [one for one in known if one.intervals[0].is_clear and sign * (one.difference or 0.0) < 0]
    if better:
        whose = "Each" if len(better) == len(known) > 1 else _names(better)
        verdict = f"{whose} {'seem' if 1 < len(better) < len(known) else 'seems'} better than on new patients"
        unsure = len(better[0].intervals) > 1 and not all(one.intervals[1].is_clear for one in better)
        verdict += ", though other splits could have shown otherwise." if unsure else "."
    elif worse:
        verdict = f"{_names(worse)} {'is' if len(worse) == 1 else 'are'} not better but worse: look for another cause."
    else:
        verdict = "No difference is clear: with other patients it could have been none."
    return f"Split of images against split of patients: {listed}{unit}. {verdict}"


def describe_other_settings(first: TrainingSettings, second: TrainingSettings) -> str | None:
    """Say in which further settings two experiments differ, so that these explain part of a difference; or None."""
    ignored = (*_NO_MATTER, *_NO_MATTER_EITHER)
    differing = [
        f"{field.name.replace('_', ' ')} ({getattr(first, field.name)} and {getattr(second, field.name)})"
        for field in fields(TrainingSettings)
        if field.name not in ignored and getattr(first, field.name) != getattr(second, field.name)
    ]
    if not differing:
        return None
    return f"They also differ in {list_words(differing)}, which may explain part of the difference."


def _names(networks: Sequence[ComparedNetwork]) -> str:
    return list_words([display_architecture(one.architecture) for one in networks])


def _written(value: float | None, metric: Metric) -> float | None:
    return None if value is None else scale_of(metric) * value
