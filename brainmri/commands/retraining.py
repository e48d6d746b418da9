"""The command that closes the loop from a finding to a better model: retrain."""

from __future__ import annotations

from argparse import Namespace

from brainmri import tasks
from brainmri.commands.terminal import show_progress
from brainmri.commands.training import check_engine, finish_training, train_runs
from brainmri.review.retraining import repeat_corrected
from brainmri.study import open_study
from brainmri.training import jobs


def retrain(options: Namespace) -> int:
    """Repeat an experiment on its corrected data set with the same protocol and splits, or queue that."""
    check_engine(options)
    study = open_study(options.study, create=False)
    with tasks.running(study, "train", task_id=options.task) as task:
        progress = show_progress(task, stops=False)
        experiment_id = repeat_corrected(study, options.experiment, progress=progress)
        task.set_subject(experiment_id)
        if not options.queue:
            train_runs(study, experiment_id, task, options)
    if options.queue:
        jobs.ensure_worker(study)
    return finish_training(study, experiment_id, as_json=options.json)
