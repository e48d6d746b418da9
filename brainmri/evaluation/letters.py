"""Compact letters: models that share a letter are not told apart by a test.

References
----------
Insert-and-absorb algorithm: Piepho HP. Journal of Computational and Graphical Statistics 2004;13:456-466,
doi:10.1198/1061860043515.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from string import ascii_lowercase

from brainmri.evaluation.wording import SIGNIFICANCE


def compact_letters(models: Sequence[str], told_apart: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return letters for each model.

    Parameters
    ----------
    models : sequence of str
        In the order in which letters are given out: the best first, so that it has an ``a``.
    told_apart : iterable of pairs of str
        Pairs that the test tells apart, in either order.

    Returns
    -------
    dict of str to str
        Two models share a letter if and only if they are not told apart. After ``z`` comes ``a1``.
    """
    columns: list[frozenset[str]] = [frozenset(models)]
    for pair in told_apart:
        columns = _absorb([part for column in columns for part in _split(column, *pair)])
    place = {model: index for index, model in enumerate(models)}
    columns.sort(key=lambda column: sorted(place[model] for model in column))
    return {
        model: "".join(_letter(index) for index, column in enumerate(columns) if model in column) for model in models
    }


def letters_by_mean(
    means: Mapping[str, float], p_values: Mapping[tuple[str, str], float | None], *, higher_is_better: bool = True
) -> dict[str, str]:
    """Return letters of a test at 5 %, given out from the best mean on; empty where some pair could not be tested.

    Parameters
    ----------
    means : mapping of str to float
    p_values : mapping of pair of str to float or None
        Adjusted for the number of pairs.
    higher_is_better : bool
    """
    if not p_values or any(p is None for p in p_values.values()):
        return {}
    order = sorted(means, key=lambda model: means[model], reverse=higher_is_better)
    return compact_letters(order, [pair for pair, p in p_values.items() if p is not None and p < SIGNIFICANCE])


def _split(column: frozenset[str], a: str, b: str) -> list[frozenset[str]]:
    """Put two models that share a letter under different ones."""
    return [column - {a}, column - {b}] if {a, b} <= column else [column]


def _absorb(columns: list[frozenset[str]]) -> list[frozenset[str]]:
    """Drop letters whose models all share another one."""
    distinct = list(dict.fromkeys(columns))
    return [column for column in distinct if not any(column < other for other in distinct)]


def _letter(index: int) -> str:
    turn, place = divmod(index, len(ascii_lowercase))
    return ascii_lowercase[place] + (str(turn) if turn else "")
