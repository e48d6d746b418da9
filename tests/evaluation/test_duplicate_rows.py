"""Near-duplicates in words and rows."""

from __future__ import annotations

import pytest

from brainmri.evaluation.duplicate_rows import (
    describe_distance,
    describe_network,
    describe_strangers,
    duplicate_rows,
    limit_of,
)
from brainmri.evaluation.near_duplicates import NearDuplicates, NearPair


def pair(distance: float, test_case: str = "A", train_case: str = "A") -> NearPair:
    return NearPair(test_sample=1, train_sample=2, test_case=test_case, train_case=train_case, distance=distance)


def split(*pairs: NearPair, limit: float = 0.05) -> NearDuplicates:
    return NearDuplicates(limit=limit, test_images=len(pairs), train_images=9, pairs=pairs)


def test_shares_are_taken_over_all_repeats() -> None:
    found = {1: split(pair(0.01), pair(0.04, "A", "B"), pair(0.5)), 2: split(pair(0.9, "A", "B")), 3: split()}
    row = duplicate_rows({"exp-001": found, "exp-002": {1: split()}})
    assert row[0] == {"Experiment": "exp-001", "Near-duplicates": pytest.approx(50), "Same patient": pytest.approx(50)}
    assert row[1] == {"Experiment": "exp-002", "Near-duplicates": None, "Same patient": None}


def test_different_cases_that_look_alike_are_named_once() -> None:
    found = {1: split(pair(0.02, "A", "B"), pair(0.03, "B", "A"), pair(0.01)), 2: split(pair(0.001, "D", "C"))}
    assert describe_strangers({"exp-001": found, "exp-002": {1: split(pair(0.01))}}) == [
        "exp-001: near-duplicates of different cases, C and D, and 1 more. Look whether a patient was imported twice."
    ]


def test_distances_and_limits_are_told_as_readers_set_them() -> None:
    assert describe_distance(pair(12.0), "hash") == "12 of 192 bits differ"
    assert describe_distance(pair(0.0312), "embedding") == "similarity 0.969"
    assert limit_of("hash", 19) == 19.0
    assert 0.05 < limit_of("embedding", 0.95) < 0.0501  # a similarity of 0.95 in single precision counts


def test_the_limit_of_a_network_is_explained() -> None:
    said = describe_network("exp-001-resnet50-01", 2048, 0.98765)
    assert said.startswith("Activations of exp-001-resnet50-01, 2,048 numbers an image.")
    assert "more alike than 0.988" in said
