"""Accuracy of one reader over sessions, and whether it changes beyond chance.

References
----------
Trend of shares over ordered groups: Armitage P. Biometrics 1955;11:375-386, doi:10.2307/3001775; with the variance
given all totals, Mantel N. J Am Stat Assoc 1963;58:690-700, doi:10.1080/01621459.1963.10500879.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from brainmri.errors import EvaluationError
from brainmri.evaluation.intervals import ShareInterval, wilson_interval
from brainmri.evaluation.wording import SIGNIFICANCE, format_p, format_points

FEWEST_SESSIONS: Final = 3
"""Two points always lie on a line."""

_DIFFICULTY: Final = "Sessions differ in their cases, so a change may also be one of their difficulty."


@dataclass(frozen=True, kw_only=True)
class SessionResult:
    """What a reader scored in one session.

    Parameters
    ----------
    session_id, title : str
    date : datetime
    right, n : int
        Right answers among all, at one step.
    """

    session_id: str
    title: str
    date: datetime
    right: int
    n: int


@dataclass(frozen=True, kw_only=True)
class SessionPoint:
    """One session on the curve."""

    session_id: str
    title: str
    date: datetime
    accuracy: ShareInterval


@dataclass(frozen=True, kw_only=True)
class Learning:
    """Accuracy over sessions.

    Parameters
    ----------
    points : tuple of SessionPoint
        In the order of dates; sessions without an answer are left out.
    slope : float or None
        Change of the share right from one session to the next, by weighted least squares; None below three sessions.
    p : float or None
        Of the test for a trend; None where there is none.
    sentence : str
    """

    points: tuple[SessionPoint, ...]
    slope: float | None
    p: float | None
    sentence: str


def learn(results: Sequence[SessionResult]) -> Learning:
    """Describe the accuracy of one reader over sessions.

    Raises
    ------
    EvaluationError
        Where more answers are right than were given.
    """
    for one in results:
        if not 0 <= one.right <= one.n:
            raise EvaluationError(
                f"Session {one.session_id} is said to have {one.right} right answers of {one.n}: expected 0 to {one.n}."
            )
    answered = sorted((one for one in results if one.n), key=lambda one: (one.date, one.session_id))
    points = tuple(_point(one) for one in answered)
    slope, p = _trend(answered)
    return Learning(points=points, slope=slope, p=p, sentence=_describe(len(points), slope, p))


def _point(one: SessionResult) -> SessionPoint:
    lower, upper = wilson_interval(one.right, one.n)
    accuracy = ShareInterval(
        share=one.right / one.n, lower=lower, upper=upper, hits=one.right, n=one.n, effective_n=float(one.n)
    )
    return SessionPoint(session_id=one.session_id, title=one.title, date=one.date, accuracy=accuracy)


def _trend(results: Sequence[SessionResult]) -> tuple[float | None, float | None]:
    """Return the slope a session and the two-sided p-value of the trend."""
    if len(results) < FEWEST_SESSIONS:
        return None, None
    n = np.array([one.n for one in results], dtype=np.float64)
    right = np.array([one.right for one in results], dtype=np.float64)
    order = np.arange(len(results)) - np.average(np.arange(len(results)), weights=n)
    total, share = float(n.sum()), float(right.sum() / n.sum())
    spread = float((n * order**2).sum())
    slope = float((right * order).sum()) / spread
    if share in (0.0, 1.0):
        return slope, None
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    z = float((right * order).sum()) / math.sqrt(share * (1 - share) * spread * total / (total - 1))
    return slope, float(2 * special.ndtr(-abs(z)))


def _describe(sessions: int, slope: float | None, p: float | None) -> str:
    if not sessions:
        return "No session has been answered yet."
    if slope is None:
        count = "One session says" if sessions == 1 else "Two sessions say"
        return f"{count} nothing about a trend: it takes {FEWEST_SESSIONS} or more."
    if p is None:
        return f"Over {sessions} sessions every answer is alike, right or wrong: there is no trend to test."
    if p >= SIGNIFICANCE:
        return f"Over {sessions} sessions no change of accuracy beyond chance ({format_p(p)})."
    word = "rises" if slope > 0 else "falls"
    points = format_points(abs(slope)).lstrip("+")
    return f"Over {sessions} sessions accuracy {word} by about {points} points a session ({format_p(p)}). {_DIFFICULTY}"
