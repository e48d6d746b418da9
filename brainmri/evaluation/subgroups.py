"""Accuracy in subgroups of cases: by scanner, field strength, age, sex and size of the tumour."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.case_attributes import CaseAttributes
from brainmri.evaluation.intervals import ShareInterval, share_interval
from brainmri.evaluation.verdicts import Scored

AGE_BANDS: Final = (40, 55, 70)
"""First years of the bands after the first one."""

FEW_CASES: Final = 20
"""Below this number of cases an accuracy is known to ±20 percentage points or worse: a note says so."""

NOT_KNOWN: Final = "not known"

_Grouping = Callable[[CaseAttributes], str | None]


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """Accuracy of one architecture in one subgroup, all its runs pooled.

    Parameters
    ----------
    attribute : str
        ``Scanner``, ``Field strength``, ``Age``, ``Sex`` or ``Tumour size``.
    group : str
        ``55 to 69 years``; `NOT_KNOWN` for cases without the attribute.
    architecture : str
    cases : int
        Tested in any of the runs.
    accuracy : ShareInterval
        Of images (or verdicts) of all runs, with an interval that counts cases.
    note : str or None
        A warning where there are few cases.
    """

    attribute: str
    group: str
    architecture: str
    cases: int
    accuracy: ShareInterval
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class SubgroupTable:
    """Subgroups by attribute, group and architecture, and what could not be grouped."""

    rows: tuple[Subgroup, ...]
    notes: tuple[str, ...]


def tabulate_subgroups(scored: Scored, attributes: Mapping[str, CaseAttributes]) -> SubgroupTable:
    """Return the accuracy of every architecture in every subgroup.

    Parameters
    ----------
    scored : ExperimentPredictions or Verdicts
    attributes : mapping of str to CaseAttributes
        By ``case_id``, see `brainmri.evaluation.case_attributes.read_case_attributes`; cases that are missing are taken
        as not known.
    """
    tested = [scored.case_ids[place] for place in np.unique(scored.case)]
    known = [attributes.get(case_id, CaseAttributes(case_id=case_id)) for case_id in tested]
    rows: list[Subgroup] = []
    notes: list[str] = []
    for attribute, grouping in _groupings(known).items():
        group_of = {one.case_id: grouping(one) or NOT_KNOWN for one in known}
        if set(group_of.values()) <= {NOT_KNOWN}:
            notes.append(f"{attribute} is not known of any tested case.")
            continue
        rows += _rows(scored, attribute, group_of, _order(attribute, known, grouping))
    return SubgroupTable(rows=tuple(rows), notes=tuple(notes) if tested else ("No case was tested.",))


def _groupings(known: Sequence[CaseAttributes]) -> dict[str, _Grouping]:
    thirds = _thirds([one.tumour_side_mm for one in known if one.tumour_side_mm is not None])
    return {
        "Scanner": lambda one: one.scanner,
        "Field strength": lambda one: None if one.field_strength_t is None else f"{one.field_strength_t:g} T",
        "Age": lambda one: None if one.age_years is None else _age_band(one.age_years),
        "Sex": lambda one: one.sex,
        "Tumour size": lambda one: None if one.tumour_side_mm is None else _size_band(one.tumour_side_mm, thirds),
    }


def _order(attribute: str, known: Sequence[CaseAttributes], grouping: _Grouping) -> list[str]:
    """Return the groups in the order of what they hold, those not known last."""
    keys: dict[str, Callable[[CaseAttributes], float]] = {
        "Field strength": lambda one: one.field_strength_t or 0.0,
        "Age": lambda one: one.age_years or 0.0,
        "Tumour size": lambda one: one.tumour_side_mm or 0.0,
    }
    ordered = (
        sorted(known, key=keys[attribute]) if attribute in keys else sorted(known, key=lambda one: grouping(one) or "")
    )
    return [*dict.fromkeys(group for group in map(grouping, ordered) if group), NOT_KNOWN]


def _rows(scored: Scored, attribute: str, group_of: Mapping[str, str], order: Sequence[str]) -> list[Subgroup]:
    place = {group: index for index, group in enumerate(order)}
    group_of_case = np.array([place[group_of.get(case_id, NOT_KNOWN)] for case_id in scored.case_ids], dtype=np.intp)
    group = group_of_case[scored.case]
    right = scored.true_class == scored.predicted_class
    architecture_of_run = np.array([run.architecture for run in scored.runs])
    return [
        _row(attribute, name, architecture, right[rows], scored.case[rows])
        for index, name in enumerate(order)
        for architecture in dict.fromkeys(run.architecture for run in scored.runs)
        if (rows := np.flatnonzero((group == index) & (architecture_of_run[scored.run] == architecture))).size
    ]


def _row(attribute: str, group: str, architecture: str, right: NDArray[np.bool_], case: NDArray[np.intp]) -> Subgroup:
    cases = int(np.unique(case).size)
    count = "1 case" if cases == 1 else f"{cases} cases"
    return Subgroup(
        attribute=attribute,
        group=group,
        architecture=architecture,
        cases=cases,
        accuracy=share_interval(right, case),
        note=f"{count} only: too few to tell this group from the others." if cases < FEW_CASES else None,
    )


def _age_band(years: float) -> str:
    starts = (0, *AGE_BANDS)
    index = max(place for place, start in enumerate(starts) if years >= start)
    if index == 0:
        return f"under {AGE_BANDS[0]} years"
    if index == len(AGE_BANDS):
        return f"{AGE_BANDS[-1]} years and over"
    return f"{starts[index]} to {starts[index + 1] - 1} years"


def _thirds(sides_mm: Sequence[float]) -> tuple[float, float] | None:
    """Return the bounds of tertiles in whole millimetres; None where they do not part the cases."""
    if not sides_mm:
        return None
    low, high = (float(math.floor(value)) for value in np.quantile(sides_mm, [1 / 3, 2 / 3]))
    return (low, high) if min(sides_mm) <= low < high < max(sides_mm) else None


def _size_band(side_mm: float, thirds: tuple[float, float] | None) -> str | None:
    if thirds is None:
        return "all of about one size"
    low, high = thirds
    if side_mm <= low:
        return f"up to {low:.0f} mm"
    return f"{low:.0f} to {high:.0f} mm" if side_mm <= high else f"above {high:.0f} mm"
