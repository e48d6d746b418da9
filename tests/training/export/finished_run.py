"""A finished run of the tiny network: samples, split, checkpoint and the predictions that this network makes."""

from __future__ import annotations

import numpy as np
import torch

from brainmri.imaging.datasets import read_samples
from brainmri.study import Study
from brainmri.training.architectures import build_model
from brainmri.training.checkpoints import write_checkpoint
from brainmri.training.experiments import create_experiment, read_split
from brainmri.training.file_names import CHECKPOINT_FILE
from brainmri.training.normalisation import prepare_input
from brainmri.training.records import FINISHED, Prediction, Run
from brainmri.training.settings import TrainingSettings
from tests.training.training_studies import DATASET, add_dataset

RUN = "exp-001-tiny-01"
NORMALISATION = {"mean": [0.4, 0.5, 0.3], "std": [0.2, 0.3, 0.25]}


def lively(model: torch.nn.Module) -> torch.nn.Module:
    """Give a network answers that differ between images: a fresh head says nearly the same of all."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        head = list(model.parameters())[-2]
        head.copy_(torch.randn(head.shape, generator=generator) * 0.5)
    return model.eval()


def add_finished_run(study: Study, *, dtype: str = "float32", weights: str = "scratch") -> Study:
    """Store the run; the table of networks must hold ``tiny``."""
    settings = TrainingSettings(architectures=("tiny",), repeats=1, checkpoint_dtype=dtype, weights=weights)
    create_experiment(study, add_dataset(study), settings)
    torch.manual_seed(0)
    model = lively(build_model("tiny", 3))
    meta = {
        "run": RUN,
        "architecture": "tiny",
        "classes": ["glioblastoma", "PCNSL", "meningioma"],
        "size_px": 64,
        "dataset": DATASET,
        "normalisation": NORMALISATION,
        "target_layer": "features.1",
        "settings": settings.to_dict(),
    }
    write_checkpoint(study.run_folder(RUN) / CHECKPOINT_FILE, model, meta, dtype)
    _store_predictions(study, model)
    return study


def _store_predictions(study: Study, model: torch.nn.Module) -> None:
    test = read_split(study, "exp-001", 1).test
    samples = torch.from_numpy(np.array(read_samples(study, DATASET)[test]))
    with torch.no_grad():
        probabilities = torch.softmax(model(prepare_input(samples, NORMALISATION)), dim=1).numpy()
    with study.session() as session:
        run = session.get_one(Run, RUN)
        run.status, run.accuracy, run.versions = FINISHED, 0.5, {"torch": torch.__version__}
        for index, row in zip(test, probabilities, strict=True):
            session.add(
                Prediction(
                    run_id=RUN,
                    sample_index=index,
                    true_class=index // 2 % 3,
                    predicted_class=int(row.argmax()),
                    probabilities=row.tolist(),
                )
            )
