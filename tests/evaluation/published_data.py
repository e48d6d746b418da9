"""Data sets with published results, for the tests of comparisons."""

from __future__ import annotations

import numpy as np

PLANT_GROWTH = {
    "ctrl": (4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14),
    "trt1": (4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69),
    "trt2": (6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26),
}
"""R's datasets::PlantGrowth."""

INSECT_SPRAYS = {
    "A": (10, 7, 20, 14, 14, 12, 10, 23, 17, 20, 14, 13),
    "B": (11, 17, 21, 11, 16, 14, 17, 17, 19, 21, 7, 13),
    "C": (0, 1, 7, 2, 3, 1, 2, 1, 3, 0, 1, 4),
    "D": (3, 5, 12, 6, 4, 3, 5, 5, 5, 5, 2, 4),
    "E": (3, 5, 3, 5, 3, 6, 1, 1, 3, 2, 6, 4),
    "F": (11, 9, 15, 22, 15, 16, 13, 10, 26, 26, 24, 13),
}
"""R's datasets::InsectSprays."""

WARP_BREAKS = {
    "A": {
        "L": (26, 30, 54, 25, 70, 52, 51, 26, 67),
        "M": (18, 21, 29, 17, 12, 18, 35, 30, 36),
        "H": (36, 21, 24, 18, 10, 43, 28, 15, 26),
    },
    "B": {
        "L": (27, 14, 29, 19, 29, 31, 41, 20, 44),
        "M": (42, 26, 19, 16, 39, 28, 21, 39, 29),
        "H": (20, 21, 24, 17, 13, 15, 15, 16, 28),
    },
}
"""R's datasets::warpbreaks by wool and tension."""


def _numbers(text: str) -> np.ndarray:
    return np.array(text.split(), dtype=np.float64)


_TIMES = """
5.40 5.50 5.55 5.85 5.70 5.75 5.20 5.60 5.50 5.55 5.50 5.40 5.90 5.85 5.70 5.45 5.55 5.60
5.40 5.40 5.35 5.45 5.50 5.35 5.25 5.15 5.00 5.85 5.80 5.70 5.25 5.20 5.10 5.65 5.55 5.45
5.60 5.35 5.45 5.05 5.00 4.95 5.50 5.50 5.40 5.45 5.55 5.50 5.55 5.55 5.35 5.45 5.50 5.55
5.50 5.45 5.25 5.65 5.60 5.40 5.70 5.65 5.55 6.30 6.30 6.25
"""

ROUNDING_TIMES = dict(zip(("round out", "narrow angle", "wide angle"), _numbers(_TIMES).reshape(22, 3).T, strict=True))
"""Hollander and Wolfe's base-running times, the example of R's help page of friedman.test."""

REACTION_TIMES = np.array(
    [
        [420, 420, 480, 480, 600, 780],
        [420, 480, 480, 360, 480, 600],
        [480, 480, 540, 660, 780, 780],
        [420, 540, 540, 480, 780, 900],
        [540, 660, 540, 480, 660, 720],
        [360, 420, 360, 360, 480, 540],
        [480, 480, 600, 540, 720, 840],
        [480, 600, 660, 540, 720, 900],
        [540, 600, 540, 480, 720, 780],
        [480, 420, 540, 540, 660, 780],
    ],
    dtype=float,
)
"""Maxwell and Delaney's reaction times, in R's help page of SSD: three angles without noise, then with it."""

_AUC = """
0.763 0.768 0.771 0.798 0.599 0.591 0.590 0.569 0.954 0.971 0.968 0.967 0.628 0.661 0.654 0.657
0.882 0.888 0.886 0.898 0.936 0.931 0.916 0.931 0.661 0.668 0.609 0.685 0.583 0.583 0.563 0.625
0.775 0.838 0.866 0.875 1.000 1.000 1.000 1.000 0.940 0.962 0.965 0.962 0.619 0.666 0.614 0.669
0.972 0.981 0.97501 0.975 0.957 0.978 0.946 0.970
"""

DEMSAR_AUC = dict(zip(("C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"), _numbers(_AUC).reshape(14, 4).T, strict=True))
"""Table 6 of Demšar 2006. It ranks the two 0.975 of one row as 2 and 3: they differed before they were rounded."""


def arrays(data: dict) -> dict[str, np.ndarray]:
    """Return groups as tests of groups take them."""
    return {name: np.asarray(values, dtype=np.float64) for name, values in data.items()}
