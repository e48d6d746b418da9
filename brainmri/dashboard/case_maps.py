"""The maps of one case: by any method that is stored of a run, and over the repeats of its network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from sqlalchemy import select

from brainmri.dashboard.state import query_choice, remember_choice
from brainmri.explanation.case_files import case_file
from brainmri.explanation.inventory import take_inventory
from brainmri.explanation.maps import RunMaps, read_maps
from brainmri.explanation.method_names import METHODS, find_method
from brainmri.study import Study
from brainmri.training.architecture_names import find_architecture
from brainmri.training.records import FINISHED, Run

MEAN: Final = "mean"
SPREAD: Final = "spread"
"""Grad-CAM over the repeats of a network; names in addresses, beside those of `METHODS`."""

STRONGEST_SD: Final = 0.5
"""Standard deviation at which the colours of the spread end, as a share of strong evidence: that of as many repeats
with strong evidence as without any."""

_DEPTHS: Final = ("Late layer", "Middle layer", "Early layer")
_DEPTHS_HELP: Final = (
    "How far into the network the map is made. Late layers know most of what the answer rests on, on a coarse grid; "
    "early ones show edges and spots, on a fine one. The usual layer is the latest whose grid is fine enough."
)
_WIDTHS: Final = (7, 6, 17)
"""Of the choice of a map, that of a layer, and what the map shows."""
_ONE_MAP: Final = "one map drawn over all three sequences"
_TEXTS: Final = {
    MEAN: "Where the repeats of this network look on average: each Grad-CAM map counts as a share of what is strong "
    "evidence to its own run.",
    SPREAD: "Where the repeats of this network disagree: standard deviation of their Grad-CAM maps, each as a share of "
    "what is strong evidence to its own run.",
}


@dataclass(frozen=True)
class MapChoice:
    """Which map a visitor wants to see."""

    method: str = "gradcam"
    """A name of `METHODS`, `MEAN` or `SPREAD`."""
    layer: str | None = None
    """Dotted name; None: the usual one, or of a method that is not made on a layer."""

    @property
    def stored_method(self) -> str:
        """Return the method whose stored maps it is made from."""
        return "gradcam" if self.method in _TEXTS else self.method


@dataclass(frozen=True)
class MapSummary:
    """Where the maps of a run come from."""

    layer: str
    grid: tuple[int, int]
    method: str = "gradcam"

    def describe(self) -> str:
        """Return the method, the layer and the grid in words."""
        rows, columns = self.grid
        if self.method in _TEXTS:
            return f"From Grad-CAM of the layer {self.layer}, a grid of {rows} × {columns}; {_ONE_MAP}."
        method = METHODS[self.method]
        if not method.on_layer:
            return f"{method.display_name}, averaged to a grid of {rows} × {columns}; {_ONE_MAP}."
        text = f"{method.display_name} of the layer {self.layer}, a grid of {rows} × {columns}; {_ONE_MAP}: "
        return text + f"{method.display_name} cannot tell which sequence mattered."


@dataclass(frozen=True, eq=False, kw_only=True)
class CaseMaps:
    """Maps of the slices of a case, for the viewer."""

    values: NDArray[np.float32]
    """Shape (K, N, h, w), unscaled."""
    scales: tuple[float, ...]
    """For each class, the value at which colours end."""
    signed: bool
    shows: Literal["evidence", "spread"]
    scale_of: str
    """What the scales were taken from, in words."""


def pick_map(
    study: Study, run_id: str, architecture: str, samples: Sequence[int], *, case_id: str | None = None
) -> MapChoice:
    """Let the visitor choose a map where there are several; keep the choice in the address as ``map`` and ``layer``.

    Parameters
    ----------
    study : Study
    run_id : str
    architecture : str
        Of its network.
    samples : sequence of int
        The slices of the case; without them no map over the repeats is offered.
    case_id : str, optional

    Returns
    -------
    MapChoice
        Not necessarily stored: where the network is, it can be asked.
    """
    labels = map_labels(study, run_id, samples)
    method = query_choice("map", list(labels), next(iter(labels), "gradcam")) or "gradcam"
    usual = usual_layer(study, run_id, case_id) if method in METHODS and METHODS[method].on_layer else None
    layers = {} if usual is None else label_layers(architecture, usual)
    layer = query_choice("layer", list(layers), usual)
    if len(labels) > 1:
        columns = st.columns(_WIDTHS if layers else (_WIDTHS[0], sum(_WIDTHS[1:])), vertical_alignment="center")
        with columns[0]:
            _select("map", method, labels, first=next(iter(labels)))
        if layers:
            with columns[1]:
                _select("layer", layer, layers, first=usual, help_text=_DEPTHS_HELP)
        columns[-1].caption(describe_method(method))
    return MapChoice(method, None if layer == usual else layer)


def _select(
    name: str,
    chosen: str | None,
    labels: dict[str, str],
    *,
    first: str | None,
    help_text: str | None = None,
) -> None:
    """Show a choice that the address carries under a name, unless it is the first."""
    key = f"review-{name}"

    def remember() -> None:
        picked = st.session_state[key]
        remember_choice(**{name: None if picked == first else picked})

    st.session_state[key] = chosen
    st.selectbox(
        name.capitalize(),
        list(labels),
        format_func=labels.__getitem__,
        key=key,
        label_visibility="collapsed",
        help=help_text,
        on_change=remember,
    )


def map_labels(study: Study, run_id: str, samples: Sequence[int]) -> dict[str, str]:
    """Return what can be shown of a case, by name, as people read it: stored, or asked of the network."""
    inventory = take_inventory(study, run_id)
    names = METHODS if inventory.network else inventory.methods
    labels = {name: METHODS[name].display_name for name in names}
    count = len(maps_of_repeats(study, run_id, samples)) if samples else 0
    if count > 1:
        labels |= {MEAN: f"Mean of {count} repeats", SPREAD: f"Spread over {count} repeats"}
    return labels


def usual_layer(study: Study, run_id: str, case_id: str | None) -> str | None:
    """Return the layer of stored maps; None where there are none, or the network cannot be asked for others."""
    known = _stored(study, run_id, MapChoice(), case_id) if take_inventory(study, run_id).network else None
    return None if known is None else known.layer


def label_layers(architecture: str, usual: str) -> dict[str, str]:
    """Return the layers that maps of a network can be made on, late to early, as people read them."""
    layers = find_architecture(architecture).target_layers
    return {name: depth + " (usual)" * (name == usual) for name, depth in zip(layers, _DEPTHS, strict=True)}


def describe_method(method: str) -> str:
    """Return a sentence on what a map shows."""
    return _TEXTS[method] if method in _TEXTS else METHODS[method].text


def read_summary(study: Study, run_id: str, choice: MapChoice, *, case_id: str | None = None) -> MapSummary | None:
    """Return where the maps of a run, or of one of its cases alone, come from; None where there are none."""
    maps = _stored(study, run_id, choice, case_id)
    return MapSummary(maps.layer, maps.grid, choice.method) if maps else None


def read_case_maps(
    study: Study, run_id: str, samples: Sequence[int], choice: MapChoice, *, case_id: str | None = None
) -> CaseMaps | None:
    """Return the maps of the slices of a case; None where they are not stored.

    Parameters
    ----------
    study : Study
    run_id : str
    samples : sequence of int
        The N slices of the case; the run tested them.
    choice : MapChoice
    case_id : str, optional
        Take what was made of this case alone where the run has no such maps.

    Raises
    ------
    ExplanationError
        Where a file is damaged, or the run did not test one of the slices.
    UsageError
        For an unknown method.
    """
    if choice.method in _TEXTS:
        return _over_repeats(maps_of_repeats(study, run_id, samples), samples, choice.method)
    maps = _stored(study, run_id, choice, case_id)
    if maps is None:
        return None
    of_run = maps is maps_of_run(study, run_id, choice.method)
    return CaseMaps(
        values=_of_samples(maps, samples),
        scales=maps.scales,
        signed=bool((maps.maps < 0).any()),
        shows="evidence",
        scale_of="this run" if of_run else "all slices",
    )


def maps_stamp(study: Study, run_id: str, choice: MapChoice, *, case_id: str | None = None) -> tuple[int, ...]:
    """Return when the maps of a choice were written, for the keys of caches."""
    method = find_method(choice.stored_method)
    runs = _repeats(study, run_id) if choice.method in _TEXTS else [run_id]
    alone = () if case_id is None else (file_stamp(study, run_id, case_file(case_id, method.file_on(choice.layer))),)
    return (*(file_stamp(study, one, method.file_name) for one in runs), *alone)


def maps_of_run(study: Study, run_id: str, method: str) -> RunMaps | None:
    """Return the maps of a run by a method, read once for all visitors; None where there are none."""
    stamp = file_stamp(study, run_id, find_method(method).file_name)
    return _read_run_maps(study, study.url, run_id, method, stamp) if stamp else None


def maps_of_case(study: Study, run_id: str, case_id: str | None, choice: MapChoice) -> RunMaps | None:
    """Return the maps that ``explain-case`` made of one case of a run; None where there are none."""
    if case_id is None or choice.method not in METHODS:
        return None
    stamp = file_stamp(study, run_id, case_file(case_id, METHODS[choice.method].file_on(choice.layer)))
    return _read_maps_of_case(study, study.url, run_id, case_id, choice, stamp) if stamp else None


def maps_of_repeats(study: Study, run_id: str, samples: Sequence[int]) -> tuple[RunMaps, ...]:
    """Return the Grad-CAM maps of those repeats of the run's network that tested all of several slices."""
    found = (maps_of_run(study, one, "gradcam") for one in _repeats(study, run_id))
    asked = np.asarray(samples)
    return tuple(maps for maps in found if maps is not None and np.isin(asked, maps.sample_index).all())


def file_stamp(study: Study, run_id: str, file_name: str) -> int:
    """Return when a file of a run was written, for the keys of caches; 0 where there is none."""
    try:
        return (study.run_folder(run_id) / file_name).stat().st_mtime_ns
    except OSError:
        return 0


@st.cache_resource(show_spinner=False, max_entries=64)  # several methods, and the repeats of several networks
def _read_run_maps(_study: Study, url: str, run_id: str, method: str, stamp: int) -> RunMaps | None:
    return read_maps(_study, run_id, method)


@st.cache_resource(show_spinner=False, max_entries=16)
def _read_maps_of_case(
    _study: Study, url: str, run_id: str, case_id: str, choice: MapChoice, stamp: int
) -> RunMaps | None:
    return read_maps(_study, run_id, choice.method, case_id=case_id, layer=choice.layer)


def _stored(study: Study, run_id: str, choice: MapChoice, case_id: str | None) -> RunMaps | None:
    """Return the maps of a choice: of the run where it has them, else of the case alone."""
    of_run = maps_of_run(study, run_id, choice.stored_method) if choice.layer is None else None
    return of_run or maps_of_case(study, run_id, case_id, choice)


def _repeats(study: Study, run_id: str) -> list[str]:
    """Return the runs of the same network in the same experiment, itself among them."""
    with study.session() as session:
        run = session.get(Run, run_id)
        if run is None:
            return []
        query = select(Run.run_id).where(
            Run.experiment_id == run.experiment_id, Run.architecture == run.architecture, Run.status == FINISHED
        )
        return list(session.scalars(query.order_by(Run.repeat)))


def _over_repeats(repeats: Sequence[RunMaps], samples: Sequence[int], method: str) -> CaseMaps | None:
    """Return the mean or the standard deviation (n - 1) of maps, each as a share of strong evidence to its run."""
    if len(repeats) < 2:
        return None
    shares = []
    for maps in repeats:
        scales = np.array([scale if scale > 0 else 1.0 for scale in maps.scales], dtype=np.float32)
        shares.append(np.maximum(_of_samples(maps, samples), 0) / scales[:, None, None, None])
    stacked = np.stack(shares)  # (n, K, N, h, w): one network has one grid
    spread = method == SPREAD
    values = stacked.std(axis=0, ddof=1) if spread else stacked.mean(axis=0)
    return CaseMaps(
        values=values,
        scales=(STRONGEST_SD if spread else 1.0,) * values.shape[0],
        signed=False,
        shows="spread" if spread else "evidence",
        scale_of="these runs",
    )


def _of_samples(maps: RunMaps, samples: Sequence[int]) -> NDArray[np.float32]:
    """Return the maps of several samples, shape (K, N, h, w)."""
    return np.stack(
        [[maps.of(sample, class_index) for sample in samples] for class_index in range(len(maps.classes))]
    ).astype(np.float32)
