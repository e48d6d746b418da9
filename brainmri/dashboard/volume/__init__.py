"""A view of a whole volume: three planes or a rendering, drawn by NiiVue on the browser's graphics card.

It stands beside the viewer of slices, which works everywhere: without a graphics card a browser takes seconds to open
a volume. NiiVue is bundled; nothing is fetched from outside.
"""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import streamlit as st

from brainmri.errors import IntakeError
from brainmri.intake.volumes import MASK, volume_path
from brainmri.study import Study
from brainmri.vocabulary import SEQUENCES

LIBRARY: Final = "niivue.umd.js.gz"
FIRST: Final = "T1c"
TUMOUR: Final = "Tumour"

_FOLDER = Path(__file__).parent


def show_volume(study: Study, case_id: str, *, key: str = "volume") -> None:
    """Show the volumes of a case, with the tumour in colour where the case has an outline of it.

    Parameters
    ----------
    study : Study
    case_id : str
    key : str
        One view keeps its key from case to case.

    Raises
    ------
    IntakeError
        Where a volume is missing or cannot be read.
    """
    show_packed(pack_files(_read_files(study, case_id)), key=key)


def show_packed(packed: bytes, *, key: str) -> None:
    """Show what `pack_files` has packed. Data that has not changed is not sent again."""
    _component()(data=packed, key=key)


def pack_files(volumes: Mapping[str, bytes]) -> bytes:
    """Pack files of volumes for the browser.

    Parameters
    ----------
    volumes : mapping of str to bytes
        ``.nii.gz`` files by sequence, and that of the outline as ``mask`` where there is one.
    """
    sequences = [name for name in volumes if name != MASK]
    files = [("overlay" if name == MASK else name, data) for name, data in volumes.items()]
    header = {
        "sequences": sequences,
        "first": FIRST if FIRST in sequences else sequences[0],
        "overlay": TUMOUR if MASK in volumes else None,
        "volumes": [{"name": name, "size": len(data)} for name, data in files],
    }
    text = json.dumps(header).encode()
    return b"".join((struct.pack("<I", len(text)), text, *(data for _, data in files)))


def _read_files(study: Study, case_id: str) -> dict[str, bytes]:
    folder = study.case_folder(case_id)
    paths = {name: volume_path(folder, name) for name in (*SEQUENCES, MASK)}
    try:
        return {name: path.read_bytes() for name, path in paths.items() if name != MASK or path.is_file()}
    except OSError as error:
        raise IntakeError(
            f"The volumes of {case_id} cannot be read: {error.strerror}. Import the case again."
        ) from error


def _component() -> Any:
    html, css = ((_FOLDER / f"volume.{kind}").read_text(encoding="utf-8") for kind in ("html", "css"))
    return st.components.v2.component("brainmri_volume", html=html, css=css, js=_script())


@lru_cache(maxsize=1)
def _script() -> str:
    """Return NiiVue, which leaves its names in ``globalThis.niivue``, and the view's own code."""
    library = gzip.decompress((_FOLDER / LIBRARY).read_bytes()).decode()
    return f"{library}\n{(_FOLDER / 'volume.js').read_text(encoding='utf-8')}"
