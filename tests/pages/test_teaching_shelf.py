"""Packed cases that readers share: packed once, each with the reader's own key in it."""

import threading
import time

import numpy as np
import pytest

from brainmri.dashboard.teaching.shelf import PLACEHOLDER, Shelf, write_key
from brainmri.dashboard.teaching.words import escape_markdown
from brainmri.dashboard.viewer import pack_case, pack_volumes
from brainmri.dashboard.viewer.regions import read_head
from brainmri.errors import TeachingError

KEY = "0123456789abcdef01234567"


def packed_under(name: str) -> bytes:
    draw = np.random.default_rng(1)
    volumes = {one: draw.integers(0, 900, (4, 16, 16)).astype(np.int16) for one in ("T1", "T2", "T1c")}
    return pack_case(name, pack_volumes(volumes, (5.0, 1.0, 1.0)))


def test_a_case_with_a_key_written_in_is_the_case_packed_under_that_key() -> None:
    assert write_key(packed_under(PLACEHOLDER), KEY) == packed_under(KEY)
    assert read_head(write_key(packed_under(PLACEHOLDER), KEY))["id"] == KEY


@pytest.mark.parametrize(("name", "key"), [(PLACEHOLDER, "short"), ("case-0001", KEY)])
def test_a_key_that_does_not_fit_is_refused(name: str, key: str) -> None:
    with pytest.raises(TeachingError, match="cannot be given the reader's key"):
        write_key(packed_under(name), key)


def test_what_many_ask_for_at_once_is_packed_once() -> None:
    shelf, packed, got = Shelf(), [], []

    def pack() -> bytes:
        packed.append(1)
        time.sleep(0.05)
        return b"case"

    readers = [threading.Thread(target=lambda: got.append(shelf.take("case", pack))) for _ in range(8)]
    for one in readers:
        one.start()
    for one in readers:
        one.join()
    assert (len(packed), got) == (1, [b"case"] * 8)


def test_the_least_recently_shown_case_goes_first() -> None:
    shelf, packed = Shelf(most_bytes=10), []

    def take(name: str) -> None:
        shelf.take(name, lambda: packed.append(name) or b"12345")

    for name in ("a", "b", "a", "c", "a", "b"):
        take(name)
    assert packed == ["a", "b", "c", "b"]


def test_a_case_that_cannot_be_packed_is_tried_again() -> None:
    shelf = Shelf()
    with pytest.raises(ZeroDivisionError, match="by zero"):
        shelf.take("case", lambda: bytes(1 % 0))
    assert shelf.take("case", lambda: b"case") == b"case"


def test_what_was_typed_is_shown_as_it_was_typed() -> None:
    assert escape_markdown("**Round** :red[1] $x$ <b>") == r"\*\*Round\*\* \:red\[1\] \$x\$ \<b\>"
