"""What the volume view sends to the browser, and that the bundled library is the one it says."""

import gzip
import hashlib
import json
import struct
from pathlib import Path

import pytest

from brainmri.dashboard import volume
from brainmri.dashboard.volume import LIBRARY, pack_files

NIIVUE_SHA256 = "47b896b77ec4a5be3ef1949c33ad393b6f45629921f326c279000bcf51bdb4af"
"""Of ``dist/niivue.umd.js`` in @niivue/niivue 0.69.0."""

FOLDER = Path(volume.__file__).parent


def test_the_bundled_library_is_the_published_file_with_its_licence() -> None:
    library = gzip.decompress((FOLDER / LIBRARY).read_bytes())
    assert hashlib.sha256(library).hexdigest() == NIIVUE_SHA256
    assert "BSD 2-Clause" in (FOLDER / "LICENSE.niivue").read_text()


def test_files_come_back_unchanged_after_the_header() -> None:
    files = {"T1": b"one", "T2": b"three", "T1c": b"", "mask": b"four4"}
    packed = pack_files(files)
    (length,) = struct.unpack_from("<I", packed)
    head, payload = json.loads(packed[4 : 4 + length]), packed[4 + length :]
    assert head["volumes"] == [
        {"name": "T1", "size": 3},
        {"name": "T2", "size": 5},
        {"name": "T1c", "size": 0},
        {"name": "overlay", "size": 5},
    ]
    assert payload == b"onethreefour4"


@pytest.mark.parametrize(
    ("names", "first", "overlay"), [(("T1", "T1c"), "T1c", None), (("T1", "T2", "mask"), "T1", "Tumour")]
)
def test_the_contrast_enhanced_sequence_comes_first_where_there_is_one(
    names: tuple[str, ...], first: str, overlay: str | None
) -> None:
    packed = pack_files(dict.fromkeys(names, b"x"))
    (length,) = struct.unpack_from("<I", packed)
    head = json.loads(packed[4 : 4 + length])
    assert (head["first"], head["overlay"]) == (first, overlay)
    assert "mask" not in head["sequences"]
