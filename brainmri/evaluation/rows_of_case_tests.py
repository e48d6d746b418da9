"""Tests on the same cases, areas under ROC curves and intervals over patients, as rows of tables and in words."""

from __future__ import annotations

from typing import Any

from brainmri.evaluation.bootstrap import Bootstrap
from brainmri.evaluation.case_tests import CaseTests, CochranQ
from brainmri.evaluation.delong import AreaComparison
from brainmri.evaluation.metric_text import scale_of
from brainmri.evaluation.rows_of_tests import name_pair, write_p
from brainmri.evaluation.wording import SIGNIFICANCE, format_p, name_architectures


def describe_cochran(cochran: CochranQ) -> str:
    """Say what Cochran's Q found."""
    note = f" {name_architectures(cochran.note)}" if cochran.note else ""
    cases = f"{_count(cochran.cases)} that every network was tested on in the same repeats"
    if cochran.q is None:
        return f"On {cases}:{note}"
    found = "differ" if cochran.p is not None and cochran.p < SIGNIFICANCE else "are not shown to differ"
    return (
        f"On {cases}, the shares of right verdicts {found}: Q = {cochran.q:.2f}, {format_p(cochran.p)}; "
        f"some networks are right and others wrong on {_count(cochran.differing)}.{note}"
    )


def mcnemar_rows(tests: CaseTests) -> list[dict[str, Any]]:
    """Return one row for each pair: the fourfold table, the difference of accuracy in points, and p."""
    return [
        {
            "Pair": name_pair(pair.a, pair.b),
            "Both right": pair.both_right,
            "Only the first": pair.only_a,
            "Only the second": pair.only_b,
            "Both wrong": pair.both_wrong,
            "Difference (points)": _times(pair.difference, 100),
            "Lower": _times(pair.lower, 100),
            "Upper": _times(pair.upper, 100),
            "p, exact": write_p(pair.p_exact),
            "p, mid": write_p(pair.p_mid),
            "p, mid, Holm": write_p(pair.p_holm),
            "Note": None if pair.note is None else name_architectures(pair.note),
        }
        for pair in tests.pairs
    ]


def describe_areas(compared: AreaComparison) -> str:
    """Say on what areas were compared, and whether they differ."""
    unit = "cases" if compared.patients is None else "images"
    counted = f"{compared.positives} {unit} with the diagnosis against {compared.negatives} without it"
    clustered = "" if compared.patients is None else f", of {compared.patients} cases"
    if compared.p is None:
        return f"{counted}{clustered}."
    found = "differ" if compared.p < SIGNIFICANCE else "are not shown to differ"
    return (
        f"{counted}{clustered}. The areas {found}: χ²({compared.df}) = {compared.chi_square:.2f}, "
        f"{format_p(compared.p)}."
    )


def area_pair_rows(compared: AreaComparison) -> list[dict[str, Any]]:
    """Return DeLong's test of every pair."""
    return [
        {
            "Pair": name_pair(pair.a, pair.b),
            "Difference": pair.difference,
            "Lower": pair.lower,
            "Upper": pair.upper,
            "p": write_p(pair.p),
            "p, Holm": write_p(pair.p_holm),
            "Note": None if pair.note is None else name_architectures(pair.note),
        }
        for pair in compared.pairs
    ]


def area_notes(compared: AreaComparison) -> list[str]:
    """Return why an area, or its interval, is missing; each reason once, with the networks that it is of."""
    networks: dict[str, list[str]] = {}
    for area in compared.areas:
        if area.note:
            networks.setdefault(area.note, []).append(name_architectures(area.name))
    everyone = len(compared.areas)
    return [note if len(names) == everyone else f"{', '.join(names)}: {note}" for note, names in networks.items()]


def patient_difference_rows(bootstrap: Bootstrap) -> list[dict[str, Any]]:
    """Return the differences of all pairs with their intervals over patients; shares in percentage points."""
    scale = scale_of(bootstrap.metric)
    return [
        {
            "Pair": name_pair(pair.a, pair.b),
            "Difference": _times(pair.difference, scale),
            "Lower": _times(pair.lower, scale),
            "Upper": _times(pair.upper, scale),
            "Repeats": pair.repeats,
            "Note": None if pair.note is None else name_architectures(pair.note),
        }
        for pair in bootstrap.differences
    ]


def bootstrap_notes(bootstrap: Bootstrap) -> list[str]:
    """Return each note of the architectures' intervals once."""
    return list(dict.fromkeys(name_architectures(one.note) for one in bootstrap.architectures if one.note))


def without_empty(rows: list[dict[str, Any]], column: str = "Note") -> list[dict[str, Any]]:
    """Return rows without a column in which nothing stands."""
    if any(row.get(column) for row in rows):
        return rows
    return [{key: value for key, value in row.items() if key != column} for row in rows]


def _count(cases: int) -> str:
    return "one case" if cases == 1 else f"{cases} cases"


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else factor * value
