"""One case of a run, explained now: its Grad-CAM maps and what each sequence contributed, or a map of another kind.

What is made lies beside what is stored of the whole run, in files of the case's own, so that two people who ask at once
cannot lose each other's, and so that a file of the run always speaks of all its test images.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from brainmri.errors import ExplanationError, UsageError
from brainmri.explanation.case_files import case_file
from brainmri.explanation.coalitions import contributions_of_run, make_baseline
from brainmri.explanation.contributions import BaselineName, contributions_file, write_contributions
from brainmri.explanation.maps import RunMaps, write_maps
from brainmri.explanation.method_names import find_method
from brainmri.explanation.methods import shrink
from brainmri.explanation.open_run import OpenRun
from brainmri.explanation.trained import Progress, find_finished, identity_of
from brainmri.study import Study

BASELINE: Final[BaselineName] = "blurred"
"""Needs nothing but the case: the mean, and other patients, need images of the whole data set."""
METHOD: Final = "gradcam"
PARTS: Final = ("maps", "contributions")
"""What can be made of a case."""

_KEPT: Final = 2
"""Networks that stay open between two cases."""


@dataclass(frozen=True, kw_only=True)
class ExplainedCase:
    """What was made of one case."""

    run_id: str
    case_id: str
    images: int
    """Test images of the case."""
    made: tuple[str, ...]
    """Files, in the run folder."""
    seconds: float
    """Wall time, the reading of the network included."""


class CaseExplainer:
    """Explains cases one after another, and keeps the networks that were asked last open."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._opened: dict[str, OpenRun] = {}

    def explain(
        self,
        run_id: str,
        case_id: str,
        *,
        parts: Sequence[str] = PARTS,
        method: str = METHOD,
        layer: str | None = None,
        progress: Progress | None = None,
    ) -> ExplainedCase:
        """Compute the maps of a case and the contributions of its sequences against the blurred image; store them.

        Parameters
        ----------
        run_id, case_id : str
        parts : sequence of str
            Of `PARTS`; leave out what is not needed.
        method : str
            Of the maps; a name of `brainmri.explanation.method_names.METHODS`.
        layer : str, optional
            Of the maps, from the architecture's table; default: that of the checkpoint.
        progress : callable, optional
            Called before each pass; what it raises ends the work, and nothing unfinished is stored.

        Raises
        ------
        ExplanationError
            Where there is no such run, it has not finished, its network is not stored, or it did not test the case.
        TrainingError
            Where the checkpoint is damaged.
        UsageError
            For an unknown part, method or layer.
        """
        unknown = sorted(set(parts) - set(PARTS))
        if unknown:
            raise UsageError(f"There is no part '{unknown[0]}' of an explanation; expected {' or '.join(PARTS)}.")
        started = time.monotonic()
        opened = self._open(run_id)
        tested = np.array([index for index in opened.tested if opened.rows[index].case_id == case_id], dtype=np.int64)
        if not len(tested):
            raise ExplanationError(
                f"The run {run_id} did not test the case '{case_id}': it was among its training cases, or is not in "
                "its data set. Choose one of its test cases on the page Case review."
            )
        made = []
        if "maps" in parts:
            made.append(_store_maps(opened, case_id, tested, method, layer, progress))
        if "contributions" in parts:
            made.append(_store_contributions(opened, case_id, tested, progress))
        if progress is not None:
            progress(1.0, "Finished")
        seconds = time.monotonic() - started
        return ExplainedCase(run_id=run_id, case_id=case_id, images=len(tested), made=tuple(made), seconds=seconds)

    def prepare(self, run_id: str) -> bool:
        """Read the network of a run and pass an image through it, forward and backward, ahead of its first case.

        Most of what the first passes take is loading code and choosing algorithms. Returns whether it could be done.
        """
        try:
            opened = self._open(run_id)
            _ = opened.rows
            opened.trained.explain(opened.samples[:1], method=METHOD)
            return True
        except Exception:
            return False  # nobody waits for this; the first case says why

    def _open(self, run_id: str) -> OpenRun:
        """Return an open run; a network that was trained anew since is read again."""
        run = find_finished(self._study, run_id)
        opened = self._opened.pop(run_id, None)
        if opened is None or identity_of(opened.run) != identity_of(run):
            opened = OpenRun(self._study, run)
        self._opened[run_id] = opened  # the last one
        while len(self._opened) > _KEPT:
            self._opened.pop(next(iter(self._opened)))
        return opened


def _store_maps(
    opened: OpenRun,
    case_id: str,
    tested: np.ndarray,
    method: str,
    layer: str | None,
    progress: Progress | None,
) -> str:
    trained = opened.trained
    chosen = find_method(method)
    other = None if layer == trained.layer_name else layer
    file_name = case_file(case_id, chosen.file_on(other))
    values = trained.explain(opened.samples[tested], method=method, layer=other, progress=progress)
    maps = RunMaps(
        layer=(other or trained.layer_name) if chosen.on_layer else "",
        classes=trained.classes,
        size_px=trained.dataset.size_px,
        sample_index=tested,
        maps=shrink(values),
        method=method,
        made_from=trained.identity,
    )
    write_maps(opened.study.run_folder(opened.run.run_id) / file_name, maps)
    return file_name


def _store_contributions(opened: OpenRun, case_id: str, tested: np.ndarray, progress: Progress | None) -> str:
    trained = opened.trained
    baseline = make_baseline(BASELINE, trained.dataset.size_px)
    found = contributions_of_run(trained, opened.samples, tested, baseline, progress=progress)
    write_contributions(opened.study, opened.run.run_id, found, case_id=case_id)
    return case_file(case_id, contributions_file(BASELINE))
