"""The files that pages read of a finished run: which there are, and how each is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import ExplanationError, UsageError
from brainmri.explanation.coalitions import contributions_of_run, make_baseline
from brainmri.explanation.contributions import BASELINES, contributions_file, write_contributions
from brainmri.explanation.faithfulness import centre_square, energy_share
from brainmri.explanation.features import features_of_run
from brainmri.explanation.integrating import NODES, integrate_sequences
from brainmri.explanation.maps import RunMaps, read_maps, write_maps
from brainmri.explanation.method_names import METHODS, QUICK_METHODS, find_method
from brainmri.explanation.methods import shrink
from brainmri.explanation.neighbours import ANSWERS_FILE, write_features
from brainmri.explanation.open_run import OpenRun
from brainmri.explanation.perturbing import perturbation_curves
from brainmri.explanation.randomising import randomisation_check
from brainmri.explanation.sequence_gradients import GRADIENTS_FILE, RunGradients, write_gradients
from brainmri.explanation.stored_faithfulness import PLACES, RunFaithfulness, faithfulness_file, write_faithfulness
from brainmri.explanation.trained import Progress
from brainmri.explanation.tumour_outlines import read_outlines

RANDOMISED_IMAGES: Final = 20
"""Test images, evenly spaced, whose maps are compared with those of networks with random weights."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What to store of each run."""

    methods: tuple[str, ...] = QUICK_METHODS
    baselines: tuple[str, ...] = tuple(BASELINES)
    """What stands in for a sequence. All, because the answer depends on it: a blurred image keeps its brightness."""
    faithfulness: tuple[str, ...] = ("gradcam",)
    """Map methods whose faithfulness is measured; their maps are stored as well."""
    similar_cases: bool = True
    gradients: bool = True
    """Integrated Gradients of the sequences, which the contributions are compared with."""

    def __post_init__(self) -> None:
        for name in (*self.methods, *self.faithfulness):
            find_method(name)
        for name in self.baselines:
            if name not in BASELINES:
                raise UsageError(f"There is no baseline '{name}'; expected one of {', '.join(BASELINES)}.")


@dataclass(frozen=True)
class Step:
    """One file of a run."""

    file_name: str
    make: Callable[[OpenRun, Progress], None]
    """Computes and stores it."""
    cost: float
    """Passes an image, roughly; weighs progress."""


def steps_of(parts: Parts) -> Iterator[Step]:
    """Yield the files to make, those that others need first."""
    for method in dict.fromkeys((*parts.methods, *parts.faithfulness)):
        yield Step(METHODS[method].file_name, _map_maker(method), 3 if METHODS[method].on_layer else 200)
    for name in dict.fromkeys(parts.baselines):
        yield Step(contributions_file(name), _contribution_maker(name), 32 if name == "other-patient" else 8)
    for method in dict.fromkeys(parts.faithfulness):
        yield Step(faithfulness_file(method), _faithfulness_maker(method), 25)
    if parts.gradients:
        yield Step(GRADIENTS_FILE, _store_gradients, 3 * NODES)
    if parts.similar_cases:
        yield Step(ANSWERS_FILE, _store_features, 3)


def _map_maker(method: str) -> Callable[[OpenRun, Progress], None]:
    def make(opened: OpenRun, progress: Progress) -> None:
        trained = opened.trained
        maps = trained.explain(opened.samples[opened.tested], method=method, progress=progress)
        found = RunMaps(
            layer=trained.layer_name if METHODS[method].on_layer else "",
            classes=trained.classes,
            size_px=trained.dataset.size_px,
            sample_index=opened.tested,
            maps=shrink(maps),
            method=method,
            made_from=trained.identity,
        )
        write_maps(opened.study.run_folder(opened.run.run_id) / METHODS[method].file_name, found)

    return make


def _contribution_maker(baseline: str) -> Callable[[OpenRun, Progress], None]:
    def make(opened: OpenRun, progress: Progress) -> None:
        trained = opened.trained
        found = contributions_of_run(
            trained,
            opened.samples,
            opened.tested,
            make_baseline(baseline, trained.dataset.size_px, seed=opened.run.repeat),
            train=opened.split.train,
            case_ids=[row.case_id for row in opened.rows],
            progress=progress,
        )
        write_contributions(opened.study, opened.run.run_id, found)

    return make


def _faithfulness_maker(method: str) -> Callable[[OpenRun, Progress], None]:
    def make(opened: OpenRun, progress: Progress) -> None:
        trained, predicted = opened.trained, opened.predicted
        stored = read_maps(opened.study, opened.run.run_id, method)
        if stored is None:
            raise ExplanationError(f"The maps of the run {opened.run.run_id} by {method} are gone; start again.")
        maps = stored.maps[np.arange(len(predicted)), predicted]  # (N, h, w)
        tested = opened.samples[opened.tested]
        share, area = _energy(opened, maps)
        curves = perturbation_curves(
            trained.model,
            tested,
            maps,
            predicted,
            normalisation=trained.meta["normalisation"],
            progress=lambda done, text: progress(0.8 * done, text),
        )
        some = np.unique(np.linspace(0, len(tested) - 1, min(RANDOMISED_IMAGES, len(tested))).round().astype(np.int64))
        found = RunFaithfulness(
            method=method,
            made_from=trained.identity,
            sample_index=opened.tested,
            class_index=predicted,
            share=share,
            area=area,
            shares=np.array(curves[0].shares, dtype=np.float32),
            deletion=np.array([one.deletion for one in curves], dtype=np.float32),
            insertion=np.array([one.insertion for one in curves], dtype=np.float32),
            randomisation=randomisation_check(
                trained,
                tested[some],
                predicted[some],
                method=method,
                progress=lambda done, text: progress(0.8 + 0.2 * done, text),
            ),
        )
        write_faithfulness(opened.study, opened.run.run_id, found)

    return make


def _energy(opened: OpenRun, maps: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return shares of energy and of area (N, 2) in each of `PLACES`; not a number where there is none."""
    size_px = opened.trained.dataset.size_px
    outlines = read_outlines(opened.study, [opened.rows[index] for index in opened.tested], size_px)
    centre = centre_square(size_px)
    share, area = (np.full((len(maps), len(PLACES)), np.nan, dtype=np.float32) for _ in range(2))
    for row, (evidence, outline) in enumerate(zip(maps, outlines, strict=True)):
        for column, (place, inside) in enumerate(zip(PLACES, (outline, centre), strict=True)):
            if inside is not None:
                found = energy_share(evidence, place, inside)
                share[row, column] = np.nan if found.share is None else found.share
                area[row, column] = found.area
    return share, area


def _store_gradients(opened: OpenRun, progress: Progress) -> None:
    trained = opened.trained
    classes = opened.verdicts
    values, difference = integrate_sequences(
        trained.model,
        opened.samples[opened.tested],
        classes,
        normalisation=trained.meta["normalisation"],
        progress=progress,
    )
    found = RunGradients(
        made_from=trained.identity,
        sample_index=opened.tested,
        class_index=classes,
        values=values,
        difference=difference,
    )
    write_gradients(opened.study, opened.run.run_id, found)


def _store_features(opened: OpenRun, progress: Progress) -> None:
    trained = opened.trained
    found = features_of_run(
        trained,
        opened.samples,
        case_ids=[row.case_id for row in opened.rows],
        true_class=[trained.classes.index(row.diagnosis) for row in opened.rows],
        test=opened.tested,
        validation=opened.split.validation,
        progress=progress,
    )
    write_features(opened.study, opened.run.run_id, found)
