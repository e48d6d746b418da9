"""Twenty readers read at once: nothing lost, nothing doubled, and nobody waits long."""

from pathlib import Path

import pytest

from brainmri.vocabulary import TRAINED_DIAGNOSES
from tests.browser.conftest import Server
from tests.pages.filled import make_study

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("cases", [8, pytest.param(30, marks=pytest.mark.stress)])
def test_twenty_readers_lose_no_answer_and_wait_less_than_a_second(tmp_path: Path, cases: int) -> None:
    pytest.importorskip("websockets", reason="websockets is not installed")
    from tests.browser.reading_load import load

    study = make_study(tmp_path / "room", [*TRAINED_DIAGNOSES * 10, None])
    server = Server(study.folder)
    server.start()
    try:
        found = load(study, server, readers=20, cases=cases, think_s=4.0)
    finally:
        server.kill()
    print({name: round(value, 3) for name, value in found.items()})
    assert found["answers"] == found["expected"] == 20 * cases
    assert found["p95_s"] < 1
