"""Twenty readers read at once: nothing lost, nothing doubled, and nobody waits long."""

from pathlib import Path

import pytest

from brainmri.vocabulary import TRAINED_DIAGNOSES
from tests.browser.conftest import Server
from tests.pages.filled import make_study


@pytest.mark.slow
def test_twenty_readers_of_thirty_cases_lose_no_answer_and_wait_less_than_a_second(tmp_path: Path) -> None:
    pytest.importorskip("websockets", reason="websockets is not installed")
    from tests.browser.reading_load import load

    study = make_study(tmp_path / "room", [*TRAINED_DIAGNOSES * 10, None])
    server = Server(study.folder)
    server.start()
    try:
        found = load(study, server, readers=20, cases=30, think_s=4.0)
    finally:
        server.kill()
    print({name: round(value, 3) for name, value in found.items()})
    assert found["answers"] == found["expected"] == 600
    assert found["p95_s"] < 1
