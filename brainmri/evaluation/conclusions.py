"""What the tests say, in plain sentences: what holds under which assumption, and where they disagree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from brainmri.evaluation.bayesian import DECISION, BayesianPair
from brainmri.evaluation.findings import Conclusion, Findings
from brainmri.evaluation.measure import Measure
from brainmri.evaluation.wording import SIGNIFICANCE, format_p, list_words

_LISTED: Final = 6
"""A sentence lists so many pairs at most."""


@dataclass(frozen=True, kw_only=True)
class _Verdict:
    """What one test says of one pair; the difference is zero or more, or None for a test by ranks."""

    better: str
    worse: str
    points: float | None
    p: float
    measure: Measure

    @property
    def told_apart(self) -> bool:
        return self.p < SIGNIFICANCE

    @property
    def pair(self) -> frozenset[str]:
        return frozenset((self.better, self.worse))


def conclude(findings: Findings) -> tuple[Conclusion, ...]:
    """Say what holds under which assumption."""
    plain = _verdicts(findings, ((one.a, one.b, one.difference, one.p) for one in findings.comparison.tukey))
    corrected = _verdicts(findings, ((one.a, one.b, one.difference, one.p_holm) for one in findings.corrected_t))
    drafts = (
        _conclude_plain(findings, plain),
        *_conclude_fewer_assumptions(findings, plain),
        _conclude_shared_splits(findings),
        _conclude_overlap(findings, corrected),
        _conclude_disagreement(plain, corrected),
        _conclude_probability(findings),
        _conclude_size(findings),
    )
    conclusions = tuple(draft for draft in drafts if draft is not None)
    if conclusions:
        return conclusions
    return (
        Conclusion(
            topic="nothing", text=f"These {findings.measure.plural} allow no test of models; the notes say why."
        ),
    )


def _conclude_plain(findings: Findings, plain: Sequence[_Verdict]) -> Conclusion | None:
    anova = findings.comparison.anova
    if not plain or anova.p is None:
        return None
    return Conclusion(
        topic="plain",
        text=f"If the repeats were independent, as the published analysis takes them to be: {_describe(plain)} "
        f"(Tukey; ANOVA {format_p(anova.p)}).",
    )


def _conclude_fewer_assumptions(findings: Findings, plain: Sequence[_Verdict]) -> list[Conclusion]:
    """Say what holds without equal scatter, and without normal repeats: at once, where both say what is said before."""
    scattered = _verdicts(findings, ((one.a, one.b, one.difference, one.p) for one in findings.games_howell))
    ranked = _rank_verdicts(findings) if findings.kruskal.p is not None else []
    welch = "" if findings.welch.p is None else f"; Welch {format_p(findings.welch.p)}"
    kruskal = f"Dunn with Holm's adjustment; Kruskal-Wallis {format_p(findings.kruskal.p)}"
    if scattered and ranked and _apart(scattered) == _apart(ranked) == _apart(plain):
        text = (
            "If the repeats were independent, but every model may scatter by an amount of its own (Games-Howell"
            f"{welch}), or only the order of the {findings.measure.plural} counts, which need not be normal "
            f"({kruskal}): {_describe_against(scattered, plain)}."
        )
        return [Conclusion(topic="fewer assumptions", text=text)]
    conclusions = []
    if scattered:
        text = (
            "If the repeats were independent, but every model may scatter by an amount of its own: "
            f"{_describe_against(scattered, plain)} (Games-Howell{welch})."
        )
        conclusions.append(Conclusion(topic="unequal scatter", text=text))
    if ranked:
        text = (
            f"If the repeats were independent, and only the order of the {findings.measure.plural} counts, which need "
            f"not be normal: {_describe_against(ranked, plain)} ({kruskal})."
        )
        conclusions.append(Conclusion(topic="ranks", text=text))
    return conclusions


def _conclude_shared_splits(findings: Findings) -> Conclusion | None:
    measured, ranked = findings.repeated_measures, findings.friedman
    parts = []
    if measured.p_greenhouse_geisser is not None:
        parts.append(
            f"the mean {findings.measure.plural} {_differ(measured.p_greenhouse_geisser)} (repeated-measures ANOVA, "
            f"after Greenhouse and Geisser {format_p(measured.p_greenhouse_geisser)})"
        )
    if ranked.p is not None:
        parts.append(f"the models' ranks {_differ(ranked.p)} (Friedman {format_p(ranked.p)}{_nemenyi(findings)})")
    if not parts:
        return None
    return Conclusion(
        topic="shared splits",
        text=f"If the models are compared within each split that they share, so that easy and hard splits cancel: "
        f"{list_words(parts)}. These tests, too, take the splits for independent of one another.",
    )


def _conclude_overlap(findings: Findings, corrected: Sequence[_Verdict]) -> Conclusion | None:
    if not corrected:
        return None
    return Conclusion(
        topic="overlap",
        text=f"If the overlap of the splits is allowed for, approximately (random splits of one data set, "
        f"{100 * findings.test_fraction:.0f} % of it for testing): {_describe(corrected)} (corrected resampled t-test "
        "with Holm's adjustment). For repeated random splits of one data set, rely on this one.",
    )


def _conclude_disagreement(plain: Sequence[_Verdict], corrected: Sequence[_Verdict]) -> Conclusion | None:
    by_pair = {verdict.pair: verdict for verdict in corrected}
    both = [(verdict, by_pair[verdict.pair]) for verdict in plain if verdict.pair in by_pair]
    if not both:
        return None
    lost = [(one, other) for one, other in both if one.told_apart and not other.told_apart]
    won = [(one, other) for one, other in both if other.told_apart and not one.told_apart]
    sentences = []
    if lost:
        sentences.append(
            f"The plain and the corrected test disagree: Tukey's test tells {_list_pairs(lost)}; the corrected "
            f"test does not. As the splits overlap, these repeats do not show {_which(lost)}, nor that the models are "
            "equal."
        )
    if won:
        sentences.append(
            f"The corrected test tells {_list_pairs(won)}; Tukey's test does not: over the splits that both models "
            "share, their difference is steadier than either of them."
        )
    if not sentences:
        sentences.append("The plain test (Tukey) and the corrected one agree on every pair.")
    return Conclusion(topic="disagreement", text=" ".join(sentences))


def _conclude_probability(findings: Findings) -> Conclusion | None:
    pairs = [pair for pair in findings.bayesian if pair.p_a_better is not None]
    if not pairs:
        return None
    region = f"{findings.measure.describe_region(pairs[0].equivalence / findings.point)} counted as none"
    listed = "; ".join(_describe_posterior(pair) for pair in pairs[:_LISTED])
    more = f"; {len(pairs) - _LISTED} more pairs are in the table" if len(pairs) > _LISTED else ""
    return Conclusion(
        topic="probability",
        text=f"As probabilities, with the overlap allowed for in the same way and {region}: {listed}{more} (Bayesian "
        "correlated t-test).",
    )


def _conclude_size(findings: Findings) -> Conclusion | None:
    sizes = findings.effect_sizes
    if sizes.eta_squared is None:
        return None
    interval = (
        ""
        if sizes.eta_squared_lower is None or sizes.eta_squared_upper is None
        else f", 95 % interval {100 * sizes.eta_squared_lower:.0f} to {100 * sizes.eta_squared_upper:.0f} %"
    )
    return Conclusion(
        topic="size",
        text=f"Of the variation among all {findings.measure.plural}, {100 * sizes.eta_squared:.0f} % lies between the "
        f"models and the rest between the repeats of each (η²{interval}, for independent repeats).",
    )


def _verdicts(findings: Findings, rows: Iterable[tuple[str, str, float | None, float | None]]) -> list[_Verdict]:
    """Return what a test says of the pairs that it could test, from rows of a, b, a − b and p."""
    return [
        _verdict(findings, a, b, difference, p, points=abs(difference) / findings.point)
        for a, b, difference, p in rows
        if difference is not None and p is not None
    ]


def _rank_verdicts(findings: Findings) -> list[_Verdict]:
    """Return what Dunn's test says of the pairs."""
    return [
        _verdict(findings, pair.a, pair.b, pair.z, pair.p_holm)
        for pair in findings.dunn
        if pair.z is not None and pair.p_holm is not None
    ]


def _verdict(findings: Findings, a: str, b: str, difference: float, p: float, points: float | None = None) -> _Verdict:
    a_is_better = difference >= 0 if findings.measure.higher_is_better else difference <= 0
    better, worse = (a, b) if a_is_better else (b, a)
    return _Verdict(better=better, worse=worse, points=points, p=p, measure=findings.measure)


def _apart(verdicts: Iterable[_Verdict]) -> set[frozenset[str]]:
    return {verdict.pair for verdict in verdicts if verdict.told_apart}


def _describe(verdicts: Sequence[_Verdict]) -> str:
    """Say which models are told apart, and which are not."""
    apart = [verdict for verdict in verdicts if verdict.told_apart]
    if not apart:
        smallest = min(verdicts, key=lambda verdict: verdict.p)
        if len(verdicts) == 1:
            return f"{smallest.better} and {smallest.worse} are not told apart ({format_p(smallest.p)})"
        return (
            f"no two models are told apart (nearest to it: {smallest.better} and {smallest.worse}, "
            f"{format_p(smallest.p)})"
        )
    if len(apart) > _LISTED:
        return f"{len(apart)} of {len(verdicts)} pairs of models are told apart (in the table)"
    found = list_words([_describe_verdict(verdict) for verdict in apart])
    rest = [verdict for verdict in verdicts if not verdict.told_apart]
    if not rest:
        return found
    if len(rest) > _LISTED:
        return f"{found}; the other {len(rest)} pairs are not told apart"
    return f"{found}; not told apart: {', '.join(_name(verdict) for verdict in rest)}"


def _describe_against(verdicts: Sequence[_Verdict], plain: Sequence[_Verdict]) -> str:
    """Say which models are told apart, in short where it is much the same as what the plain test says."""
    apart, before = _apart(verdicts), _apart(plain)
    if not plain or (apart != before and not apart & before) or len(apart ^ before) > _LISTED:
        return _describe(verdicts)
    if not apart:
        return "no two models are told apart either" if len(verdicts) > 1 else "they are not told apart either"
    lost = [_name(verdict) for verdict in verdicts if verdict.pair in before - apart]
    gained = [_describe_verdict(verdict) for verdict in verdicts if verdict.pair in apart - before]
    but = f", but not {list_words(lost)}" if lost else ""
    besides = f"; besides, {list_words(gained)}" if gained else ""
    return f"the same models are told apart{but}{besides}"


def _describe_verdict(verdict: _Verdict) -> str:
    if verdict.points is None:
        return f"{verdict.better} ranks above {verdict.worse} ({format_p(verdict.p)})"
    by = verdict.measure.describe(verdict.points)
    return f"{verdict.better} is {verdict.measure.better} than {verdict.worse} (by {by}, {format_p(verdict.p)})"


def _name(verdict: _Verdict) -> str:
    return f"{verdict.better} and {verdict.worse} ({format_p(verdict.p)})"


def _list_pairs(pairs: Sequence[tuple[_Verdict, _Verdict]]) -> str:
    listed = [
        f"{plain.better} from {plain.worse} (difference {plain.measure.describe(plain.points)}; {format_p(plain.p)}, "
        f"corrected {format_p(corrected.p)})"
        for plain, corrected in pairs[:_LISTED]
    ]
    more = [f"{len(pairs) - _LISTED} more pairs"] if len(pairs) > _LISTED else []
    return list_words([*listed, *more])


def _which(pairs: Sequence[tuple[_Verdict, _Verdict]]) -> str:
    if len(pairs) == 1:
        return f"that {pairs[0][0].better} is the better of the two"
    return "which of them is the better"


def _differ(p: float) -> str:
    return "differ" if p < SIGNIFICANCE else "are not shown to differ"


def _nemenyi(findings: Findings) -> str:
    apart = [pair for pair in findings.nemenyi if pair.p is not None and pair.p < SIGNIFICANCE]
    if len(findings.nemenyi) < 2 or len(apart) > _LISTED:
        return ""
    if not apart:
        return "; Nemenyi tells no two of them apart"
    return f"; Nemenyi tells {list_words([f'{pair.a} from {pair.b}' for pair in apart])}"


def _describe_posterior(pair: BayesianPair) -> str:
    """Say how probable it is that one model is better, the two are practically equal, or the other is better."""
    better, equal, worse = (value or 0.0 for value in (pair.p_a_better, pair.p_equivalent, pair.p_b_better))
    first, second = (pair.a, pair.b) if better >= worse else (pair.b, pair.a)
    shown = max(better, worse)
    if equal > DECISION:
        return f"{first} and {second} are practically equal with a probability of {_per_cent(equal)}"
    text = (
        f"{first} is better than {second} with a probability of {_per_cent(shown)}, practically equal with "
        f"{_per_cent(equal)}, worse with {_per_cent(min(better, worse))}"
    )
    return text if shown > DECISION else f"{text} (undecided)"


def _per_cent(probability: float) -> str:
    """Return a probability in whole per cent, never rounded to certainty."""
    if probability < 0.005:
        return "less than 1 %"
    return "more than 99 %" if probability > 0.995 else f"{100 * probability:.0f} %"
