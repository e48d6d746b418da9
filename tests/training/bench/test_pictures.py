from __future__ import annotations

import numpy as np
from torchvision.datasets import ImageFolder

from brainmri.training.bench.pictures import make_labels, make_samples, write_image_folder


def test_samples_have_the_form_that_training_takes():
    samples = make_samples(50, 32)
    assert samples.shape == (50, 3, 32, 32)
    assert samples.dtype == np.uint8
    assert samples.std() > 20
    np.testing.assert_array_equal(samples[48], samples[0])  # 48 are drawn, then they repeat
    assert not np.array_equal(samples[1], samples[0])
    np.testing.assert_array_equal(make_labels(5), [0, 1, 2, 0, 1])


def test_files_hold_the_same_pictures_without_loss(tmp_path):
    write_image_folder(tmp_path / "pictures", 7, 32)
    folder = ImageFolder(str(tmp_path / "pictures"))
    assert len(folder) == 7
    assert [label for _picture, label in folder] == [0, 0, 0, 1, 1, 2, 2]
    files = {path.rsplit("/", 1)[-1] for path, _label in folder.samples}
    assert files == {f"{i:05d}.png" for i in range(7)}
    first, _label = folder[0]
    np.testing.assert_array_equal(np.asarray(first).transpose(2, 0, 1), make_samples(7, 32)[0])
