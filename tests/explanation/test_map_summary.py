"""The mean and the spread of maps over repeats, worked out by hand."""

import numpy as np
import pytest

from brainmri.explanation.map_summary import map_share, spread_over_repeats, strongest_sample
from brainmri.explanation.maps import RunMaps

CLASSES = ("glioblastoma", "PCNSL")


def run(values, samples=(7,)):
    """Return maps of 2 × 2 cells: those of the first class as given, none for the second."""
    maps = np.zeros((len(samples), 2, 2, 2), dtype=np.float32)
    maps[:, 0] = np.array(values, dtype=np.float32).reshape(len(samples), 2, 2)
    return RunMaps(layer="", classes=CLASSES, size_px=2, sample_index=np.array(samples), maps=maps)


def test_repeats_count_alike_whatever_the_size_of_their_values():
    small, large = run([[1, 0, 0, 0]]), run([[1000, 0, 0, 500]])
    found = spread_over_repeats([small, large], 7, 0, 2)
    np.testing.assert_allclose(found.mean, [[1, 0], [0, 0.25]], atol=1e-6)
    np.testing.assert_allclose(found.sd, [[0, 0], [0, 0.5 / np.sqrt(2)]], atol=1e-6)
    assert (found.n, found.empty) == (2, 0)


def test_an_empty_map_counts_as_none_everywhere():
    found = spread_over_repeats([run([[4, 2, 0, 0]]), run([[0, 0, 0, 0]])], 7, 0, 2)
    np.testing.assert_allclose(found.mean, [[0.5, 0.25], [0, 0]], atol=1e-6)
    assert (found.n, found.empty) == (2, 1)


def test_what_speaks_against_the_class_is_no_evidence():
    assert map_share(run([[-3, 0, 0, 0]]), 7, 0, 2).max() == 0


def test_an_image_is_measured_by_the_strong_ones_of_its_run():
    maps = run([[1, 0, 0, 0], [10, 0, 0, 0]], samples=(7, 8))
    scale = 1 + 0.95 * 9  # the 95th percentile of two values, interpolated
    assert map_share(maps, 7, 0, 2).max() == pytest.approx(1 / scale)
    assert map_share(maps, 8, 0, 2).max() == pytest.approx(10 / scale)


def test_only_repeats_that_tested_the_image_count():
    found = spread_over_repeats([run([[1, 0, 0, 0]]), run([[1, 1, 1, 1]], samples=(9,))], 7, 0, 4)
    assert found.n == 1
    assert found.sd is None
    assert found.mean.shape == (4, 4)
    assert spread_over_repeats([run([[1, 0, 0, 0]])], 3, 0, 4) is None


def test_the_strongest_image_has_most_evidence_for_the_class():
    maps = run([[9, 0, 0, 0], [3, 3, 3, 3], [-9, 12, 0, 0]], samples=(7, 8, 9))
    assert strongest_sample(maps, [7, 8], 0) == 8
    assert strongest_sample(maps, [7, 8, 9], 0) == 8  # of equal ones the first; evidence against does not count
    assert strongest_sample(maps, [9, 7], 1) == 9  # no evidence at all: the first
