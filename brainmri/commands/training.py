"""Commands that train: train, work."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import Any

from brainmri import tasks
from brainmri.commands.terminal import print_json, print_table, show_progress
from brainmri.errors import ImagingError
from brainmri.explanation import EXPLAIN_AFTER_RUN
from brainmri.imaging.datasets import freeze_dataset, read_dataset
from brainmri.imaging.settings import DatasetSettings
from brainmri.study import Study, open_study
from brainmri.training import jobs
from brainmri.training.architecture_names import display_architecture
from brainmri.training.experiments import create_experiment
from brainmri.training.monitor import experiment_progress
from brainmri.training.records import FAILED, FINISHED
from brainmri.training.settings import PUBLISHED_ARCHITECTURES, TrainingSettings

_OPTIONAL = {
    "batch_size": "batch_size",
    "learning_rate": "learning_rate",
    "augmentation": "augmentation",
    "processes": "processes",
    "checkpoints": "checkpoint_dtype",
}
"""Options that, left out, take the default of `TrainingSettings`."""


def train(options: Namespace) -> int:
    """Make an experiment and train all its runs."""
    study = open_study(options.study, create=False)
    settings = _settings(options)
    with tasks.running(study, "train", task_id=options.task) as task:
        progress = show_progress(task, stops=False)
        progress(0.0, "Making the data set")
        dataset = freeze_dataset(study, settings=DatasetSettings(size_px=_size_px(study, options.size)))
        experiment_id = create_experiment(study, dataset.hash, settings)
        task.set_subject(experiment_id)
        _work(study, experiment_id, task)
    return finish_training(study, experiment_id, as_json=options.json)


def work(options: Namespace) -> int:
    """Go on with the open runs of an experiment."""
    study = open_study(options.study, create=False)
    with tasks.running(study, "train", subject=options.experiment, task_id=options.task) as task:
        _work(study, options.experiment, task)
    return finish_training(study, options.experiment, as_json=options.json)


def _work(study: Study, experiment_id: str, task: tasks.TaskHandle) -> None:
    jobs.work(
        study,
        experiment_id,
        after_run=EXPLAIN_AFTER_RUN,
        progress=show_progress(task, stops=False),
        stop=task.stop_requested,
        task_id=task.task_id,
    )
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
    names = [name for text in options.architectures or PUBLISHED_ARCHITECTURES for name in text.split(",") if name]
    chosen = {field: getattr(options, option) for option, field in _OPTIONAL.items()}
    return TrainingSettings(
        architectures=tuple(name.lower() for name in names),
        repeats=options.repeats,
        split_by=options.split,
        epochs=options.epochs,
        weights=options.weights,
        device=options.device,
        seed=options.seed,
        **{field: value for field, value in chosen.items() if value is not None},
    )


def _size_px(study: Study, asked: int | None) -> int:
    """Return the size asked for, else that of the newest data set, else the published one."""
    if asked is not None:
        return asked
    try:
        return read_dataset(study).size_px
    except ImagingError:
        return DatasetSettings().size_px
