from __future__ import annotations

import pytest

from brainmri.errors import UsageError
from brainmri.training.presets import PRESETS, find_preset
from brainmri.training.settings import TrainingSettings


def test_the_published_protocol_splits_images_ten_times_for_the_three_networks():
    settings = find_preset("as-published").settings()
    assert (settings.split_by, settings.repeats, settings.mode) == ("image", 10, "full")
    assert settings.architectures == ("alexnet", "googlenet", "resnet50")
    assert settings.weights == "imagenet"


def test_the_first_protocol_is_the_default_one():
    first = next(iter(PRESETS.values()))
    assert first.name == "by-patient"
    assert first.settings() == TrainingSettings(preset="by-patient")
    assert first.settings().split_by == "patient"


def test_a_quick_look_trains_the_head_alone():
    assert find_preset("quick-look").settings().mode == "head"


def test_an_unknown_protocol_names_those_that_are_known():
    with pytest.raises(UsageError, match="known are by-patient, as-published, quick-look"):
        find_preset("by patient")
