"""A study with a finished experiment, made of rows alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from brainmri.study import Study
from tests.evaluation.finished_experiment import add_experiment


@pytest.fixture
def make_experiment(study: Study) -> Callable[..., str]:
    """Return a function that adds an experiment to the study."""
    return partial(add_experiment, study)
