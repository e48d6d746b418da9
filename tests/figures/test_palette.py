"""Colours that readers with a colour-vision deficiency can tell apart, and the look of all figures."""

from __future__ import annotations

import tomllib
from itertools import combinations
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from brainmri.figures.palette import (
    ARCHITECTURE_COLOURS,
    BACKGROUND,
    DIAGNOSIS_COLOURS,
    GRID,
    SEQUENTIAL,
    TEXT,
    apply_theme,
    architecture_colour,
    diagnosis_colour,
    with_opacity,
)
from brainmri.training.architecture_names import ARCHITECTURES
from brainmri.training.settings import PUBLISHED_ARCHITECTURES
from brainmri.vocabulary import DIAGNOSES

# Machado GM, Oliveira MM, Fernandes LAF. IEEE Trans Vis Comput Graph 2009;15:1291-1298, doi:10.1109/TVCG.2009.113,
# severity 1.0, linear RGB.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}


def seen(colour: str, deficiency: str) -> np.ndarray:
    """Return CIELAB coordinates of a colour as a reader with the deficiency sees it."""
    srgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(DEFICIENCIES[deficiency]) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    scaled = xyz / [0.9505, 1.0, 1.089]
    f = np.where(scaled > (6 / 29) ** 3, np.cbrt(scaled), scaled / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("colours", [ARCHITECTURE_COLOURS, DIAGNOSIS_COLOURS], ids=["architectures", "diagnoses"])
def test_colours_can_be_told_apart(colours: dict[str, str], deficiency: str) -> None:
    for a, b in combinations(colours.values(), 2):
        assert np.linalg.norm(seen(a, deficiency) - seen(b, deficiency)) > 20, (a, b)


def test_colours_are_seen_on_the_dark_background() -> None:
    for colour in [*ARCHITECTURE_COLOURS.values(), *DIAGNOSIS_COLOURS.values()]:
        brighter, darker = luminance(colour) + 0.05, luminance(BACKGROUND) + 0.05
        assert brighter / darker > 3, colour  # WCAG 2.1, criterion 1.4.11


def luminance(colour: str) -> float:
    """Return WCAG's relative luminance."""
    srgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return float(np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def test_every_network_and_every_diagnosis_has_its_own_colour() -> None:
    assert list(ARCHITECTURE_COLOURS) == list(ARCHITECTURES)
    assert set(DIAGNOSIS_COLOURS) == set(DIAGNOSES)
    every = [*ARCHITECTURE_COLOURS.values(), *DIAGNOSIS_COLOURS.values()]
    assert len(set(every)) == len(every)


def test_an_unknown_name_gets_a_steady_colour_and_no_label_grey() -> None:
    assert architecture_colour("vgg16") == architecture_colour("vgg16")
    assert architecture_colour("vgg16") not in ARCHITECTURE_COLOURS.values()
    assert diagnosis_colour(None) not in DIAGNOSIS_COLOURS.values()
    assert diagnosis_colour("glioblastoma") == DIAGNOSIS_COLOURS["glioblastoma"]


def test_opacity_is_written_as_css() -> None:
    assert with_opacity("#0072B2", 0.25) == "rgba(0, 114, 178, 0.25)"


def test_the_palette_is_that_of_the_theme() -> None:
    config = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"
    theme = tomllib.loads(config.read_text(encoding="utf-8"))["theme"]
    assert (theme["backgroundColor"], theme["textColor"], theme["borderColor"]) == (BACKGROUND, TEXT, GRID)
    assert list(SEQUENTIAL) == theme["chartSequentialColors"]
    published = [ARCHITECTURE_COLOURS[name] for name in PUBLISHED_ARCHITECTURES]
    assert published == theme["chartCategoricalColors"][:3]


def test_the_theme_leaves_the_page_visible_and_keeps_zoom() -> None:
    figure = go.Figure(go.Scatter(x=[1], y=[1]))
    assert apply_theme(figure, height=300, revision="steady") is figure
    layout = figure.layout
    assert layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert layout.template.layout.xaxis.gridcolor == GRID
    assert (layout.height, layout.uirevision) == (300, "steady")
