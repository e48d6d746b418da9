"""Fingerprints beside the samples: taken once, read afterwards, taken again where the file is damaged."""

from __future__ import annotations

import numpy as np
import pytest

from brainmri.errors import ImagingError
from brainmri.evaluation.fingerprint_files import FILE_NAME, read_fingerprints
from brainmri.evaluation.near_duplicates import take_fingerprints
from brainmri.study import Study

HASH = "d" * 16


@pytest.fixture
def samples(study: Study) -> np.ndarray:
    """Return the samples of a data set that lie on disk."""
    drawn = np.random.default_rng(1).integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)
    study.dataset_folder(HASH).mkdir(parents=True)
    np.save(study.dataset_folder(HASH) / "samples.npy", drawn)
    return drawn


def test_they_are_taken_once_and_read_afterwards(study: Study, samples: np.ndarray) -> None:
    expected = take_fingerprints(samples)
    first = read_fingerprints(study, HASH)
    (study.dataset_folder(HASH) / "samples.npy").unlink()
    second = read_fingerprints(study, HASH)
    for found in (first, second):
        assert (found.hashes == expected.hashes).all()
        assert (found.thumbnails == expected.thumbnails).all()
    assert second.hashes.dtype == np.uint64
    assert [path.name for path in study.dataset_folder(HASH).iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("content", [b"", b"no file of arrays"])
def test_a_damaged_file_is_made_anew(study: Study, samples: np.ndarray, content: bytes) -> None:
    path = study.dataset_folder(HASH) / FILE_NAME
    path.write_bytes(content)
    assert (read_fingerprints(study, HASH).hashes == take_fingerprints(samples).hashes).all()
    assert path.stat().st_size > len(content)


def test_a_folder_that_cannot_be_written_to_is_no_obstacle(
    study: Study, samples: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arrays: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert len(read_fingerprints(study, HASH).hashes) == 4
    assert [path.name for path in study.dataset_folder(HASH).iterdir()] == ["samples.npy"]


def test_without_samples_there_is_an_error(study: Study) -> None:
    with pytest.raises(ImagingError, match="The samples of the data set dddddddddddddddd cannot be read"):
        read_fingerprints(study, HASH)
