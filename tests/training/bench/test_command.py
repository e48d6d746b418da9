"""The command from outside: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from brainmri.__main__ import main

ROOT = Path(__file__).resolve().parents[3]
TINY = ("--architectures", "GoogLeNet", "--size", "48", "--batch-size", "4", "--processes", "2", "--device", "cpu")
FORBIDDEN = ("sqlalchemy", "streamlit", "psutil", "pydicom", "SimpleITK", "pandas")


@pytest.mark.slow
def test_the_bench_runs_where_neither_database_nor_pages_are_installed(tmp_path):
    for name in FORBIDDEN:  # found before the real ones, in the training processes, too
        (tmp_path / f"{name}.py").write_text(f"raise ImportError('{name} is not here')\n")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "brainmri", "bench", *TINY, "--rounds", "2", "--seconds", "0.01", "--json"]
    finished = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    record = json.loads(finished.stdout)
    assert record["device"].startswith("cpu")
    assert (record["batch_size"], record["size_px"], record["processes"]) == (4, 48, 2)
    assert record["versions"]["torch"] == torch.__version__.split("+")[0]
    (figures,) = record["architectures"]
    assert figures["architecture"] == "googlenet"
    assert len(figures["rounds"]) == 2
    ordinary, engine = figures["ordinary_images_per_second"], figures["engine_images_per_second"]
    assert min(ordinary, engine) > 0
    assert figures["ratio"] == pytest.approx(engine / ordinary)
    assert figures["ratio_low"] <= figures["ratio"] <= figures["ratio_high"]
    assert 0 < figures["share_of_peak"] < 1
    assert 500 < figures["peak_memory_mb"] < 20_000  # two processes with torch in memory
    assert record["protocol_minutes"] == pytest.approx(704_100 / engine / 60)
    assert "GoogLeNet, round 2 of 2" in finished.stderr


@pytest.mark.slow
def test_a_profile_says_where_the_time_goes(capsys):
    assert main(["bench", "--profile", *TINY, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    shares = {one["operator"]: one["share"] for one in record["operators"]}
    assert "aten::convolution_backward" in shares
    assert sum(shares.values()) <= 1 + 1e-9
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert 0.3 < record["busy_share"] <= 1.05


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--size", "10"), "AlexNet takes pictures of 63 px or more"),
        (("--architectures", "vgg"), "Unknown architecture 'vgg'"),
        (("--rounds", "0"), "0 rounds"),
    ],
)
def test_bad_usage_is_explained(capsys, arguments, message):
    assert main(["bench", "--json", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_a_failure_in_a_sentence(capsys):
    assert main(["bench", "--device", "cuda"]) == 1
    assert "finds no such device on this machine" in capsys.readouterr().err


def test_other_programs_on_the_machine_are_told(capsys, monkeypatch):
    from brainmri.commands import bench

    monkeypatch.setattr(os, "getloadavg", lambda: (1.9, 0.0, 0.0))
    bench._warn_of_load(8)
    assert capsys.readouterr().err == ""
    bench._warn_of_load(2)
    assert "load average 1.9 on 2 cores" in capsys.readouterr().err
