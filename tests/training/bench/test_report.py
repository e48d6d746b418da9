from __future__ import annotations

import pytest

from brainmri.training.bench.records import Round
from brainmri.training.bench.report import describe_report, format_minutes
from tests.training.bench.test_records import figures, report


def test_people_read_a_table_and_what_it_was_measured_on():
    lines = describe_report(
        report(figures(), figures(architecture="resnet50", rounds=(Round(1, 1000),), peak_memory_bytes=None))
    ).splitlines()
    assert " ".join(lines[1].split()) == "AlexNet 10 32 3.2 (2.2 to 4.0) 6.4% 1,500 MB 6 h 07 min"
    assert lines[2].split()[0] == "ResNet50"
    assert "–" in lines[2]
    assert len({len(line) for line in lines[:3]}) == 1
    assert lines[4] == (
        "Protocol: 10 runs of each architecture, 2,347 training images, 30 epochs at 224 px: 6 h 18 min in all."
    )
    assert lines[5] == (
        "Device: cpu (test), 2 cores; peak 2 TFLOP/s in bf16; 2 processes of the engine, batches of 32."
    )
    assert lines[6] == "Versions: torch 2, torchvision 0, numpy 1."


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0.42, "0.4 min"), (9.94, "9.9 min"), (12.4, "12 min"), (59.6, "1 h 00 min"), (366.7, "6 h 07 min")],
)
def test_durations_are_written_as_people_say_them(minutes, text):
    assert format_minutes(minutes) == text
