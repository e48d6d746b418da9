"""Readers against the network on the same cases: each reader, and the majority of them.

The majority's answer is the diagnosis that most readers chose; a case on which two diagnoses tie has none. A case that
the network never tested is left out.

References
----------
Exact test: McNemar Q. Psychometrika 1947;12:153-157, doi:10.1007/BF02295996.
Interval of the difference: Newcombe RG. Stat Med 1998;17:2635-2650, method 10,
doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C.
Several readers: Holm S. Scand J Stat 1979;6:65-70.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brainmri.evaluation.case_tests import McNemar, mcnemar
from brainmri.evaluation.intervals import ShareInterval, share_interval
from brainmri.evaluation.resampled import holm
from brainmri.evaluation.wording import SIGNIFICANCE, format_p, format_points, format_share
from brainmri.teaching.answers import UNANSWERED, ReadAnswers, Step

MAJORITY: Final = "majority of the readers"
NETWORK: Final = "network"


@dataclass(frozen=True, kw_only=True)
class AgainstNetwork:
    """One reader, or the majority, against the network on the cases that both answered.

    Parameters
    ----------
    reader : str
    reader_right, network_right : ShareInterval
    test : McNemar
        Reader minus network.
    p_adjusted : float or None
        The exact p-value adjusted for the number of readers; that of the majority is not adjusted.
    sentence : str
    """

    reader: str
    reader_right: ShareInterval
    network_right: ShareInterval
    test: McNemar
    p_adjusted: float | None
    sentence: str


@dataclass(frozen=True, kw_only=True)
class NetworkComparison:
    """All readers of a session against the network.

    Parameters
    ----------
    step : {'alone', 'with network'}
    readers : tuple of AgainstNetwork
        Those who answered a case that the network tested.
    majority : AgainstNetwork or None
        None with fewer than three readers, where a majority means nothing.
    ties : int
        Cases on which diagnoses tie, so that there is no majority.
    untested : int
        Cases of the session that the network never tested.
    network : ShareInterval
        The network on all cases that it tested, whoever read them.
    sentence : str
    """

    step: Step
    readers: tuple[AgainstNetwork, ...]
    majority: AgainstNetwork | None
    ties: int
    untested: int
    network: ShareInterval
    sentence: str


def compare_with_network(answers: ReadAnswers, *, step: Step = "alone") -> NetworkComparison:
    """Compare each reader, and their majority, with the network."""
    chosen, network = answers.chosen(step), answers.network_answers()
    votes = majority_answers(chosen, len(answers.classes))
    several = int((chosen != UNANSWERED).any(axis=1).sum()) > 2
    majority = _compare(MAJORITY, votes, network, answers.truth) if several else None
    pairs = [_compare(name, row, network, answers.truth) for name, row in zip(answers.readers, chosen, strict=True)]
    pairs = [pair for pair in pairs if pair.test.cases]
    adjusted = holm([pair.test.p_exact for pair in pairs])
    readers = tuple(
        replace(pair, p_adjusted=p, sentence=_describe(pair.reader, pair.test, p))
        for pair, p in zip(pairs, adjusted, strict=True)
    )
    tested = network != UNANSWERED
    return NetworkComparison(
        step=step,
        readers=readers,
        majority=majority if majority is not None and majority.test.cases else None,
        ties=int(((votes == UNANSWERED) & (chosen != UNANSWERED).any(axis=0)).sum()),
        untested=int((~tested).sum()),
        network=share_interval(network[tested] == answers.truth[tested]),
        sentence=_summarise(readers, bool(tested.any())),
    )


def majority_answers(chosen: NDArray[np.intp], classes: int) -> NDArray[np.intp]:
    """Return the class that most readers chose for each case.

    Parameters
    ----------
    chosen : ndarray, shape (R, C), int
        -1 where not answered.
    classes : int

    Returns
    -------
    ndarray, shape (C,), int
        -1 where nobody answered, or two classes tie.
    """
    counts = (chosen[:, :, None] == np.arange(classes)).sum(axis=0)
    most = counts.max(axis=1, initial=0)
    alone_ahead = (counts == most[:, None]).sum(axis=1) == 1
    return np.where((most > 0) & alone_ahead, counts.argmax(axis=1), UNANSWERED)


def _compare(name: str, chosen: NDArray[np.intp], network: NDArray[np.intp], truth: NDArray[np.intp]) -> AgainstNetwork:
    both = (chosen != UNANSWERED) & (network != UNANSWERED)
    right, network_right = (chosen == truth)[both], (network == truth)[both]
    test = mcnemar(right, network_right, names=(name, NETWORK))
    return AgainstNetwork(
        reader=name,
        reader_right=share_interval(right),
        network_right=share_interval(network_right),
        test=test,
        p_adjusted=test.p_exact,
        sentence=_describe(name, test, test.p_exact),
    )


def _describe(name: str, test: McNemar, p: float | None) -> str:
    if not test.cases:
        return f"{name} and the network share no case."
    reader = format_share((test.both_right + test.only_a) / test.cases, digits=0)
    network = format_share((test.both_right + test.only_b) / test.cases, digits=0)
    begin = f"{name}: {reader} right on {test.cases} cases, the network {network}"
    if p is None or test.lower is None or test.upper is None:
        return f"{begin}; both are right on the same cases."
    better = "better" if (test.difference or 0) > 0 else "worse"
    verdict = f"{better} than the network beyond chance" if p < SIGNIFICANCE else "no difference beyond chance"
    interval = f"{format_points(test.lower)} to {format_points(test.upper)}"
    return f"{begin}: {format_points(test.difference)} points ({interval}), {verdict} ({format_p(p)})."


def _summarise(readers: tuple[AgainstNetwork, ...], tested: bool) -> str:
    if not tested:
        return "The session has no answers of a network: there is nothing to compare readers with."
    if not readers:
        return "Nobody has answered a case that the network tested."
    beyond = [one for one in readers if one.p_adjusted is not None and one.p_adjusted < SIGNIFICANCE]
    better = sum((one.test.difference or 0) > 0 for one in beyond)
    count = "1 reader" if len(readers) == 1 else f"{len(readers)} readers"
    return (
        f"Of {count}, {better} did better and {len(beyond) - better} worse than the network beyond chance (McNemar's "
        "exact test on the same cases, adjusted for the number of readers by Holm's method)."
    )
