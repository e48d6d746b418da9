"""One network in depth as rows of tables and sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean, median
from typing import Any

from brainmri.evaluation.bootstrap import Bootstrap
from brainmri.evaluation.confusion import ConfusionCell
from brainmri.evaluation.metric_text import format_metric, format_metric_range, name_metric
from brainmri.evaluation.metrics import Metric
from brainmri.evaluation.reading import FinishedRun
from brainmri.evaluation.referral import ReferralCurve
from brainmri.evaluation.subgroups import Subgroup
from brainmri.evaluation.temperature import EFFECT_METRICS, CalibratedRun
from brainmri.evaluation.wording import format_share
from brainmri.vocabulary import display_diagnosis


def metric_rows(bootstraps: Sequence[Bootstrap], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return one row for each metric of one architecture, with its interval over patients.

    Parameters
    ----------
    bootstraps : sequence of Bootstrap
        Each of one metric and of the runs of one architecture.
    classes : sequence of str
    """
    rows = []
    for one in bootstraps:
        (found,) = one.architectures
        rows.append(
            {
                "Metric": name_metric(one.metric, classes),
                "Mean": format_metric(found.value, one.metric),
                "95 % interval": format_metric_range(found.lower, found.upper, one.metric),
            }
        )
    return rows


def metric_notes(bootstraps: Sequence[Bootstrap], classes: Sequence[str]) -> tuple[str, ...]:
    """Say once for each reason why metrics of one architecture lack a value or an interval, or how far to trust it."""
    named: dict[str, list[str]] = {}
    for one in bootstraps:
        (found,) = one.architectures
        if found.note:
            named.setdefault(found.note, []).append(name_metric(one.metric, classes))
    return tuple(
        f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {note}" for note, names in named.items()
    )


def describe_cell(cell: ConfusionCell, *, counted: str) -> str:
    """Say what a cell of a confusion matrix holds.

    Parameters
    ----------
    cell : ConfusionCell
    counted : {'images', 'verdicts'}
        What is counted, all runs together.
    """
    true, predicted = display_diagnosis(cell.true), display_diagnosis(cell.predicted)
    what = f"{true} recognised" if cell.true == cell.predicted else f"{true} taken for {predicted}"
    if not cell.cases:
        return f"{what}: never."
    cases = "1 case" if len(cell.cases) == 1 else f"{len(cell.cases)} cases"
    return f"{what}: {cell.times} {counted} of {cases}, all runs together."


def cell_rows(cell: ConfusionCell) -> list[dict[str, Any]]:
    """Return one row for each case of a cell, the most frequent first."""
    return [
        {"Case": case.case_id, "Times": case.times, "Runs": len(case.run_ids), "Review": "Open"} for case in cell.cases
    ]


def largest_error(cells: dict[tuple[int, int], ConfusionCell]) -> tuple[int, int]:
    """Return the place (true, predicted) of the most frequent error; the first cell where there is none."""
    errors = {place: cell.times for place, cell in cells.items() if place[0] != place[1] and cell.times}
    return max(errors, key=lambda place: errors[place], default=(0, 0))


def calibration_rows(runs: Sequence[CalibratedRun]) -> list[dict[str, Any]]:
    """Return one row for each metric that temperature scaling changes: means over the runs before and after."""
    rows = []
    for name in EFFECT_METRICS:
        pairs = [(run.before[name], run.after[name]) for run in runs]
        known = [(before, after) for before, after in pairs if before is not None and after is not None]
        if known:
            before, after = (fmean(values) for values in zip(*known, strict=True))
            metric = Metric(name)
            rows.append(
                {
                    "Metric": name_metric(metric, ()),
                    "As it is": format_metric(before, metric),
                    "Scaled": format_metric(after, metric),
                }
            )
    return rows


def describe_temperatures(runs: Sequence[CalibratedRun]) -> str:
    """Say which temperatures were fitted and what they mean, and in how many runs one could not be, or means nothing.

    Parameters
    ----------
    runs : sequence of CalibratedRun
        Those whose temperature carries a note are told by it, and left out of the median.
    """
    values = sorted(run.temperature.value for run in runs if run.temperature.note is None)
    reasons = Counter(run.temperature.note for run in runs if run.temperature.note is not None)
    sentences = [_summarise_temperatures(values) if values else "No temperature was fitted."]
    sentences += [f"In {count} of {len(runs)} runs: {reason}" for reason, count in reasons.items()]
    return " ".join(sentences)


def _summarise_temperatures(values: Sequence[float]) -> str:
    middle = median(values)
    spread = (
        f"{values[0]:.2f}" if len(values) == 1 else f"median {middle:.2f}, from {values[0]:.2f} to {values[-1]:.2f}"
    )
    if round(middle, 2) == 1:
        return f"Temperature: {spread}; about 1, on the images set aside the network is about as sure as it is right."
    if middle > 1:
        return f"Temperature: {spread}; above 1, on the images set aside the network is too sure of itself."
    return f"Temperature: {spread}; below 1, on the images set aside the network is not sure enough."


def describe_referral(curve: ReferralCurve, share: float, *, counted: str) -> str:
    """Read the accuracy on the rest off a referral curve.

    Parameters
    ----------
    curve : ReferralCurve
    share : float
        Of cases (or images) that go to a human, from 0 to below 1.
    counted : {'images', 'cases'}
    """
    mean = curve.mean
    if mean is None:
        return "No run has tested anything."
    place = int(abs(curve.referred - share).argmin())
    if place == 0:
        text = f"Without referral the network is right on {format_share(float(mean[0]))} of the {counted}."
    else:
        text = _read_off(curve.referred[place], float(mean[place]), float(mean[0]), counted)
    needed = curve.share_to_refer(0.95)
    if needed is None:
        return f"{text} No share reaches 95 %."
    if needed == 0:
        return text
    return f"{text} For 95 % it would refer {format_share(needed, digits=0)}."


def describe_times(runs: Sequence[FinishedRun]) -> str:
    """Say how long the runs of one network took."""
    seconds = [run.seconds for run in runs if run.seconds is not None]
    speeds = [run.images_per_second for run in runs if run.images_per_second is not None]
    if not seconds:
        return "How long the runs took is not stored."
    count = "1 run" if len(seconds) == 1 else f"{len(seconds)} runs"
    time = f"{count}, {_time(fmean(seconds))} each on average ({_time(min(seconds))} to {_time(max(seconds))})"
    speed = f", {fmean(speeds):,.0f} training images a second" if speeds else ""
    devices = sorted({run.device for run in runs if run.device})
    return f"Training and testing: {time}{speed}{' on ' + ', '.join(devices) if devices else ''}."


def subgroup_rows(rows: Sequence[Subgroup]) -> list[dict[str, Any]]:
    """Return one row for each subgroup of one architecture."""
    return [
        {
            "Attribute": row.attribute,
            "Group": row.group,
            "Cases": row.cases,
            "Accuracy": format_share(row.accuracy.share),
            "95 % interval": format_metric_range(row.accuracy.lower, row.accuracy.upper, Metric("accuracy")),
            "Note": row.note,
        }
        for row in rows
    ]


def _read_off(referred: float, accuracy: float, plain: float, counted: str) -> str:
    return (
        f"With the {format_share(float(referred), digits=0)} of the {counted} that it is least sure of referred to a "
        f"human, the network is right on {format_share(accuracy)} of the rest; without referral on "
        f"{format_share(plain)}."
    )


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
