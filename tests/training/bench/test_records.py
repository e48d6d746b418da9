from __future__ import annotations

import json

import pytest

from brainmri.training.bench.records import ArchitectureFigures, BenchReport, Round

ROUNDS = (Round(10, 30), Round(20, 44), Round(8, 32))  # ratios 3, 2.2, 4


def figures(**changes) -> ArchitectureFigures:
    values = {
        "architecture": "alexnet",
        "rounds": ROUNDS,
        "flop_per_image": 4e9,
        "peak_flop_per_second": 2e12,
        "peak_memory_bytes": 1_500_000_000,
    }
    return ArchitectureFigures(**(values | changes))


def report(*architectures: ArchitectureFigures) -> BenchReport:
    return BenchReport(
        device="cpu (test)",
        cores=2,
        processes=2,
        precision="bf16",
        versions={"torch": "2", "torchvision": "0", "numpy": "1"},
        batch_size=32,
        size_px=224,
        peak_flop_per_second=2e12,
        architectures=architectures,
    )


def test_the_ratio_is_that_of_the_medians_of_the_rounds():
    found = figures()
    assert found.ordinary_images_per_second == 10
    assert found.engine_images_per_second == 32
    assert found.ratio == pytest.approx(3.2)
    assert (found.ratio_low, found.ratio_high) == pytest.approx((2.2, 4.0))


def test_an_even_number_of_rounds_takes_the_middle_of_the_two_in_the_middle():
    found = figures(rounds=(Round(10, 30), Round(20, 50)))
    assert found.ratio == pytest.approx(40 / 15)
    assert found.ratio_low <= found.ratio <= found.ratio_high


def test_the_share_of_the_peak_comes_from_counted_operations():
    assert figures().share_of_peak == pytest.approx(32 * 4e9 / 2e12)  # 0.064


def test_the_protocol_is_ten_runs_of_thirty_passes_over_2347_images():
    # 704,100 images; 32 a second: 22,003.125 s
    assert figures().protocol_minutes == pytest.approx(366.71875)
    slow = figures(architecture="resnet50", rounds=(Round(1, 10),))  # 70,410 s
    assert report(figures(), slow).protocol_minutes == pytest.approx(366.71875 + 1173.5)


def test_json_holds_what_readers_of_it_expect():
    record = json.loads(json.dumps(report(figures(), figures(peak_memory_bytes=None)).to_json(), allow_nan=False))
    assert set(record) >= {"device", "versions", "batch_size", "size_px", "architectures", "protocol_minutes"}
    first, second = record["architectures"]
    assert first == {
        "architecture": "alexnet",
        "ordinary_images_per_second": 10,
        "engine_images_per_second": 32,
        "ratio": pytest.approx(3.2),
        "ratio_low": pytest.approx(2.2),
        "ratio_high": pytest.approx(4.0),
        "share_of_peak": pytest.approx(0.064),
        "peak_memory_mb": pytest.approx(1500.0),
        "protocol_minutes": pytest.approx(366.71875),
        "training_gflop_per_image": pytest.approx(4.0),
        "rounds": [{"ordinary": 10, "engine": 30}, {"ordinary": 20, "engine": 44}, {"ordinary": 8, "engine": 32}],
    }
    assert second["peak_memory_mb"] is None
