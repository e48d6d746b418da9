"""What each case of a session is worth: how difficult it is, and whether it tells strong from weak readers.

References
----------
Difficulty (share right) and discrimination (point-biserial correlation with the score): Lord FM, Novick MR. Statistical
Theories of Mental Test Scores. Addison-Wesley 1968, chapter 15.
Correction, as the case itself is part of the score: Henrysson S. Psychometrika 1963;28:211-218,
doi:10.1007/BF02289618.
Interval of the correlation: Fisher RA. Metron 1921;1:3-32.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.comparison import CONFIDENCE
from brainmri.evaluation.intervals import ShareInterval, share_interval
from brainmri.teaching.answers import UNANSWERED, ReadAnswers, Step

FEWEST_READERS: Final = 3
"""Readers that a correlation needs at least."""

FEW_READERS: Final = 20
"""Below this number of readers the discrimination of a single case is mostly chance: its 95 % interval is wider than
±0.44."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One case as an item of a test.

    Parameters
    ----------
    case_id : str
    truth : str
    right : ShareInterval
        Readers who got it right: its easiness.
    discrimination, lower, upper : float or None
        Correlation of being right here with the share right of the reader's other cases; with Fisher's interval
        (four readers or more).
    counts : tuple of int
        Answers of each class, in the order of the session's classes.
    commonest_wrong : str or None
        The wrong diagnosis that most readers chose; None where nobody was wrong, or several tie.
    note : str or None
        Why there is no discrimination.
    """

    case_id: str
    truth: str
    right: ShareInterval
    discrimination: float | None
    lower: float | None
    upper: float | None
    counts: tuple[int, ...]
    commonest_wrong: str | None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Items:
    """The cases of a session as items, in their order, with the warning where there are few readers."""

    step: Step
    readers: int
    items: tuple[Item, ...]
    warning: str | None


def analyse_items(answers: ReadAnswers, *, step: Step = "alone") -> Items:
    """Return difficulty and discrimination of each case.

    Parameters
    ----------
    answers : ReadAnswers
    step : {'alone', 'with network'}
    """
    chosen = answers.chosen(step)
    answered = chosen != UNANSWERED
    right = answered & (chosen == answers.truth)
    readers = int(answered.any(axis=1).sum())
    return Items(
        step=step,
        readers=readers,
        items=tuple(_item(answers, chosen, answered, right, case) for case in range(len(answers.cases))),
        warning=_warn(readers),
    )


def _warn(readers: int) -> str | None:
    if readers >= FEW_READERS:
        return None
    who = {0: "Nobody has answered", 1: "One reader has answered"}.get(readers, f"{readers} readers have answered")
    return (
        f"{who}: the discrimination of a single case is mostly chance below {FEW_READERS} readers. Read a negative one "
        "as a reason to look at the case, no more."
    )


def _item(
    answers: ReadAnswers,
    chosen: NDArray[np.intp],
    answered: NDArray[np.bool_],
    right: NDArray[np.bool_],
    case: int,
) -> Item:
    here = answered[:, case]
    counts = np.bincount(chosen[here, case], minlength=len(answers.classes))
    discrimination, note = _discriminate(answered, right, case)
    lower, upper = _interval(discrimination, int(here.sum()))
    return Item(
        case_id=answers.cases[case],
        truth=answers.classes[answers.truth[case]],
        right=share_interval(right[here, case]),
        discrimination=discrimination,
        lower=lower,
        upper=upper,
        counts=tuple(int(count) for count in counts),
        commonest_wrong=_commonest_wrong(counts, int(answers.truth[case]), answers.classes),
        note=note,
    )


def _discriminate(answered: NDArray[np.bool_], right: NDArray[np.bool_], case: int) -> tuple[float | None, str | None]:
    others = np.arange(answered.shape[1]) != case
    rest = answered[:, others].sum(axis=1)
    readers = np.flatnonzero(answered[:, case] & (rest > 0))
    if readers.size < FEWEST_READERS:
        needs = f"A correlation needs {FEWEST_READERS} readers who answered this and another case"
        return None, f"{needs}; there are {readers.size}."
    score = right[:, others].sum(axis=1)[readers] / rest[readers]
    item = right[readers, case].astype(np.float64)
    if np.ptp(item) == 0:
        return None, "All readers are right here." if item[0] else "All readers are wrong here."
    if np.ptp(score) == 0:
        return None, "All readers score the same on the other cases."
    return float(np.corrcoef(item, score)[0, 1]), None


def _interval(correlation: float | None, readers: int) -> tuple[float | None, float | None]:
    if correlation is None or readers <= FEWEST_READERS or abs(correlation) >= 1:
        return None, None
    from scipy import special  # noqa: PLC0415 - keeps the import of this module cheap for pages

    reach = float(special.ndtri((1 + CONFIDENCE) / 2)) / math.sqrt(readers - 3)
    centre = math.atanh(correlation)
    return math.tanh(centre - reach), math.tanh(centre + reach)


def _commonest_wrong(counts: NDArray[np.intp], truth: int, classes: tuple[str, ...]) -> str | None:
    wrong = counts.copy()
    wrong[truth] = 0
    if not wrong.any() or (wrong == wrong.max()).sum() > 1:
        return None
    return classes[int(wrong.argmax())]
