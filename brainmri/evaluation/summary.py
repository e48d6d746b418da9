"""The comparison of the finished runs of an experiment as rows of tables."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from brainmri.evaluation.comparison import Comparison, Descriptive, TukeyPair
from brainmri.evaluation.metric_text import (
    format_metric_difference,
    format_metric_range,
    name_metric,
    scale_of,
)
from brainmri.evaluation.metrics import Metric
from brainmri.evaluation.reading import FinishedRun
from brainmri.evaluation.wording import format_p
from brainmri.training.architecture_names import display_architecture

OPEN: Final = "Open"
"""Label of the button at the end of a row."""


def descriptive_rows(comparison: Comparison, letters: Mapping[str, str], metric: Metric) -> list[dict[str, Any]]:
    """Return the descriptive table with compact letters of Tukey's test (by model); shares in per cent."""
    return [_descriptive_row(row, letters.get(row.model), metric) for row in comparison.descriptive]


def tukey_rows(comparison: Comparison, metric: Metric) -> list[dict[str, Any]]:
    """Return the table of Tukey's pairs; differences of shares in percentage points."""
    return [_tukey_row(pair, metric) for pair in comparison.tukey]


def run_rows(runs: Sequence[FinishedRun], metric: Metric, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return one row for each finished run; ``accuracy`` is the value of the metric, shares in per cent."""
    return [
        {
            "Network": display_architecture(run.architecture),
            "Repeat": run.repeat,
            name_metric(metric, classes): _written(run.accuracy, metric),
            "Images/s": run.images_per_second,
            "Time": run.seconds,
            "Device": run.device,
            "Split seed": run.split_seed,
            "Run": run.run_id,
            "Review": OPEN,
        }
        for run in runs
    ]


def runs_csv(runs: Sequence[FinishedRun], metric: Metric) -> str:
    """Return values of a metric as a table in full precision; that of accuracies is what ``compare`` reads."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("model", "repeat", metric.name, "run_id", "split_seed"))
    for run in runs:
        value = "" if math.isnan(run.accuracy) else repr(run.accuracy)
        writer.writerow((run.architecture, run.repeat, value, run.run_id, run.split_seed))
    return stream.getvalue()


def _descriptive_row(row: Descriptive, letters: str | None, metric: Metric) -> dict[str, Any]:
    return {
        "Network": display_architecture(row.model),
        "n": row.n,
        "Median": _written(row.median, metric),
        "IQR": format_metric_range(row.q1, row.q3, metric),
        "Mean": _written(row.mean, metric),
        "SD": _written(row.sd, metric),
        "Range": format_metric_range(row.minimum, row.maximum, metric),
        **({"Letters": letters} if letters else {}),
    }


def _tukey_row(pair: TukeyPair, metric: Metric) -> dict[str, Any]:
    ends = [format_metric_difference(end, metric) for end in (pair.lower, pair.upper)]
    return {
        "Pair": f"{display_architecture(pair.a)} − {display_architecture(pair.b)}",
        "Difference": _written(pair.difference, metric),
        "95 % interval": "–" if pair.lower is None else " to ".join(ends),
        "p": format_p(pair.p).removeprefix("p ").removeprefix("= "),
    }


def _written(value: float | None, metric: Metric) -> float | None:
    return None if value is None or math.isnan(value) else scale_of(metric) * value
