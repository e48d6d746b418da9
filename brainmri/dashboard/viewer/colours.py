"""Colours of maps, for the browser."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from plotly.colors import convert_colors_to_same_type, diverging, sequential, unlabel_rgb

from brainmri.explanation.maps import colour_table

NAMES: Final = ("Inferno", "Viridis", "Cividis")
"""Tables to choose from, dark to bright; the lightness of each rises evenly, so that they can be read without telling
red from green. The first is that of all other pictures of maps."""

_ANCHORS: Final = {"Viridis": sequential.Viridis, "Cividis": sequential.Cividis, "signed": diverging.RdBu[::-1]}


def colour_tables() -> NDArray[np.uint8]:
    """Return the tables of `NAMES`, then the one of signed maps, from against (blue) over none (white) to for (red).

    Returns
    -------
    ndarray, shape (4, 256, 3), uint8

    References
    ----------
    Viridis: Smith and van der Walt 2015. Cividis: Nuñez et al. 2018, doi:10.1371/journal.pone.0199239. Red and blue:
    Harrower and Brewer 2003, doi:10.1179/000870403235002042. As plotly has them.
    """
    return np.stack([colour_table(), *(_table(name) for name in (*NAMES[1:], "signed"))])


def _table(name: str) -> NDArray[np.uint8]:
    """Return 256 colours on straight lines between anchors."""
    texts, _ = convert_colors_to_same_type(_ANCHORS[name], colortype="rgb")
    anchors = np.array([unlabel_rgb(text) for text in texts], dtype=np.float64)  # (A, 3)
    places = np.linspace(0, 1, len(anchors))
    table = [np.interp(np.linspace(0, 1, 256), places, anchors[:, channel]) for channel in range(3)]
    return np.stack(table, axis=1).round().astype(np.uint8)
