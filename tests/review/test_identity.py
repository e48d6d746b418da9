"""Notes that could name a patient are pointed out, and usual notes are not."""

from __future__ import annotations

import pytest

from brainmri.review.identity import warn_of_identity


@pytest.mark.parametrize(
    "note",
    [
        "Miller, Anna 03.05.1961: rim enhancement",
        "compare with Tanaka Hiroshi, 1958-11-02",
        "TANAKA^HIROSHI 1958/11/02",
        "born 3/5/61, left temporal",
        "田中 1958年11月2日",
    ],
)
def test_a_name_with_a_date_of_birth_is_pointed_out(note: str) -> None:
    assert "name with a date of birth" in (warn_of_identity(note) or "")


@pytest.mark.parametrize("note", ["see 20381744", "ID 12-345-678", "call 030 4455 667"])
def test_a_long_number_is_pointed_out(note: str) -> None:
    assert "long number" in (warn_of_identity(note) or "")


@pytest.mark.parametrize(
    "note",
    [
        "",
        "Ring enhancement; PCNSL in case-0042 looks alike",
        "Left temporal, 34 x 28 mm, TR 500, slice 12",
        "Scanned on 2020-03-14, motion on T2",
        "Dural tail. Compare Grad-CAM of ResNet50, run 07",
    ],
)
def test_usual_notes_are_left_alone(note: str) -> None:
    assert warn_of_identity(note) is None
