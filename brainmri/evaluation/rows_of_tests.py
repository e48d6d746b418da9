"""Every test of models over repeats as rows of tables: all models at once, and pair by pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from brainmri.evaluation.bayesian import DECISION, BayesianPair
from brainmri.evaluation.case_tests import CochranQ
from brainmri.evaluation.findings import Findings, Topic
from brainmri.evaluation.wording import SIGNIFICANCE, format_p, name_architectures
from brainmri.training.architecture_names import display_architecture

PairMethod = Literal["tukey", "games_howell", "corrected_t"]

PAIR_METHODS: Final[dict[PairMethod, str]] = {
    "tukey": "Tukey",
    "games_howell": "Games-Howell",
    "corrected_t": "Corrected t",
}
"""Tests of pairs that come with intervals."""

TOPICS: Final[dict[Topic, str]] = {
    "nothing": "No test",
    "overlap": "The splits overlap",
    "plain": "As published: independent repeats",
    "fewer assumptions": "Unequal scatter, or ranks only",
    "unequal scatter": "Unequal scatter",
    "ranks": "Ranks only",
    "shared splits": "Within shared splits",
    "size": "Size of the differences",
}
"""Headings of conclusions, in the order of what to read first."""


@dataclass(frozen=True, kw_only=True)
class PairInterval:
    """Difference of two models by one test.

    Parameters
    ----------
    method : {'tukey', 'games_howell', 'corrected_t'}
    a, b : str
    difference, lower, upper : float or None
        a − b, in percentage points or as a plain number. Intervals of Tukey and of Games and Howell hold for all pairs
        at once, that of the corrected test for this pair alone.
    p : float or None
        Adjusted for the number of pairs.
    """

    method: PairMethod
    a: str
    b: str
    difference: float | None
    lower: float | None
    upper: float | None
    p: float | None

    @property
    def told_apart(self) -> bool:
        """Tell whether the adjusted p-value is below 5 %."""
        return self.p is not None and self.p < SIGNIFICANCE


def name_pair(a: str, b: str) -> str:
    """Return ``AlexNet − ResNet50``."""
    return f"{display_architecture(a)} − {display_architecture(b)}"


def write_p(p: float | None) -> str | None:
    """Return a p-value for a column that is headed p: ``< 0.001``, ``0.012``; None for none."""
    return None if p is None else format_p(p).removeprefix("p ").removeprefix("= ")


def conclusions_by_topic(findings: Findings) -> list[tuple[str, str]]:
    """Return headings and sentences, what to read first at the head; networks by the names that people write.

    Left out are what `describe_disagreement` says, and probabilities, which stand beside the region of practical
    equivalence that the reader sets.
    """
    texts = {one.topic: one.text for one in findings.conclusions}
    return [(heading, name_architectures(texts[topic])) for topic, heading in TOPICS.items() if topic in texts]


def assumption_rows(findings: Findings) -> list[tuple[str, str]]:
    """Return what was checked and what was found: normality, equal scatter, independence."""
    sentences = [name_architectures(sentence).partition(": ") for sentence in findings.assumptions.sentences]
    return [(checked, found[0].upper() + found[1:]) for checked, _, found in sentences]


def describe_disagreement(findings: Findings) -> str | None:
    """Say where the plain test and the corrected one disagree, or that they do not; None where either is missing."""
    return next((name_architectures(one.text) for one in findings.conclusions if one.topic == "disagreement"), None)


def disagree(findings: Findings) -> bool:
    """Tell whether the plain test and the corrected one differ on some pair."""
    corrected = {(pair.a, pair.b): pair.p_holm for pair in findings.corrected_t}
    both = [(pair.p, corrected.get((pair.a, pair.b))) for pair in findings.comparison.tukey]
    return any(
        (plain < SIGNIFICANCE) != (other < SIGNIFICANCE)
        for plain, other in both
        if plain is not None and other is not None
    )


def omnibus_rows(findings: Findings, cochran: CochranQ | None) -> list[dict[str, Any]]:
    """Return one row for each test of all models at once; `omnibus_notes` says why one is not computed.

    Parameters
    ----------
    findings : Findings
    cochran : CochranQ or None
        On the verdicts on cases, or None where there are not two models on the same cases.
    """
    rows = [*_rows_over_repeats(findings), *_rows_over_splits(findings)]
    if cochran is not None:
        rows.append(
            _row(
                "Cochran's Q",
                "Independent cases, each once; right or wrong only",
                _count(cochran.cases, "case"),
                None if cochran.q is None else f"χ²({cochran.df}) = {cochran.q:.2f}",
                cochran.p,
                _says(cochran.p, "Shares of right verdicts"),
            )
        )
    return rows


def omnibus_notes(findings: Findings, cochran: CochranQ | None) -> list[str]:
    """Say why tests of all models are not computed, or how far to trust them, beyond what the findings' notes say."""
    tests = (findings.welch, findings.kruskal, findings.repeated_measures, findings.friedman, cochran)
    notes = [test.note for test in tests if test is not None and test.note and test.note not in findings.notes]
    return [name_architectures(note) for note in dict.fromkeys(notes)]


def pair_intervals(findings: Findings) -> tuple[PairInterval, ...]:
    """Return every pair by every test with intervals, pair after pair; pairs in the order of Tukey's."""
    point = findings.point
    by_method: dict[PairMethod, Mapping[tuple[str, str], Any]] = {
        "tukey": {(one.a, one.b): one for one in findings.comparison.tukey},
        "games_howell": {(one.a, one.b): one for one in findings.games_howell},
        "corrected_t": {(one.a, one.b): one for one in findings.corrected_t},
    }
    intervals = []
    for a, b in by_method["tukey"]:
        for method, pairs in by_method.items():
            one = pairs.get((a, b))
            if one is not None:
                difference, lower, upper = (
                    None if value is None else value / point for value in (one.difference, one.lower, one.upper)
                )
                p = one.p_holm if method == "corrected_t" else one.p
                intervals.append(
                    PairInterval(method=method, a=a, b=b, difference=difference, lower=lower, upper=upper, p=p)
                )
    return tuple(intervals)


def pair_rows(findings: Findings) -> list[dict[str, Any]]:
    """Return one row for each pair with the adjusted p-values of every test."""
    tests = {
        "Tukey": {(one.a, one.b): one.p for one in findings.comparison.tukey},
        "Games-Howell": {(one.a, one.b): one.p for one in findings.games_howell},
        "Dunn": {(one.a, one.b): one.p_holm for one in findings.dunn},
        "Nemenyi": {(one.a, one.b): one.p for one in findings.nemenyi},
        "Corrected t": {(one.a, one.b): one.p_holm for one in findings.corrected_t},
    }
    return [
        {
            "Pair": name_pair(pair.a, pair.b),
            "Difference": pair.difference / findings.point,
            **{test: write_p(p.get((pair.a, pair.b))) for test, p in tests.items()},
        }
        for pair in findings.comparison.tukey
    ]


def letter_rows(findings: Findings) -> list[dict[str, Any]]:
    """Return compact letters, a row a test and a column a network, the best mean first; empty where no test has any."""
    means = {row.model: row.mean for row in findings.comparison.descriptive if row.mean is not None}
    order = sorted(means, key=lambda model: means[model], reverse=findings.measure.higher_is_better)
    return [
        {"Letters": label, **{display_architecture(model): findings.letters[test].get(model) for model in order}}
        for test, label in PAIR_METHODS.items()
        if test in findings.letters
    ]


def decide(pair: BayesianPair) -> str:
    """Say which of the three statements on a pair the posterior shows, if one."""
    if pair.p_a_better is None or pair.p_equivalent is None or pair.p_b_better is None:
        return "Not computed"
    if pair.p_equivalent > DECISION:
        return "Practically equal"
    for model, probability in ((pair.a, pair.p_a_better), (pair.b, pair.p_b_better)):
        if probability > DECISION:
            return f"{display_architecture(model)} better"
    return "Undecided"


def posterior_rows(pairs: Sequence[BayesianPair], point: float) -> list[dict[str, Any]]:
    """Return one row for each pair with the probabilities, in per cent, and the credible interval.

    Parameters
    ----------
    pairs : sequence of BayesianPair
    point : float
        One percentage point in the unit of the pairs, or 1 for plain numbers.
    """
    return [
        {
            "a": display_architecture(pair.a),
            "b": display_architecture(pair.b),
            "a better": _per_cent(pair.p_a_better),
            "Practically equal": _per_cent(pair.p_equivalent),
            "b better": _per_cent(pair.p_b_better),
            "Lower": None if pair.lower is None else pair.lower / point,
            "Upper": None if pair.upper is None else pair.upper / point,
            "In words": decide(pair),
        }
        for pair in pairs
    ]


def effect_rows(findings: Findings) -> list[dict[str, Any]]:
    """Return η² and ω² of the whole layout, then Hedges' g of every pair."""
    sizes = findings.effect_sizes
    rows: list[dict[str, Any]] = []
    if sizes.eta_squared is not None:
        rows += [
            _effect("All networks", "η²", sizes.eta_squared, sizes.eta_squared_lower, sizes.eta_squared_upper),
            _effect("All networks", "ω²", sizes.omega_squared, None, None),
        ]
    return rows + [
        _effect(name_pair(pair.a, pair.b), "Hedges' g", pair.g, pair.lower, pair.upper) for pair in sizes.hedges_g
    ]


def _rows_over_repeats(findings: Findings) -> list[dict[str, Any]]:
    anova, welch, kruskal = findings.comparison.anova, findings.welch, findings.kruskal
    repeats = _count(sum(row.n for row in findings.comparison.descriptive), "repeat")
    return [
        _row(
            "One-way ANOVA",
            "Independent, normal repeats; equal scatter",
            repeats,
            None if anova.f is None else f"F({anova.df_between}, {anova.df_within}) = {anova.f:.2f}",
            anova.p,
            _says(anova.p, "Means"),
        ),
        _row(
            "Welch's ANOVA",
            "Independent, normal repeats; any scatter",
            repeats,
            None if welch.f is None else f"F({welch.df_between}, {welch.df_within:.1f}) = {welch.f:.2f}",
            welch.p,
            _says(welch.p, "Means"),
        ),
        _row(
            "Kruskal-Wallis",
            "Independent repeats; only their order counts",
            repeats,
            None if kruskal.statistic is None else f"χ²({kruskal.df}) = {kruskal.statistic:.2f}",
            kruskal.p,
            _says(kruskal.p, "Ranks"),
        ),
    ]


def _rows_over_splits(findings: Findings) -> list[dict[str, Any]]:
    measured, ranked = findings.repeated_measures, findings.friedman
    statistic = None
    if measured.f is not None and measured.epsilon is not None:
        df, df_error = measured.epsilon * measured.df, measured.epsilon * measured.df_error
        statistic = f"F({df:.2f}, {df_error:.1f}) = {measured.f:.2f}"
    return [
        _row(
            "Repeated-measures ANOVA",
            "Independent splits; normal differences within each",
            _count(measured.n, "split"),
            statistic,
            measured.p_greenhouse_geisser,
            _says(measured.p_greenhouse_geisser, "Means within splits"),
        ),
        _row(
            "Friedman",
            "Independent splits; only the order within each counts",
            _count(ranked.n, "split"),
            None if ranked.statistic is None else f"χ²({ranked.df}) = {ranked.statistic:.2f}",
            ranked.p,
            _says(ranked.p, "Ranks within splits"),
        ),
    ]


def _row(test: str, granted: str, on: str, statistic: str | None, p: float | None, says: str | None) -> dict[str, Any]:
    return {
        "Test": test,
        "Takes for granted": granted,
        "On": on,
        "Statistic": statistic,
        "p": write_p(p),
        "In words": says,
    }


def _says(p: float | None, what: str) -> str:
    if p is None:
        return "Not computed"
    return f"{what} differ" if p < SIGNIFICANCE else "Not shown to differ"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _per_cent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _effect(what: str, size: str, value: float | None, lower: float | None, upper: float | None) -> dict[str, Any]:
    return {"Of": what, "Effect size": size, "Value": value, "Lower": lower, "Upper": upper}
