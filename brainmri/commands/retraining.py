"""The command that closes the loop from a finding to a better model: retrain."""

from __future__ import annotations

from argparse import Namespace

from brainmri import tasks
from brainmri.commands.terminal import show_progress
from brainmri.commands.training import finish_training
from brainmri.explanation import EXPLAIN_AFTER_RUN
from brainmri.review.retraining import repeat_corrected
from brainmri.study import open_study
from brainmri.training import jobs


def retrain(options: Namespace) -> int:
    """Repeat an experiment on its corrected data set with the same protocol and splits, or queue that."""
    study = open_study(options.study, create=False)
    with tasks.running(study, "train", task_id=options.task) as task:
        progress = show_progress(task, stops=False)
        experiment_id = repeat_corrected(study, options.experiment, progress=progress)
        task.set_subject(experiment_id)
        if not options.queue:
            jobs.work(
                study,
                experiment_id,
                after_run=EXPLAIN_AFTER_RUN,
                progress=progress,
                stop=task.stop_requested,
                task_id=task.task_id,
            )
            if task.stop_requested():
                task.finish(tasks.STOPPED, message="Stopped as asked. What was finished until then is kept.")
    if options.queue:
        jobs.ensure_worker(study)
    return finish_training(study, experiment_id, as_json=options.json)
