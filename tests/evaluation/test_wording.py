"""Numbers and findings in words."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from brainmri.evaluation.comparison import Anova, TukeyPair, compare
from brainmri.evaluation.metric_text import describe_spread
from brainmri.evaluation.metrics import Metric
from brainmri.evaluation.reading import read_experiment
from brainmri.evaluation.wording import (
    describe_anova,
    describe_experiment,
    describe_missing,
    explain_anova,
    explain_pair,
    format_p,
    format_points,
    format_share,
    list_words,
    name_architectures,
)
from brainmri.study import Study


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (1e-12, "p < 0.001"),
        (0.00099, "p < 0.001"),
        (0.001, "p = 0.001"),
        (0.0123, "p = 0.012"),
        (1.0, "p > 0.999"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_p_is_written_as_papers_print_it(p: float | None, text: str) -> None:
    assert format_p(p) == text


def test_shares_and_points_have_units_signs_and_dashes() -> None:
    assert (format_share(0.9615), format_share(math.nan), format_share(1.0, digits=0)) == ("96.2 %", "–", "100 %")
    assert (format_points(0.037), format_points(-0.004), format_points(None)) == ("+3.7", "−0.4", "–")


def test_words_are_listed_as_people_do() -> None:
    assert [list_words(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_the_anova_is_reported_with_its_degrees_of_freedom() -> None:
    clear = Anova(f=56.18, df_between=2, df_within=27, p=1e-9)
    assert describe_anova(clear) == "F(2, 27) = 56.18, p < 0.001"
    assert "differ by more than" in explain_anova(clear)
    assert "no more than" in explain_anova(replace(clear, p=0.2))
    assert explain_anova(replace(clear, f=None, p=None)) is None


def test_a_pair_names_the_better_network() -> None:
    pair = TukeyPair(a="alexnet", b="resnet50", difference=-0.02, lower=-0.03, upper=-0.01, p=0.001)
    assert explain_pair(pair) == "ResNet50 higher"
    assert explain_pair(replace(pair, difference=0.02, lower=0.01, upper=0.03)) == "AlexNet higher"
    assert explain_pair(replace(pair, upper=0.01)) == "No clear difference"


def test_the_spread_is_told_where_there_is_one() -> None:
    several, one = compare({"a": [0.9, 0.92, 0.94], "b": [0.8]}).descriptive
    assert describe_spread(several, Metric("accuracy")) == "IQR 91.0–93.0 %, 3 repeats"
    assert describe_spread(one, Metric("accuracy")) == "1 repeat"


def test_an_experiment_is_described_in_plain_words(study: Study, make_experiment: Callable[..., str]) -> None:
    make_experiment(repeats=2)
    experiment = read_experiment(study, "exp-001")
    assert describe_experiment(experiment) == (
        "AlexNet, GoogLeNet and ResNet50, trained twice each on random 7:3 splits of patients, starting from "
        "published ImageNet weights. Glioblastoma, PCNSL and meningioma: 36 images of 12 cases, 64 × 64 pixels."
    )
    single = replace(experiment, settings=replace(experiment.settings, repeats=1, split_by="image", weights="scratch"))
    assert "trained once on a random 7:3 split of images, starting from random weights" in describe_experiment(single)
    odd = replace(experiment, settings=replace(experiment.settings, test_fraction=0.333))
    assert "random 66.7:33.3 splits" in describe_experiment(odd)
    assert describe_missing(experiment) is None
    assert describe_missing(replace(experiment, finished=4)).startswith("4 of 6 runs have finished")


def test_notes_name_architectures_as_people_do() -> None:
    note = "Numbers of repeats differ (alexnet 3, resnet50 2)."
    assert name_architectures(note) == "Numbers of repeats differ (AlexNet 3, ResNet50 2)."
