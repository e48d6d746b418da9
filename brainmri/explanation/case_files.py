"""Where lies what was made of one case of a run alone. Nothing here imports torch."""

from __future__ import annotations

from pathlib import Path

from brainmri.errors import ExplanationError


def case_file(case_id: str, file_name: str) -> str:
    """Return the name, in the run folder, of a file that holds one case alone.

    Raises
    ------
    ExplanationError
        Where the case's name would leave the folder.
    """
    if Path(case_id).name != case_id or case_id in ("", "..") or "\\" in case_id:
        raise ExplanationError(f"There is no case '{case_id}': the name of a case holds no slashes.")
    return f"cases/{case_id}/{file_name}"
