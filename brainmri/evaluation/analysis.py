"""Compare models over repeats: as published, and by all the tests that stand beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from brainmri.evaluation.assumptions import check_assumptions
from brainmri.evaluation.bayesian import EQUIVALENCE_POINTS, BayesianPair, bayesian_correlated_t
from brainmri.evaluation.comparison import Comparison, compare
from brainmri.evaluation.conclusions import conclude
from brainmri.evaluation.effect_sizes import effect_sizes
from brainmri.evaluation.findings import Findings
from brainmri.evaluation.letters import letters_by_mean
from brainmri.evaluation.measure import ACCURACY, Measure
from brainmri.evaluation.rank_tests import dunn, friedman, kruskal, nemenyi
from brainmri.evaluation.repeated_measures import repeated_measures
from brainmri.evaluation.repeats import Repeats
from brainmri.evaluation.resampled import TEST_FRACTION, check_test_fraction, corrected_t
from brainmri.evaluation.unequal_variances import games_howell, welch
from brainmri.evaluation.wording import list_words


def analyse(
    accuracies: Mapping[str, Sequence[float]] | Repeats,
    *,
    test_fraction: float = TEST_FRACTION,
    equivalence_points: float = EQUIVALENCE_POINTS,
    measure: Measure = ACCURACY,
) -> Findings:
    """Compare models by their accuracies, or another measure, over repeats with every test there is.

    Parameters
    ----------
    accuracies : mapping of str to sequence of float, or Repeats
        Shares (0 to 1) or per cent. The same place in two sequences is the same split; not-a-number stands for a
        missing repeat.
    test_fraction : float
        n_test / (n_train + n_test) of the splits, between 0 and 1.
    equivalence_points : float
        Differences up to so many percentage points count as none for the Bayesian test; of a measure that is no share,
        differences up to this number.
    measure : Measure
        What the numbers are, and which end of them is better.

    Returns
    -------
    Findings
        What the numbers do not allow is left empty, with a note in words.

    Raises
    ------
    EvaluationError
        Where there is no number at all, one is infinite, or an option makes no sense.
    """
    check_test_fraction(test_fraction)
    repeats = accuracies if isinstance(accuracies, Repeats) else Repeats.of(accuracies)
    comparison = compare_as_published(repeats, measure)
    groups = repeats.groups
    ranked = friedman(repeats if measure.higher_is_better else repeats.negated)
    findings = Findings(
        repeats=repeats,
        test_fraction=test_fraction,
        comparison=comparison,
        assumptions=check_assumptions(groups, test_fraction=test_fraction),
        welch=welch(groups),
        games_howell=games_howell(groups),
        kruskal=kruskal(groups),
        dunn=dunn(groups),
        repeated_measures=repeated_measures(repeats),
        friedman=ranked,
        nemenyi=nemenyi(ranked),
        corrected_t=corrected_t(repeats, test_fraction=test_fraction),
        bayesian=(),
        effect_sizes=effect_sizes(groups),
        letters={},
        measure=measure,
    )
    findings = replace(
        findings,
        bayesian=weigh_by_region(findings, equivalence_points),
        letters=_letters(findings),
        notes=_notes(findings),
    )
    return replace(findings, conclusions=conclude(findings))


def compare_as_published(repeats: Repeats, measure: Measure = ACCURACY) -> Comparison:
    """Return the descriptive table, the analysis of variance and Tukey's pairs alone, in a fifth of the time."""
    return compare(repeats.accuracies, unit_known=measure.point is not None)


def tukey_letters(comparison: Comparison, measure: Measure = ACCURACY) -> dict[str, str]:
    """Return compact letters by model; none where Tukey's test left a pair untested."""
    p_values = {(pair.a, pair.b): pair.p for pair in comparison.tukey}
    return letters_by_mean(_means(comparison), p_values, higher_is_better=measure.higher_is_better)


def weigh_by_region(findings: Findings, equivalence_points: float) -> tuple[BayesianPair, ...]:
    """Return the posteriors of all pairs for a region of practical equivalence, in percentage points or plain numbers.

    Raises
    ------
    EvaluationError
        Where the region is below zero or no number.
    """
    return bayesian_correlated_t(
        findings.repeats,
        equivalence=equivalence_points * findings.point,
        test_fraction=findings.test_fraction,
        higher_is_better=findings.measure.higher_is_better,
    )


def _letters(findings: Findings) -> dict[str, dict[str, str]]:
    tests = {
        "games_howell": {(pair.a, pair.b): pair.p for pair in findings.games_howell},
        "corrected_t": {(pair.a, pair.b): pair.p_holm for pair in findings.corrected_t},
    }
    better = findings.measure.higher_is_better
    means = _means(findings.comparison)
    letters = {
        "tukey": tukey_letters(findings.comparison, findings.measure),
        **{test: letters_by_mean(means, p_values, higher_is_better=better) for test, p_values in tests.items()},
    }
    return {test: found for test, found in letters.items() if found}


def _means(comparison: Comparison) -> dict[str, float]:
    return {row.model: row.mean for row in comparison.descriptive if row.mean is not None}


def _notes(findings: Findings) -> tuple[str, ...]:
    """Return each reason once; where nothing at all could be tested, the published comparison has said why."""
    notes = list(findings.comparison.notes)
    overall = (findings.comparison.anova, findings.kruskal, findings.friedman, findings.repeated_measures)
    if len(findings.repeats.groups) > 1 and any(test.p is not None for test in overall):
        notes += _left_out(findings.repeats)
        reasons = [
            findings.welch.note,
            findings.kruskal.note,
            findings.repeated_measures.note,
            findings.friedman.note,
            findings.effect_sizes.note,
            *(pair.note for pair in findings.corrected_t),
        ]
        notes += [reason for reason in reasons if reason]
    return tuple(dict.fromkeys(notes))


def _left_out(repeats: Repeats) -> list[str]:
    """Say which repeats the paired tests leave out."""
    models = list(repeats.groups)
    left_out = repeats.left_out(models)
    if not left_out:
        return []
    kept = len(repeats.shared(models))
    which = f"repeat{'s' if len(left_out) > 1 else ''} {list_words(left_out)}"
    return [
        f"Repeated-measures ANOVA and Friedman's test use the {kept} repeat{'s' if kept != 1 else ''} that all models "
        f"have and leave out {which}; tests of two models use the repeats that both have."
    ]
