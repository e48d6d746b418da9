"""A small study with maps, contributions and findings, for everything that is taken away of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from sqlalchemy import select

from brainmri.explanation.contributions import Baseline, RunContributions, write_contributions
from brainmri.explanation.maps import FILE_NAME, RunMaps, write_maps
from brainmri.imaging.records import Sample
from brainmri.intake.volumes import volume_path
from brainmri.review.findings import Entry, add_finding
from brainmri.study import Study
from brainmri.training.records import Prediction
from brainmri.vocabulary import SEQUENCES, TRAINED_DIAGNOSES
from tests.pages.filled import make_filled_study

RUN = "exp-001-alexnet-01"
NOTE = "Ring-like <script>alert('x')</script> & 造影剤で均一に増強される。"
REVIEWER = "Dr. Emma Kranenburg"
MARKED = (7, 23)
"""Row and column of a voxel that is marked on the first slice that the network saw of each tested case."""
ORIGIN = (-41.0, 17.5, -8.25)
TILT = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.2, -0.15, 0.1)
"""The grid of every case lies obliquely, about three axes."""


@dataclass(frozen=True)
class TakenStudy:
    """A study, and the first case that the run tested."""

    study: Study
    run_id: str
    case_id: str
    samples: tuple[int, ...]
    slices: tuple[int, ...]


@pytest.fixture(scope="package")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TakenStudy]:
    """Return a study that is never changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("BRAINMRI_DATABASE_URL", raising=False)
        yield make_taken(tmp_path_factory.mktemp("take") / "study-of-secrets")


@pytest.fixture
def own_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TakenStudy:
    """Return a study that a test may change."""
    monkeypatch.delenv("BRAINMRI_DATABASE_URL", raising=False)
    return make_taken(tmp_path / "study")


def make_taken(folder: Path) -> TakenStudy:
    """Make the study: oblique grids, a marked voxel, maps that grow with the sample, and two findings."""
    study = make_filled_study(folder)
    with study.session() as session:
        rows = session.execute(
            select(Sample.case_id, Sample.sample_index, Sample.slice_index)
            .join(Prediction, Prediction.sample_index == Sample.sample_index)
            .where(Prediction.run_id == RUN)
            .order_by(Sample.case_id, Sample.slice_index)
        ).all()
    case_id = rows[0].case_id
    own = [row for row in rows if row.case_id == case_id]
    tilt_volumes(study, case_id, own[0].slice_index)
    store_maps(study, [row.sample_index for row in rows])
    add_finding(study, "exp-001", case_id, REVIEWER, Entry(verdict="label error", difficulty=4, note=NOTE, run_id=RUN))
    named = Entry(verdict="artefact", note="Hanako Tanaka, born 1950-01-02", bookmarked=True)
    add_finding(study, "exp-001", case_id, "Someone Else", named)
    return TakenStudy(study, RUN, case_id, tuple(r.sample_index for r in own), tuple(r.slice_index for r in own))


def tilt_volumes(study: Study, case_id: str, slice_index: int) -> None:
    """Lay the grid of a case obliquely and mark one voxel of each sequence by a value of its own."""
    for number, name in enumerate(SEQUENCES):
        path = volume_path(study.case_folder(case_id), name)
        image = sitk.ReadImage(path)
        image.SetDirection(TILT.GetMatrix())
        image.SetOrigin(ORIGIN)
        image[MARKED[1], MARKED[0], slice_index] = 1000 + number
        sitk.WriteImage(image, path)


def store_maps(study: Study, samples: list[int]) -> None:
    """Store maps whose values are known, and contributions, for the samples of a run."""
    values = np.zeros((len(samples), 3, 4, 4), np.float32)
    values[:, :, 1, 2] = 0.5
    values[:, :, 0, 0] = 0.1 + np.arange(len(samples))[:, None] / 100
    maps = RunMaps("features.11", TRAINED_DIAGNOSES, 64, np.array(samples), values)
    study.run_folder(RUN).mkdir(parents=True, exist_ok=True)
    write_maps(study.run_folder(RUN) / FILE_NAME, maps)
    logits = np.random.default_rng(0).normal(size=(len(samples), 1, 8, 3)).astype(np.float32)
    found = RunContributions(
        classes=TRAINED_DIAGNOSES,
        baseline=Baseline(name="blurred", sigma_px=4.0),
        made_from="test",
        sample_index=np.array(samples),
        logits=logits,
    )
    write_contributions(study, RUN, found)
