"""Stored maps and their pictures. Nothing here imports torch, so that pages can read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainmri.errors import ExplanationError
from brainmri.explanation.case_files import case_file
from brainmri.explanation.method_names import METHODS, find_method
from brainmri.explanation.stored import damaged, read_arrays, write_arrays
from brainmri.study import Study

FILE_NAME: Final = METHODS["gradcam"].file_name
"""Of the maps that every run gets when it ends."""

SCALE_PERCENTILE: Final = 95.0
"""Share of a run's images, in per cent, whose largest value lies below the end of the colours."""

_INFERNO: Final = (
    "000004 0a0722 1e0c45 380962 510e6c 69166e 801f6c 982766 b0315b c63d4d d94d3d e9612b f47918 fa9407 fcb014 f8cd37 "
    "f2ea69 fcffa4"
)
"""Every fifteenth entry of the table, as red, green and blue in hexadecimal digits."""


@dataclass(frozen=True, eq=False)
class RunMaps:
    """Maps of every test image of a run for every class, by one method.

    Values are what the method gives, unscaled: those of one run can be compared with each other. They are 0 or more
    unless the method is signed.
    """

    layer: str
    """Dotted name of the layer whose activations were weighed."""
    classes: tuple[str, ...]
    """Diagnoses in the order of their class index."""
    size_px: int
    """Side of a sample, to which a map is scaled up for display."""
    sample_index: NDArray[np.int64]
    """Shape (N,)."""
    maps: NDArray[np.float32]
    """Shape (N, K, h, w)."""
    method: str = "gradcam"
    """A name of `brainmri.explanation.method_names.METHODS`."""
    made_from: str = ""
    """Which training made the network, where it was noted: see `brainmri.explanation.trained.TrainedRun.identity`."""

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of a map."""
        return self.maps.shape[2], self.maps.shape[3]

    @property
    def scales(self) -> tuple[float, ...]:
        """For each class, the value (of a signed map: the size of it) at which colours end, the same for all images.

        The 95th percentile over images of the largest value in a map: a scale of each map's own would let an image
        almost without evidence look as hot as a strong one, and one up to the maximum would follow a single image. 0
        where no image has evidence for the class.
        """
        peaks = np.abs(self.maps).max(axis=(2, 3), initial=0)  # (N, K)
        if not len(peaks):
            return (0.0,) * len(self.classes)
        strong = np.percentile(peaks, SCALE_PERCENTILE, axis=0)
        return tuple(float(value) for value in np.where(strong > 0, strong, peaks.max(axis=0)))

    def of(self, sample_index: int, class_index: int) -> NDArray[np.float32]:
        """Return the map (h, w) of one test image for one class.

        Raises
        ------
        ExplanationError
            Where the run did not test this sample, or there is no such class.
        """
        found = np.flatnonzero(self.sample_index == sample_index)
        if not len(found):
            raise ExplanationError(
                f"This run did not test the sample {sample_index}, so that no map of it is stored. Choose one of its "
                f"{len(self.sample_index)} test images, or explain the sample with 'python -m brainmri explain'."
            )
        if not 0 <= class_index < len(self.classes):
            raise ExplanationError(
                f"There is no class {class_index}; expected 0 to {len(self.classes) - 1} ({', '.join(self.classes)})."
            )
        return self.maps[found[0], class_index]


def read_maps(
    study: Study, run_id: str, method: str = "gradcam", *, case_id: str | None = None, layer: str | None = None
) -> RunMaps | None:
    """Return the stored maps of a run by a method, or None where it has none.

    Parameters
    ----------
    study : Study
    run_id : str
    method : str
    case_id : str, optional
        Return those that were made of this case alone, on demand; their scales are those of its images.
    layer : str, optional
        Return those on this layer instead of the usual one; only cases alone have them.

    Raises
    ------
    ExplanationError
        Where the file is damaged.
    UsageError
        For an unknown method, or a layer of one that is not made on layers.
    """
    file_name = find_method(method).file_on(layer)
    again = f"explain-run {run_id}" if method == "gradcam" else f"explain-all {run_id} --methods {method} --again"
    if case_id is not None:
        file_name = case_file(case_id, file_name)
        again = f"explain-case {run_id} {case_id} --method {method}" + (f" --layer {layer}" if layer else "")
    stored = read_arrays(study, run_id, file_name, again=again)
    if stored is None:
        return None
    try:
        return RunMaps(
            layer=str(stored["layer"]),
            classes=tuple(str(name) for name in stored["classes"]),
            size_px=int(stored["size_px"]),
            sample_index=stored["sample_index"],
            maps=stored["maps"],
            method=method,
            made_from=str(stored.get("made_from", "")),
        )
    except KeyError as error:
        raise damaged(run_id, study.run_folder(run_id) / file_name, error, again=again) from error


def write_maps(path: Path, maps: RunMaps) -> None:
    """Write maps under a temporary name and rename the file. It holds plain arrays only."""
    write_arrays(
        path,
        {
            "layer": np.array(maps.layer),
            "classes": np.array(maps.classes),
            "size_px": np.array(maps.size_px),
            "sample_index": maps.sample_index.astype(np.int64),
            "maps": maps.maps.astype(np.float32),
            "made_from": np.array(maps.made_from),
        },
    )


def upsample(image: ArrayLike, size: tuple[int, int] | int) -> NDArray[np.float32]:
    """Scale a map or an image up, bilinearly between the centres of its cells.

    The same as torch's ``interpolate(mode="bilinear", align_corners=False)``, which captum's
    ``LayerAttribution.interpolate`` calls.

    Parameters
    ----------
    image : array_like, shape (h, w)
    size : (int, int) or int
        Rows and columns of the result, or the side of a square.

    Returns
    -------
    ndarray, shape (H, W), float32
    """
    values = np.asarray(image, dtype=np.float64)
    rows, columns = (size, size) if isinstance(size, int) else size
    scaled = _weights(values.shape[0], rows) @ values @ _weights(values.shape[1], columns).T
    return scaled.astype(np.float32)


@lru_cache(maxsize=1)
def colour_table() -> NDArray[np.uint8]:
    """Return 256 colours (256, 3), from no evidence to most: inferno, whose lightness rises evenly.

    Straight lines between eighteen of its entries: within 5 of 255 of the original table everywhere.

    References
    ----------
    Smith and van der Walt, matplotlib's default colour maps, 2015 (CC0), https://bids.github.io/colormap
    """
    anchors = np.array([list(bytes.fromhex(colour)) for colour in _INFERNO.split()], dtype=np.float64)  # (A, 3)
    places = np.linspace(0, 255, len(anchors))
    table = np.stack([np.interp(np.arange(256), places, anchors[:, channel]) for channel in range(3)], axis=1)
    colours = table.round().astype(np.uint8)
    colours.flags.writeable = False  # cached: every caller gets this one
    return colours


def overlay(grey: NDArray[np.uint8], map01: ArrayLike, opacity: float = 0.7) -> NDArray[np.uint8]:
    """Lay a map over an image.

    A pixel takes on the colour as far as there is evidence: where the map is 0 the image stays as it is.

    Parameters
    ----------
    grey : ndarray, shape (H, W), uint8
    map01 : array_like, shape (H, W)
        The map as a share of the scale's maximum; cut to 0 to 1.
    opacity : float
        Of the colour where the map is 1, from 0 to 1.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
    """
    share = np.clip(np.asarray(map01, dtype=np.float64), 0, 1)
    if share.shape != grey.shape:
        raise ExplanationError(
            f"The map has {share.shape[0]}×{share.shape[1]} px and the image {grey.shape[0]}×{grey.shape[1]}; "
            "scale the map up to the image first."
        )
    colours = colour_table()[np.round(share * 255).astype(np.intp)]  # (H, W, 3)
    alpha = np.clip(opacity, 0, 1) * share[..., None]  # (H, W, 1)
    blended = (1 - alpha) * grey[..., None] + alpha * colours
    return blended.round().astype(np.uint8)


def _weights(cells: int, pixels: int) -> NDArray[np.float64]:
    """Return the share (pixels, cells) of each cell in each pixel, along one axis."""
    centres = np.maximum((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0)  # in cells; the first half cell is flat
    lower = np.minimum(np.floor(centres).astype(np.intp), cells - 1)
    upper = np.minimum(lower + 1, cells - 1)  # and so is the last
    share = centres - lower
    weights = np.zeros((pixels, cells))
    weights[np.arange(pixels), lower] += 1 - share
    weights[np.arange(pixels), upper] += share
    return weights
