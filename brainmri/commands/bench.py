"""The command that measures the training engine: bench. It needs neither a study nor a database."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from dataclasses import replace
from typing import Any

from brainmri.training.bench.measure import run_bench
from brainmri.training.bench.plan import FULL, QUICK, BenchPlan, make_plan
from brainmri.training.bench.profile import profile_engine
from brainmri.training.bench.report import describe_profile, describe_report
from brainmri.training.devices import resolve_device
from brainmri.training.settings import PUBLISHED_ARCHITECTURES

_BUSY_SHARE = 0.25
"""Load of the machine before the bench, as a share of its cores, from which on the bench warns."""


def bench(options: Namespace) -> int:
    """Measure the engine beside the ordinary way of training, or profile the engine."""
    plan = _plan(options)
    _warn_of_load(plan.cores)
    if options.profile:
        profiled = profile_engine(plan)
        _print(profiled.to_json(), describe_profile(profiled), as_json=options.json)
    else:
        measured = run_bench(plan, _say)
        _print(measured.to_json(), describe_report(measured), as_json=options.json)
    return 0


def _plan(options: Namespace) -> BenchPlan:
    names = [name for text in options.architectures or PUBLISHED_ARCHITECTURES for name in text.split(",") if name]
    length = QUICK if options.quick else FULL
    chosen = {"rounds": options.rounds, "seconds": options.seconds}
    return make_plan(
        resolve_device(options.device).type,
        architectures=[name.lower() for name in names],
        batch_size=options.batch_size,
        size_px=options.size,
        processes=options.processes,
        compiled=options.compiled,
        length=replace(length, **{name: value for name, value in chosen.items() if value is not None}),
    )


def _warn_of_load(cores: int) -> None:
    """Say so where other programs use the machine: they slow the ordinary way down more than the engine."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load > _BUSY_SHARE * cores:
        _say(
            f"Other programs use this machine (load average {load:.1f} on {cores} cores). They slow one process with "
            "many threads down more than several processes: the ratios will be too high."
        )


def _print(record: dict[str, Any], text: str, *, as_json: bool) -> None:
    print(json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) if as_json else text)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
