"""Sessions and answers for tests of reading sessions."""

from __future__ import annotations

from typing import Any

from brainmri.study import Study
from brainmri.teaching.choosing import Wish, choose_cases
from brainmri.teaching.plans import GivenAnswer, SessionPlan
from brainmri.teaching.records import TeachingSession
from brainmri.teaching.sessions import create_session
from tests.evaluation.finished_experiment import add_experiment


def make_session(study: Study, *, count: int = 4, with_network: bool = True, **plan: Any) -> TeachingSession:
    """Add an experiment where there is none yet, and an open session of some of its cases."""
    if not add_once(study):
        add_experiment(study, repeats=4, cases=12, slices=2)
    if not with_network:
        plan.setdefault("reveals", frozenset({"pathology"}))
    experiment_id = "exp-001" if with_network else None
    cases = choose_cases(study, experiment_id, Wish(count=count))
    return create_session(study, SessionPlan(**plan), cases, title="Rounds", author="Abe", experiment_id=experiment_id)


def add_once(study: Study) -> bool:
    """Return whether the study has the experiment already."""
    from brainmri.training.records import Experiment

    with study.session() as session:
        return session.get(Experiment, "exp-001") is not None


def says(diagnosis: str, share: float = 80, **more: Any) -> GivenAnswer:
    """Return an answer with the confidence in the chosen diagnosis."""
    return GivenAnswer(diagnosis=diagnosis, confidence={diagnosis: share}, **more)
