"""Commands that train: train, work, worker, rerun."""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import fields, replace
from typing import Any

from brainmri import tasks
from brainmri.commands.terminal import print_json, print_table, show_progress
from brainmri.errors import ImagingError, UsageError
from brainmri.explanation import EXPLAIN_AFTER_RUN
from brainmri.imaging.datasets import freeze_dataset, read_dataset
from brainmri.imaging.settings import DatasetSettings
from brainmri.study import Study, open_study
from brainmri.training import jobs
from brainmri.training.architecture_names import display_architecture
from brainmri.training.engines import RAY
from brainmri.training.engines.cluster import import_ray
from brainmri.training.experiments import create_experiment
from brainmri.training.monitor import experiment_progress, list_experiments
from brainmri.training.presets import BY_PATIENT, find_preset
from brainmri.training.records import FAILED, FINISHED
from brainmri.training.settings import TrainingSettings


def train(options: Namespace) -> int:
    """Make an experiment and train all its runs, or leave them to a worker."""
    check_engine(options)
    study = open_study(options.study, create=False)
    settings = _settings(options)
    with tasks.running(study, "train", task_id=options.task) as task:
        progress = show_progress(task, stops=False)
        progress(0.0, "Making the data set")
        dataset = freeze_dataset(study, settings=DatasetSettings(size_px=_size_px(study, options.size)))
        experiment_id = create_experiment(study, dataset.hash, settings)
        task.set_subject(experiment_id)
        if not options.queue:
            train_runs(study, experiment_id, task, options)
    if options.queue:
        jobs.ensure_worker(study)
    return finish_training(study, experiment_id, as_json=options.json)


def work(options: Namespace) -> int:
    """Go on with the open runs of an experiment."""
    check_engine(options)
    study = open_study(options.study, create=False)
    with tasks.running(study, "train", subject=options.experiment, task_id=options.task) as task:
        train_runs(study, options.experiment, task, options)
    return finish_training(study, options.experiment, as_json=options.json)


def worker(options: Namespace) -> int:
    """Take runs of any experiment from the queue until none is left, or for ever."""
    study = open_study(options.study, create=False)
    arguments: dict[str, Any] = {
        "processes": options.processes,
        "device": options.device,
        "after_run": EXPLAIN_AFTER_RUN,
        "wait": options.wait,
    }
    if options.task is None:  # from a terminal: any number of them, here and on other machines
        jobs.work_queue(study, progress=show_progress(None, stops=False), **arguments)
    else:
        with tasks.running(study, tasks.WORKER, task_id=options.task) as task:
            progress = show_progress(task, stops=False)
            jobs.work_queue(study, progress=progress, stop=task.stop_requested, task_id=task.task_id, **arguments)
    if options.json:
        print_json({"experiments": [one.experiment_id for one in list_experiments(study)]})
    return 0


def rerun(options: Namespace) -> int:
    """Repeat a run and say whether it gives the same predictions; 1 where it does not."""
    from brainmri.training.rerun import rerun_run  # noqa: PLC0415 - torch

    study = open_study(options.study, create=False)
    found = rerun_run(study, options.run_id, progress=show_progress(None, stops=False))
    if options.json:
        print_json(found.to_json())
    else:
        print(found.describe())
    return 0 if found.matched else 1


def check_engine(options: Namespace) -> None:
    """Refuse options that contradict each other, and a missing Ray, before anything is made."""
    if options.engine != RAY:
        if options.address is not None:
            raise UsageError("'--address' names a Ray cluster; give '--engine ray' with it.")
        return
    if getattr(options, "queue", False):
        raise UsageError("'--queue' leaves the runs to a worker; '--engine ray' trains them now. Give one of them.")
    import_ray()


def train_runs(study: Study, experiment_id: str, task: tasks.TaskHandle, options: Namespace) -> None:
    """Train the open runs of an experiment on the engine that the options name."""
    arguments: dict[str, Any] = {
        "after_run": EXPLAIN_AFTER_RUN,
        "progress": show_progress(task, stops=False),
        "stop": task.stop_requested,
        "task_id": task.task_id,
    }
    if options.engine == RAY:
        from brainmri.training.engines.ray import work_on_ray  # noqa: PLC0415 - torch

        work_on_ray(study, experiment_id, address=options.address, **arguments)
    else:
        jobs.work(study, experiment_id, **arguments)
    if task.stop_requested():
        task.finish(tasks.STOPPED, message="Stopped as asked. What was finished until then is kept.")


def finish_training(study: Study, experiment_id: str, *, as_json: bool) -> int:
    """Print the runs of an experiment; 1 where a run failed."""
    rows = experiment_progress(study, experiment_id).runs
    records: list[dict[str, Any]] = [
        {
            "run": row.run_id,
            "architecture": row.architecture,
            "repeat": row.repeat,
            "status": row.status,
            "accuracy": row.accuracy,
            "seconds": row.seconds,
            "images_per_second": row.images_per_second,
        }
        for row in rows
    ]
    if as_json:
        print_json({"experiment": experiment_id, "runs": records})
    else:
        print(
            f"Experiment {experiment_id}: {sum(row.status == FINISHED for row in rows)} of {len(rows)} runs finished."
        )
        print_table(
            ("architecture", "repeat", "status", "accuracy", "seconds", "images/s"),
            [(display_architecture(r["architecture"]), *list(r.values())[2:]) for r in records],
        )
    failed = [row for row in rows if row.status == FAILED]
    for row in failed:
        print(f"brainmri: run {row.run_id} failed: {row.message}", file=sys.stderr)
    return 1 if failed else 0


def _settings(options: Namespace) -> TrainingSettings:
    """Return the settings of the protocol, changed by the options that were given."""
    given = {field.name: getattr(options, field.name, None) for field in fields(TrainingSettings)}
    chosen = {name: value for name, value in given.items() if value is not None and name != "preset"}
    if "architectures" in chosen:
        names = [name for text in chosen["architectures"] for name in text.split(",") if name]
        chosen["architectures"] = tuple(name.lower() for name in names)
    return replace(find_preset(options.preset or BY_PATIENT).settings(), **chosen)


def _size_px(study: Study, asked: int | None) -> int:
    """Return the size asked for, else that of the newest data set, else the published one."""
    if asked is not None:
        return asked
    try:
        return read_dataset(study).size_px
    except ImagingError:
        return DatasetSettings().size_px
