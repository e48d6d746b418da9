"""Whether a reader follows the network where it is right, and holds out where it is wrong.

References
----------
Relative reliance on advice, and on oneself: Schemmer M, Kuehl N, Benz C, Bartos A, Satzger G. IUI 2023:410-422,
doi:10.1145/3581641.3584066.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.intervals import ShareInterval, share_interval
from brainmri.teaching.answers import UNANSWERED


@dataclass(frozen=True, kw_only=True)
class Reliance:
    """How a reader used the network's answer.

    Parameters
    ----------
    taken_up : ShareInterval
        Of the cases that the reader got wrong alone and the network right: right with the network.
    held_out : ShareInterval
        Of the cases that the reader got right alone and the network wrong: still right with the network.
    sentence : str
    """

    taken_up: ShareInterval
    held_out: ShareInterval
    sentence: str


def measure_reliance(
    alone: NDArray[np.intp], assisted: NDArray[np.intp], network: NDArray[np.intp], truth: NDArray[np.intp]
) -> Reliance:
    """Measure how a reader used the network's answer.

    Parameters
    ----------
    alone, assisted, network : ndarray, shape (C,), int
        Answers; -1 where there is none. Cases without one of the three do not count.
    truth : ndarray, shape (C,), int
    """
    here = (alone != UNANSWERED) & (assisted != UNANSWERED) & (network != UNANSWERED)
    first, last, shown = (alone == truth)[here], (assisted == truth)[here], (network == truth)[here]
    taken_up, held_out = share_interval(last[~first & shown]), share_interval(last[first & ~shown])
    return Reliance(taken_up=taken_up, held_out=held_out, sentence=_describe(taken_up, held_out))


def _describe(taken_up: ShareInterval, held_out: ShareInterval) -> str:
    if not taken_up.n + held_out.n:
        return "There was no case on which only the reader, or only the network, was right."
    right = (
        f"Where only the network was right, its answer was taken up in {taken_up.hits} of {taken_up.n} cases."
        if taken_up.n
        else "There was no case on which only the network was right."
    )
    wrong = (
        f"Where the network was wrong and the reader right, the reader held out in {held_out.hits} of {held_out.n}."
        if held_out.n
        else "There was no case on which only the reader was right."
    )
    return f"{right} {wrong}"
