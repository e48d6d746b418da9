"""All tests of a comparison in one record, on ordinary and on degenerate accuracies."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time

import numpy as np
import pytest

from brainmri.errors import EvaluationError
from brainmri.evaluation.analysis import analyse
from brainmri.evaluation.comparison import compare
from brainmri.evaluation.repeats import Repeats
from tests.evaluation.published_data import PLANT_GROWTH

NAN = math.nan

DEGENERATE = {
    "one model": {"a": [0.9, 0.8]},
    "one repeat": {"a": [0.9], "b": [0.8]},
    "one repeat of one": {"a": [0.9, 0.8, 0.7], "b": [0.9]},
    "identical": {"a": [0.9, 0.9, 0.9], "b": [0.9, 0.9, 0.9]},
    "identical and varying": {"a": [0.9, 0.8, 0.7], "b": [0.9, 0.8, 0.7]},
    "no scatter": {"a": [0.9, 0.9], "b": [0.8, 0.8], "c": [0.7, 0.7]},
    "no scatter of one": {"a": [0.9, 0.9, 0.9], "b": [0.8, 0.85, 0.7]},
    "shifted": {"a": [0.9, 0.8, 0.7], "b": [0.8, 0.7, 0.6]},
    "unequal": {"a": [0.9, 0.8, 0.7], "b": [0.8, 0.75], "c": [0.6]},
    "missing": {"a": [0.9, NAN, 0.7, 0.8], "b": [0.8, 0.75, NAN, 0.7], "c": [NAN, NAN, NAN, NAN]},
    "nothing shared": {"a": [0.9, 0.8, NAN, NAN], "b": [NAN, NAN, 0.8, 0.7]},
    "all zero": {"a": [0.0, 0.0], "b": [0.0, 0.0]},
    "all right": {"a": [1.0, 1.0, 1.0], "b": [1.0, 1.0, 0.0]},
    "two repeats": {"a": [0.9, 0.8], "b": [0.85, 0.82]},
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_accuracies_never_crash_nor_give_what_json_cannot_hold(name: str) -> None:
    findings = analyse(DEGENERATE[name])
    record = findings.to_json()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["conclusions"]
    untested = [pair for pair in record["corrected_t"] if pair["p"] is None]
    assert not untested or findings.notes
    for pair in record["bayesian"]:
        chances = [pair[key] for key in ("p_a_better", "p_equivalent", "p_b_better")]
        assert chances == [None] * 3 or sum(chances) == pytest.approx(1)


def test_the_json_holds_the_published_comparison_and_the_new_blocks() -> None:
    record = analyse(PLANT_GROWTH).to_json()
    published = compare(PLANT_GROWTH).to_json()
    assert {key: record[key] for key in published} == published
    assert list(record["corrected_t"][0]) == ["a", "b", "difference", "lower", "upper", "p", "p_holm"]
    assert list(record["games_howell"][0]) == ["a", "b", "difference", "lower", "upper", "p"]
    assert list(record["welch"]) == ["F", "df_between", "df_within", "p"]
    assert list(record["kruskal"]) == ["statistic", "df", "p"]
    assert list(record["friedman"])[:3] == ["statistic", "df", "p"]
    assert list(record["repeated_measures"])[:4] == ["F", "df", "df_error", "p"]
    assert set(record["effect_sizes"]) >= {"eta_squared", "eta_squared_lower", "omega_squared", "hedges_g"}
    assert record["letters"]["tukey"] == {"trt2": "a", "ctrl": "ab", "trt1": "b"}
    assert set(record) >= {"dunn", "nemenyi", "bayesian", "assumptions", "conclusions"}


def test_differences_of_all_pairs_have_the_same_sign() -> None:
    record = analyse(PLANT_GROWTH).to_json()
    for tukey, corrected, howell, g in zip(
        record["tukey"], record["corrected_t"], record["games_howell"], record["effect_sizes"]["hedges_g"], strict=True
    ):
        assert tukey["difference"] == pytest.approx(corrected["difference"]) == pytest.approx(howell["difference"])
        assert math.copysign(1, g["g"]) == math.copysign(1, tukey["difference"])


def test_the_share_of_test_data_widens_corrected_intervals() -> None:
    widths = []
    for fraction in (0.1, 0.3, 0.5):
        pair = analyse(PLANT_GROWTH, test_fraction=fraction).corrected_t[0]
        widths.append(pair.upper - pair.lower)
    assert widths[1] / widths[0] == pytest.approx(math.sqrt((1 / 10 + 3 / 7) / (1 / 10 + 1 / 9)))
    assert widths[2] / widths[0] == pytest.approx(math.sqrt((1 / 10 + 1) / (1 / 10 + 1 / 9)))


@pytest.mark.parametrize(("scale", "equivalence"), [(1, 0.02), (100, 2.0)])
def test_the_region_of_equivalence_is_in_the_unit_of_the_accuracies(scale: float, equivalence: float) -> None:
    data = {"a": np.array([0.9, 0.8, 0.85]) * scale, "b": np.array([0.8, 0.85, 0.9]) * scale}
    assert analyse(data, equivalence_points=2).bayesian[0].equivalence == pytest.approx(equivalence)


def test_repeats_that_paired_tests_leave_out_are_named() -> None:
    data = {"a": [0.9, 0.8, 0.7, 0.75], "b": [0.85, 0.78, NAN, 0.7], "c": [0.8, NAN, 0.6, 0.7]}
    findings = analyse(Repeats.of(data, names=["1", "2", "3", "5"]))
    assert (findings.friedman.n, findings.repeated_measures.n) == (2, 2)
    assert [pair.n for pair in findings.corrected_t] == [3, 3, 2]
    assert any("use the 2 repeats that all models have and leave out repeats 2 and 3" in n for n in findings.notes)
    assert findings.comparison.descriptive[0].n == 4


def test_a_model_without_any_accuracy_leaves_the_others_alone() -> None:
    with_empty = analyse({"a": [0.9, 0.8, 0.7], "b": [0.7, 0.75, 0.72], "c": [NAN] * 3})
    without = analyse({"a": [0.9, 0.8, 0.7], "b": [0.7, 0.75, 0.72]})
    assert with_empty.corrected_t == without.corrected_t
    assert with_empty.friedman == without.friedman
    assert with_empty.welch == without.welch


@pytest.mark.parametrize("options", [{"test_fraction": 1.2}, {"equivalence_points": -1.0}])
def test_options_that_make_no_sense_are_refused(options: dict) -> None:
    with pytest.raises(EvaluationError, match="expected"):
        analyse({"a": [0.9, 0.8], "b": [0.8, 0.7]}, **options)


def test_three_models_over_ten_repeats_are_compared_in_half_a_second() -> None:
    """The fastest of several goes, each on numbers of its own: the machine may have other work."""
    seconds = []
    for seed in range(5):
        draw = np.random.default_rng(seed)
        data = {f"m{i}": draw.normal(0.9, 0.02, 10) for i in range(3)}
        started = time.perf_counter()
        analyse(data)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.5


def test_importing_loads_no_heavy_library() -> None:
    code = (
        "import sys\nimport brainmri.evaluation.analysis, brainmri.evaluation.simulation\n"
        "print([n for n in ('scipy', 'statsmodels', 'pandas', 'torch', 'sklearn', 'streamlit') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
