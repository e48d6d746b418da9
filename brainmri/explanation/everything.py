"""Everything that a page shows of finished runs, computed and stored once, so that no page needs a network.

Each part is a file of the run folder and names the training that it was made from. A part that is there already is left
as it is: work that was stopped goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from brainmri.errors import ExplanationError, TrainingError
from brainmri.explanation.run_files import OpenRun, Parts, Step, steps_of
from brainmri.explanation.stored import read_identity
from brainmri.explanation.trained import Progress, find_finished, identity_of
from brainmri.study import Study
from brainmri.training.records import FINISHED, Experiment, Run


@dataclass(frozen=True, kw_only=True)
class ExplainedRun:
    """What was done for one run."""

    run_id: str
    made: tuple[str, ...] = ()
    """Files that were computed now."""
    present: tuple[str, ...] = ()
    """Files that were there."""
    left_out: str | None = None
    """Why the run could not be explained."""


def explain_all(
    study: Study, target: str, parts: Parts | None = None, *, again: bool = False, progress: Progress | None = None
) -> tuple[ExplainedRun, ...]:
    """Compute and store what pages show of one run, or of all finished runs of an experiment.

    Parameters
    ----------
    study : Study
    target : str
        A run or an experiment.
    parts : Parts, optional
        What to store; default: maps by the quick methods, contributions against each baseline, the faithfulness of
        Grad-CAM, and similar cases.
    again : bool
        Compute also what is there.
    progress : callable, optional
        What it raises ends the work; files that were stored before it stay.

    Returns
    -------
    tuple of ExplainedRun
        A run whose network is not stored is left out and says so.

    Raises
    ------
    ExplanationError
        Where there is no such run or experiment, none of its runs has finished, or a single run cannot be explained.
    """
    run_ids = _find_runs(study, target)
    steps = tuple(steps_of(parts or Parts()))
    done = []
    for place, run_id in enumerate(run_ids):
        try:
            done.append(_explain(study, run_id, steps, again=again, progress=_part(progress, place, len(run_ids))))
        except (ExplanationError, TrainingError) as error:
            if run_id == target:
                raise
            done.append(ExplainedRun(run_id=run_id, left_out=str(error)))
    if progress is not None:
        progress(1.0, "Finished")
    return tuple(done)


def _explain(study: Study, run_id: str, steps: Sequence[Step], *, again: bool, progress: Progress) -> ExplainedRun:
    """Make the files of a run that are not there."""
    opened = OpenRun(study, find_finished(study, run_id))
    identity = identity_of(opened.run)
    due = [step for step in steps if again or read_identity(study, run_id, step.file_name) != identity]
    total, before = sum(step.cost for step in due), 0.0
    for step in due:
        step.make(opened, _within(progress, before / total, step.cost / total, run_id))
        before += step.cost
    return ExplainedRun(
        run_id=run_id,
        made=tuple(step.file_name for step in due),
        present=tuple(step.file_name for step in steps if step not in due),
    )


def _find_runs(study: Study, target: str) -> list[str]:
    """Return the run of this name, or the finished runs of the experiment of this name."""
    with study.session() as session:
        if session.get(Run, target) is not None:
            return [target]
        known = session.get(Experiment, target) is not None
        experiments = list(session.scalars(select(Experiment.experiment_id).order_by(Experiment.experiment_id)))
        query = select(Run.run_id).where(Run.experiment_id == target, Run.status == FINISHED).order_by(Run.run_id)
        finished = list(session.scalars(query))
    if not known:
        listed = f"Its experiments: {', '.join(experiments)}." if experiments else "It has no experiment yet."
        raise ExplanationError(f"The study {study.folder} has no run and no experiment '{target}'. {listed}")
    if not finished:
        raise ExplanationError(
            f"None of the runs of {target} has finished; only finished runs can be explained. Go on with them: "
            f"python -m brainmri work {target}"
        )
    return finished


def _part(progress: Progress | None, place: int, count: int) -> Progress:
    """Return a progress function for one of several runs."""
    if progress is None:
        return lambda _done, _text: None
    return lambda done, text: progress((place + done) / count, text)


def _within(progress: Progress, start: float, length: float, run_id: str) -> Progress:
    """Return a progress function for one file of a run."""
    return lambda done, text: progress(start + length * done, f"{run_id}: {text}")
