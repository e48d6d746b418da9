import pytest

from brainmri.commands.parser import make_parser
from brainmri.commands.training import _settings
from brainmri.dashboard.protocol import Protocol, expected_seconds
from brainmri.training.settings import TrainingSettings


def test_the_default_protocol_is_the_default_of_the_command_line() -> None:
    options = make_parser().parse_args(Protocol().to_arguments())
    assert _settings(options) == TrainingSettings()
    assert options.size == 224


def test_every_choice_reaches_the_command_line() -> None:
    protocol = Protocol(
        architectures=("alexnet",),
        repeats=2,
        split_by="image",
        epochs=5,
        size_px=64,
        weights="scratch",
        device="cpu",
        seed=7,
        advanced={"batch_size": 8, "learning_rate": 0.01, "augmentation": 0.5, "processes": 1},
    )
    options = make_parser().parse_args(protocol.to_arguments())
    assert options.size == 64
    assert _settings(options) == TrainingSettings(
        architectures=("alexnet",),
        repeats=2,
        split_by="image",
        epochs=5,
        weights="scratch",
        device="cpu",
        seed=7,
        batch_size=8,
        learning_rate=0.01,
        augmentation=0.5,
        processes=1,
    )


def test_the_expectation_sums_the_networks_over_processes() -> None:
    protocol = Protocol(architectures=("alexnet", "resnet50"), repeats=2, epochs=10)
    # 100 images × 0.7 × 10 epochs × 2 repeats = 1400 images each: 14 s at 100/s and 28 s at 50/s, on two processes.
    seconds = expected_seconds(protocol, {"alexnet": 100.0, "resnet50": 50.0}, images=100, processes=2)
    assert seconds == pytest.approx(21.0)


def test_without_a_measurement_of_every_network_nothing_is_expected() -> None:
    assert expected_seconds(Protocol(), {"alexnet": 100.0}, images=100) is None
