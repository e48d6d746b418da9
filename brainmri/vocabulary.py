"""The words of the field that every stage shares: sequences and diagnoses."""

from __future__ import annotations

from typing import Final, Literal

Sequence = Literal["T1", "T2", "T1c"]

SEQUENCES: Final[tuple[Sequence, ...]] = ("T1", "T2", "T1c")
"""The three sequences of a case, in the order of the channels of a sample (R, G, B)."""

TRAINED_DIAGNOSES: Final = ("glioblastoma", "PCNSL", "meningioma")
"""Diagnoses that the networks tell apart, in the order of their class index."""

DIAGNOSES: Final = (*TRAINED_DIAGNOSES, "schwannoma")
"""Diagnoses of the database. Schwannoma is collected, but left out of training."""

_SYNONYMS: Final = {
    "glioblastoma": "glioblastoma",
    "glioblastoma multiforme": "glioblastoma",
    "gbm": "glioblastoma",
    "pcnsl": "PCNSL",
    "primary cns lymphoma": "PCNSL",
    "primary central nervous system lymphoma": "PCNSL",
    "cns lymphoma": "PCNSL",
    "lymphoma": "PCNSL",
    "meningioma": "meningioma",
    "men": "meningioma",
    "schwannoma": "schwannoma",
    "vestibular schwannoma": "schwannoma",
}


def normalise_diagnosis(text: str) -> str:
    """Return the study's spelling of a diagnosis.

    Parameters
    ----------
    text : str
        As written in a table of labels, for example ``"GBM"``.

    Returns
    -------
    str
        One of `DIAGNOSES` where the word is known, else the words as they came, with single spaces.
    """
    words = " ".join(text.replace("_", " ").split())
    return _SYNONYMS.get(words.casefold(), words)


def display_diagnosis(diagnosis: str | None) -> str:
    """Return the diagnosis as a page writes it: capitalised, ``"Not labelled"`` for none."""
    if not diagnosis:
        return "Not labelled"
    return diagnosis[0].upper() + diagnosis[1:]
