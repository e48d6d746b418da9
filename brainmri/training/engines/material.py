"""What the nodes need of the study: read here, put into the cluster's object store once, named in every task."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from brainmri.imaging.datasets import read_dataset, read_sample_rows, read_samples
from brainmri.study import Study
from brainmri.training.engines.cluster import Cluster, Demand
from brainmri.training.engines.messages import NodeJob, NodeNetwork
from brainmri.training.engines.node import activations_on_node, train_on_node
from brainmri.training.experiments import read_experiment, read_split
from brainmri.training.file_names import STATE_FILE
from brainmri.training.records import Run
from brainmri.training.settings import TrainingSettings
from brainmri.training.storing import check_split, checkpoint_meta, state_key
from brainmri.training.versions import git_revision
from brainmri.training.weights import IMAGENET, SCRATCH, check_weight_file, ensure_weights, weights_status

GPU_SHARE: Final = 0.5
"""Of a GPU a run takes, unless the settings name the processes: two fill the gaps that each other leaves."""
_THREADS: Final = 1
"""Of torch a run: the fastest way to use all cores of a machine is a run for each."""
_RETRIES: Final = 3
"""Of the activations of frozen layers, which are computed for all runs, where their node is gone."""


class Material:
    """Hands the runs of one experiment to the cluster.

    Parameters
    ----------
    study : Study
    experiment_id : str
    cluster : Cluster
    """

    def __init__(self, study: Study, experiment_id: str, cluster: Cluster) -> None:
        self._study, self._cluster = study, cluster
        experiment = read_experiment(study, experiment_id)
        self._settings = TrainingSettings.from_dict(experiment.settings)
        self._dataset = read_dataset(study, experiment.dataset_hash)
        rows = read_sample_rows(study, self._dataset.hash)
        self._case_ids = [row.case_id for row in rows]
        self._labels = np.array([self._dataset.classes.index(row.diagnosis) for row in rows], dtype=np.int64)
        self._shared: dict[str, Any] = {}
        self.demand = _demand(self._settings, cluster)

    def submit(self, run: Run, key: str) -> Any:
        """Hand a run over and return the reference of its outcome.

        Raises
        ------
        LeakError
            Where a case stands on two sides of its split.
        TrainingError
            Where a weight file or the split is missing.
        """
        split = read_split(self._study, run.experiment_id, run.repeat)
        check_split(self._case_ids, split)
        network = self._network(run.architecture)
        train, test, validation = (np.array(one, dtype=np.int64) for one in (split.train, split.test, split.validation))
        job = NodeJob(
            key=key,
            run_id=run.run_id,
            state_key=state_key(run, self._dataset),
            network=network,
            seed=run.seed,
            labels=self._labels,
            train=train,
            test=test,
            validation=validation,
            meta=checkpoint_meta(run, self._dataset, self._settings, _driver_versions()),
        )
        path = self._study.run_folder(run.run_id) / STATE_FILE
        state = np.fromfile(path, dtype=np.uint8) if path.is_file() else None
        samples, weights = self._samples(), self._weights(run.architecture)
        activations = self._activations(network)
        return self._cluster.submit_run(train_on_node, job, samples, weights, activations, state, demand=self.demand)

    def _network(self, architecture: str) -> NodeNetwork:
        return NodeNetwork(
            architecture=architecture,
            settings=self._settings.to_dict(),
            classes=len(self._dataset.classes),
            device="cuda" if self.demand.gpus else "cpu",
            threads=_THREADS,
            weights_name=None if self._settings.weights == SCRATCH else self._weight_file(architecture).name,
        )

    def _samples(self) -> Any:
        """Return the reference of the samples; of what they are, not of the file, which the nodes have not."""
        if "samples" not in self._shared:
            samples = read_samples(self._study, self._dataset.hash)
            self._shared["samples"] = self._cluster.share(samples.view(np.ndarray))
        return self._shared["samples"]

    def _weights(self, architecture: str) -> Any:
        if self._settings.weights == SCRATCH:
            return None
        name = f"weights of {architecture}"
        if name not in self._shared:
            path = self._weight_file(architecture)
            if self._settings.weights == IMAGENET:
                ensure_weights([architecture])
            else:
                check_weight_file(path, [architecture])
            self._shared[name] = self._cluster.share(np.fromfile(path, dtype=np.uint8))
        return self._shared[name]

    def _weight_file(self, architecture: str) -> Path:
        """Return where the file to start from is, or belongs."""
        if self._settings.weights != IMAGENET:
            return Path(self._settings.weights).expanduser()
        return next(status.path for status in weights_status() if status.architecture == architecture)

    def _activations(self, network: NodeNetwork) -> Any:
        """Return the reference of the activations of frozen layers, computed on a node for all runs of a network."""
        if self._settings.mode == "full":
            return None
        name = f"activations of {network.architecture}"
        if name not in self._shared:
            arguments = network, self._samples(), self._weights(network.architecture)
            self._shared[name] = self._cluster.submit(
                activations_on_node, *arguments, demand=self.demand, retries=_RETRIES
            )
        return self._shared[name]


def _demand(settings: TrainingSettings, cluster: Cluster) -> Demand:
    """Return what a run takes of a node: of a GPU the share that the settings' processes leave it, or half."""
    if settings.device == "cpu" or (settings.device == "auto" and not cluster.has_gpu()):
        return Demand(gpus=0)
    share = 1 / settings.processes if settings.processes else GPU_SHARE
    return Demand(gpus=int(share * 10_000) / 10_000)  # Ray counts in ten-thousandths


def _driver_versions() -> dict[str, str]:
    """Return what only this machine can tell of the software that the nodes run, which is this copy."""
    revision = git_revision()
    return {} if revision is None else {"git_revision": revision}
