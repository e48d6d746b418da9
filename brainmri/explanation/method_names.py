"""The ways to make a map. Names and words only: nothing here imports torch, so that pages can read it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from brainmri.errors import UsageError

_LAYER: Final = re.compile(r"[A-Za-z_]\w*(\.\w+)*")


@dataclass(frozen=True, kw_only=True)
class MapMethod:
    """One way to show where in an image a network found evidence for a class."""

    name: str
    """Key in addresses, options and files."""
    display_name: str
    signed: bool
    """True where a map also shows, below 0, what speaks against the class."""
    on_layer: bool
    """True where the map has the grid of a layer that can be chosen; False where it has the pixels of the image."""
    text: str
    """What the map shows, in one sentence."""
    doi: str
    """Of the paper."""

    @property
    def file_name(self) -> str:
        """Name of the file in the run folder."""
        return self.file_on(None)

    def file_on(self, layer: str | None) -> str:
        """Return the name of the file of maps on a layer; None: on the usual one, or of a method that needs none.

        Raises
        ------
        UsageError
            Where the layer has no dotted name, or the method is not made on a layer.
        """
        if layer is None:
            return f"{self.name}.npz"
        if not self.on_layer or not _LAYER.fullmatch(layer):
            raise UsageError(f"There is no map by {self.display_name} on a layer '{layer}'.")
        return f"{self.name}@{layer}.npz"


_TABLE = (
    MapMethod(
        name="gradcam",
        display_name="Grad-CAM",
        signed=False,
        on_layer=True,
        text="Activations of a layer, each channel weighed by how much it raises the class score on average over the "
        "image.",
        doi="10.1109/ICCV.2017.74",
    ),
    MapMethod(
        name="gradcam++",
        display_name="Grad-CAM++",
        signed=False,
        on_layer=True,
        text="As Grad-CAM, weighing places by how much each raises the score: shows several separate findings more "
        "evenly.",
        doi="10.1109/WACV.2018.00097",
    ),
    MapMethod(
        name="hirescam",
        display_name="HiResCAM",
        signed=True,
        on_layer=True,
        text="Activations of a layer times their gradients, place by place: shows only places that the layers behind "
        "it used, for the class (above 0) or against it (below 0).",
        doi="10.48550/arXiv.2011.08891",
    ),
    MapMethod(
        name="integrated-gradients",
        display_name="Integrated Gradients",
        signed=True,
        on_layer=False,
        text="What each pixel added to the class score on the way from a blurred image to this one; all pixels "
        "together make the difference between the two scores.",
        doi="10.48550/arXiv.1703.01365",
    ),
    MapMethod(
        name="occlusion",
        display_name="Occlusion",
        signed=True,
        on_layer=False,
        text="How far the class score falls (above 0) or rises (below 0) when a small square of all three sequences is "
        "blurred.",
        doi="10.1007/978-3-319-10590-1_53",
    ),
)

METHODS: Final[dict[str, MapMethod]] = {method.name: method for method in _TABLE}
"""Every method by its name, the usual one first."""

QUICK_METHODS: Final = tuple(method.name for method in _TABLE if method.on_layer)
"""Those that one forward and one backward pass give; the others take 30 to 250 passes an image."""


def find_method(name: str) -> MapMethod:
    """Return a method.

    Raises
    ------
    UsageError
        Where there is none of this name.
    """
    if name not in METHODS:
        raise UsageError(f"There is no map method '{name}'; expected one of {', '.join(METHODS)}.")
    return METHODS[name]
