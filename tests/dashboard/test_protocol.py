from dataclasses import replace

import pytest

from brainmri.commands.parser import make_parser
from brainmri.commands.training import _settings
from brainmri.dashboard.protocol import Protocol, expect_time, expected_bytes, expected_seconds
from brainmri.study import Study
from brainmri.training.machine_speeds import store_speeds
from brainmri.training.presets import PRESETS
from brainmri.training.settings import TrainingSettings


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_an_unchanged_protocol_is_that_of_the_command_line(preset) -> None:
    options = make_parser().parse_args(Protocol(settings=preset.settings(), size_px=224).to_arguments())
    assert _settings(options) == preset.settings()
    assert (options.size, options.queue) == (224, True)


def test_every_choice_reaches_the_command_line() -> None:
    settings = TrainingSettings(
        preset="quick-look",
        architectures=("alexnet", "densenet121"),
        repeats=2,
        split_by="image",
        test_fraction=0.25,
        epochs=5,
        batch_size=8,
        learning_rate=0.01,
        momentum=0.5,
        weight_decay=0.001,
        weights="/weights/one file.pth",
        augmentation=0.5,
        device="cpu",
        processes=1,
        checkpoint_dtype="float16",
        seed=7,
        mode="partial",
        trained_blocks=2,
        cached_views=3,
        class_weighting="balanced",
        head_rate_factor=5.0,
        schedule="step",
        validation_fraction=0.2,
        patience=4,
        deterministic=True,
        compiled=True,
        keep_checkpoints="best",
    )
    options = make_parser().parse_args(Protocol(settings=settings, size_px=64).to_arguments())
    assert options.size == 64
    assert _settings(options) == settings


def test_the_expectation_sums_the_networks_over_processes() -> None:
    settings = TrainingSettings(architectures=("alexnet", "resnet50"), repeats=2, epochs=10, processes=2)
    protocol = Protocol(settings=settings, size_px=224)
    # 100 images × 0.7 × 10 epochs × 2 repeats = 1400 images each: 14 s at 100/s and 28 s at 50/s, on two processes.
    seconds = expected_seconds(protocol, {"alexnet": 100.0, "resnet50": 50.0}, images=100)
    assert seconds == pytest.approx(21.0)
    half = Protocol(settings=replace(settings, validation_fraction=0.5), size_px=224)
    assert expected_seconds(half, {"alexnet": 100.0, "resnet50": 50.0}, images=100) == pytest.approx(10.5)


def test_without_a_measurement_of_every_network_nothing_is_expected() -> None:
    protocol = Protocol(settings=TrainingSettings(), size_px=224)
    assert expected_seconds(protocol, {"alexnet": 100.0}, images=100) is None


def test_the_networks_of_all_repeats_take_disk_or_only_the_best_ones() -> None:
    settings = TrainingSettings(architectures=("googlenet",), repeats=10)
    assert expected_bytes(settings) == 10 * 5_602_979 * 4
    assert expected_bytes(replace(settings, keep_checkpoints="best", checkpoint_dtype="float16")) == 5_602_979 * 2


def test_a_measurement_of_this_machine_tells_the_time_until_runs_do(study: Study) -> None:
    settings = TrainingSettings(architectures=("alexnet",), repeats=1, epochs=10, processes=1, batch_size=8)
    protocol = Protocol(settings=settings, size_px=64)
    assert expect_time(study, protocol, images=100) is None
    store_speeds(study, {"alexnet": 50.0}, size_px=64, device="cpu", processes=1)
    store_speeds(study, {"alexnet": 70.0}, size_px=64, device="cpu", processes=1)
    expected = expect_time(study, protocol, images=100)
    assert (expected.seconds, expected.is_limit) == (pytest.approx(10.0), False)  # 700 images at 70 a second
    assert "short measurement" in expected.source
    assert expect_time(study, replace(protocol, size_px=96), images=100) is None
    head = replace(protocol, settings=replace(settings, mode="head"))
    assert expect_time(study, head, images=100).is_limit


def test_a_measurement_takes_the_networks_and_sizes_of_the_form() -> None:
    settings = TrainingSettings(architectures=("alexnet", "resnet50"), batch_size=8, device="cpu", processes=2)
    options = make_parser().parse_args(Protocol(settings=settings, size_px=64).measure_arguments())
    assert options.architectures == ["alexnet", "resnet50"]
    assert (options.size, options.batch_size, options.device, options.processes) == (64, 8, "cpu", 2)
