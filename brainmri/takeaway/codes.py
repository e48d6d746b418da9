"""Coded concepts of the DICOM objects.

SNOMED CT codes are used where one is in the DICOM standard or in SNOMED's own release notes; whatever else there is to
say has a code of this software's own, under the designator 99BRAINMRI (PS3.16 8.2: private designators begin with 99).
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pydicom.sr.coding import Code

SCHEME: Final = "99BRAINMRI"
"""Coding scheme designator of the private codes."""

_DIAGNOSES: Final = {
    "glioblastoma": ("1163375002", "SCT", "Glioblastoma"),
    "meningioma": ("302820008", "SCT", "Intracranial meningioma"),
    "PCNSL": ("PCNSL", SCHEME, "Primary central nervous system lymphoma"),
}
"""Value, scheme, meaning. Glioblastoma as in CID 638 of PS3.16; meningioma as in the SNOMED CT release notes."""

_OWN: Final = {
    "verdict": "Verdict of the network",
    "pathology": "Pathology of the study",
    "slices": "Slices that the network saw",
    "agreeing": "Slices that alone lead to the verdict",
    "runs": "Runs that tested the case",
    "right-runs": "Runs with the right verdict",
}
_CODE_LENGTH: Final = 16  # of a short string, PS3.5 6.2
_MEANING_LENGTH: Final = 64


def diagnosis_code(diagnosis: str) -> Code:
    """Return the code of a diagnosis; one that is not in the table gets a steady private one."""
    from pydicom.sr.coding import Code  # noqa: PLC0415 - 0.1 s that a page may not need

    if diagnosis in _DIAGNOSES:
        return Code(*_DIAGNOSES[diagnosis])
    value = re.sub(r"[^A-Z0-9]+", "-", diagnosis.upper()).strip("-")
    if not value or len(value) > _CODE_LENGTH:
        value = f"DX-{hashlib.sha256(diagnosis.encode()).hexdigest()[:12].upper()}"
    return Code(value, SCHEME, diagnosis[:_MEANING_LENGTH])


def own_code(name: str) -> Code:
    """Return a private code by its name, such as ``verdict``."""
    from pydicom.sr.coding import Code  # noqa: PLC0415 - see above

    return Code(name.upper(), SCHEME, _OWN[name])
