"""A packed case as the browser gets it: in one message, or in two where it is large.

The first message holds the mark of a reader (its length as uint32, then JSON), and of the packed case all but the end
of the stream. With it the case is shown. The second holds which stream it belongs to (uint32), and the end.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from typing import Final

from brainmri.dashboard.viewer.regions import MarkedPoint, read_head

FIRST_BYTES: Final = 3 * 2**19
"""Of the stream in the first message, where there are two: about fifty slices of 256 x 256 pixels."""


def messages_of(packed: bytes, mark: MarkedPoint | None = None, *, closed: bool = False) -> tuple[bytes, bytes | None]:
    """Return the first message of a packed case, and the second where there is one.

    Parameters
    ----------
    packed : bytes
        From `pack_case`.
    mark : MarkedPoint, optional
        What the reader marked before.
    closed : bool
        Whether it cannot be changed any more.
    """
    head = read_head(packed)
    start = len(packed) - int(head["streamBytes"])
    cut = start + FIRST_BYTES if len(packed) > start + 2 * FIRST_BYTES else len(packed)
    said = json.dumps({"mark": None if mark is None else asdict(mark), "closed": closed}).encode()
    first = b"".join((struct.pack("<I", len(said)), said, packed[:cut]))
    rest = None if cut == len(packed) else struct.pack("<I", int(head["stream"])) + packed[cut:]
    return first, rest
