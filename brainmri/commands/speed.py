"""The command that measures this machine for the expected time of a training: measure."""

from __future__ import annotations

from argparse import Namespace

from brainmri import tasks
from brainmri.commands.terminal import print_json, print_table, show_progress
from brainmri.study import open_study
from brainmri.training.architecture_names import display_architecture
from brainmri.training.bench.measure import measure_engine
from brainmri.training.bench.plan import make_plan
from brainmri.training.devices import describe_device, resolve_device
from brainmri.training.machine_speeds import store_speeds
from brainmri.training.settings import PUBLISHED_ARCHITECTURES

_SECONDS = 4.0
"""Of training for each architecture, after the first batch."""


def measure(options: Namespace) -> int:
    """Train each architecture for some seconds on made-up pictures and store its speed in the study."""
    study = open_study(options.study)
    device = resolve_device(options.device)
    plan = make_plan(
        device.type,
        architectures=options.architectures or PUBLISHED_ARCHITECTURES,
        batch_size=options.batch_size,
        size_px=options.size,
        processes=options.processes,
    )
    with tasks.running(study, "measure", task_id=options.task) as task:
        progress = show_progress(task)
        speeds: dict[str, float] = {}
        for done, architecture in enumerate(plan.architectures):
            progress(done / len(plan.architectures), f"Training {display_architecture(architecture)} for some seconds")
            speeds[architecture] = measure_engine(plan, architecture, _SECONDS)
        store_speeds(study, speeds, size_px=plan.size_px, device=describe_device(device), processes=plan.processes)
        progress(1.0, "Measured")
    if options.json:
        print_json({"size_px": plan.size_px, "processes": plan.processes, "images_per_second": speeds})
    else:
        rows = [(display_architecture(name), plan.size_px, speed) for name, speed in speeds.items()]
        print_table(("architecture", "px", "images/s a process"), rows)
    return 0
