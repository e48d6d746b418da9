"""Fixtures of the tests of exports."""

from __future__ import annotations

import pytest

from brainmri.study import Study
from brainmri.training.architecture_names import Architecture
from tests.training.export.finished_run import add_finished_run


@pytest.fixture
def finished(study: Study, tiny: Architecture) -> Study:
    """Return a study with a finished run of a tiny network."""
    return add_finished_run(study)
