from datetime import UTC, datetime

import pytest

from brainmri.dashboard.formatting import (
    format_count,
    format_date,
    format_duration,
    format_estimate,
    format_time_left,
    format_voxel,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (45.4, "45 s"),
        (59.7, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (3900, "1 h 5 min"),
        (183600, "2 d 3 h"),
        (-3, "0 s"),
    ],
)
def test_durations_have_their_two_largest_units(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (13.4, "13 s"), (63, "1 min 5 s"), (612, "10 min"), (5000, "1 h 23 min")]
)
def test_estimates_do_not_pretend_to_be_exact(seconds: float, text: str) -> None:
    assert format_estimate(seconds) == text


def test_time_left_is_said_or_said_to_be_unknown() -> None:
    assert format_time_left(63) == "about 1 min 5 s left"
    assert format_time_left(None) == "time left not known yet"


def test_counts_agree_with_their_noun() -> None:
    assert format_count(1, "case") == "1 case"
    assert format_count(1323, "image") == "1,323 images"
    assert format_count(2, "diagnosis", "diagnoses") == "2 diagnoses"


def test_dates_are_of_this_computers_zone() -> None:
    moment = datetime(2026, 2, 3, 12, 5, tzinfo=UTC)
    assert format_date(moment) == f"3 Feb 2026, {moment.astimezone():%H:%M}"


def test_voxels_are_written_within_the_slice_first() -> None:
    assert format_voxel([5.5, 0.9, 0.898]) == "0.90 × 0.90 × 5.5 mm"
