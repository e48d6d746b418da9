"""Diagnoses as tables write them."""

from __future__ import annotations

import pytest

from brainmri.vocabulary import display_diagnosis, normalise_diagnosis


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("GBM", "glioblastoma"),
        ("Glioblastoma", "glioblastoma"),
        (" pcnsl ", "PCNSL"),
        ("Primary_CNS  lymphoma", "PCNSL"),
        ("MENINGIOMA", "meningioma"),
        ("Schwannoma", "schwannoma"),
        ("solitary fibrous  tumour", "solitary fibrous tumour"),
    ],
)
def test_spelling_of_the_study(written: str, meant: str) -> None:
    assert normalise_diagnosis(written) == meant


def test_a_page_writes_diagnoses_with_a_capital() -> None:
    assert [display_diagnosis(d) for d in ("glioblastoma", "PCNSL", None)] == ["Glioblastoma", "PCNSL", "Not labelled"]
