"""Which networks of an experiment stay on disk."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import select

from brainmri.study import Study
from brainmri.training.experiments import read_experiment
from brainmri.training.file_names import CHECKPOINT_FILE
from brainmri.training.records import FINISHED, Epoch, Run
from brainmri.training.settings import TrainingSettings


def keep_best_checkpoints(study: Study, experiment_id: str) -> list[str]:
    """Delete the networks that an experiment does not keep, and return the runs whose network is gone.

    Where its settings say ``best``, of each architecture the run with the lowest validation loss stays, or with the
    lowest training loss where nothing was set aside. The test images have no say in it: the best of ten test results
    would be a result chosen by its luck.

    Parameters
    ----------
    study : Study
    experiment_id : str
    """
    settings = TrainingSettings.from_dict(read_experiment(study, experiment_id).settings)
    if settings.keep_checkpoints == "all":
        return []
    losses: dict[str, dict[str, float]] = defaultdict(dict)
    query = (
        select(Run.architecture, Run.run_id, Epoch.validation_loss, Epoch.train_loss)
        .join(Epoch, Epoch.run_id == Run.run_id)
        .where(Run.experiment_id == experiment_id, Run.status == FINISHED)
        .order_by(Epoch.epoch)
    )
    with study.session() as session:
        for architecture, run_id, validation, training in session.execute(query):
            measured = training if validation is None else validation
            best_so_far = losses[architecture].get(run_id, measured) if settings.patience else measured
            losses[architecture][run_id] = min(best_so_far, measured)  # without patience: that of the last epoch
    gone = [run_id for own in losses.values() for run_id in own if run_id != min(own, key=own.__getitem__)]
    for run_id in gone:
        (study.run_folder(run_id) / CHECKPOINT_FILE).unlink(missing_ok=True)
    return gone
