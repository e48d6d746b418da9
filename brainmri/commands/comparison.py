"""What `compare` and `results` print of a comparison of models: one JSON object, or tables and sentences for people."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any, Final

from brainmri.commands.terminal import print_json, print_table
from brainmri.errors import UsageError
from brainmri.evaluation.analysis import analyse
from brainmri.evaluation.bayesian import EQUIVALENCE_POINTS
from brainmri.evaluation.findings import Findings
from brainmri.evaluation.repeats import Repeats
from brainmri.evaluation.resampled import TEST_FRACTION

_PAIR_TABLES: Final = (
    ("games_howell", "p", "Games-Howell, difference a − b with simultaneous 95 % interval:"),
    ("dunn", "p", "Dunn on ranks, with Holm's adjustment:"),
    ("nemenyi", "p", "Nemenyi, difference of mean ranks within splits (below zero: a is better):"),
    ("corrected_t", "p", "Corrected resampled t-test (Nadeau and Bengio), with Holm's adjustment:"),
    ("bayesian", "p_equivalent", "Bayesian correlated t-test, probabilities:"),
)
"""Key of the record, the field that is empty where a pair could not be tested, title."""


def print_findings(repeats: Repeats, options: Namespace, *, test_fraction: float = TEST_FRACTION) -> int:
    """Compare models and print what was found.

    Parameters
    ----------
    repeats : Repeats
    options : argparse.Namespace
        With ``json``, ``test_fraction`` and ``equivalence``, the last two None where they were not given.
    test_fraction : float
        Where the options have none.

    Raises
    ------
    UsageError
        Where an option makes no sense.
    """
    if options.test_fraction is not None:
        test_fraction = options.test_fraction
    points = EQUIVALENCE_POINTS if options.equivalence is None else options.equivalence
    if not 0 < test_fraction < 1:
        raise UsageError(
            f"--test-fraction is {test_fraction:g}; expected a share between 0 and 1, such as 0.3 for 7:3."
        )
    if not 0 <= points <= 100:
        raise UsageError(f"--equivalence is {points:g}; expected percentage points from 0 to 100, such as 1.")
    findings = analyse(repeats, test_fraction=test_fraction, equivalence_points=points)
    if options.json:
        print_json(findings.to_json())
    else:
        _print_for_people(findings)
    return 0


def _print_for_people(findings: Findings) -> None:
    record = findings.to_json()
    columns = ("n", "median", "q1", "q3", "mean", "sd")
    print_table(
        ("model", *columns), [(name, *[row[c] for c in columns]) for name, row in record["descriptive"].items()]
    )
    if record["anova"]["F"] is not None:
        print(f"\nOne-way ANOVA: {_f(record['anova'], 'df_between', 'df_within')}")
        print("Tukey HSD, difference a − b with simultaneous 95 % interval:")
        _print_pairs(record["tukey"])
        _print_letters(record["letters"].get("tukey"))
    _print_tests(record)
    for key, tested, title in _PAIR_TABLES:
        if any(pair[tested] is not None for pair in record[key]):
            print(f"\n{title}")
            _print_pairs(record[key])
            _print_letters(record["letters"].get(key))
    _print_effect_sizes(record["effect_sizes"])
    for title, sentences in (
        ("Assumptions", record["assumptions"]["sentences"]),
        ("What holds under which assumption", record["conclusions"]),
        ("Notes", record["notes"]),
    ):
        if sentences:
            print(f"\n{title}")
            print("\n".join(f"- {sentence}" for sentence in sentences))


def _print_tests(record: dict[str, Any]) -> None:
    """Print the tests of all models at once."""
    lines = []
    if record["welch"]["F"] is not None:
        lines.append(f"Welch's ANOVA: {_f(record['welch'], 'df_between', 'df_within')}")
    measured = record["repeated_measures"]
    if measured["F"] is not None:
        lines.append(
            f"Repeated-measures ANOVA: {_f(measured, 'df', 'df_error')}; after Greenhouse and Geisser (ε = "
            f"{measured['epsilon']:.3g}) p = {measured['p_greenhouse_geisser']:.3g}"
        )
    for key, title in (("kruskal", "Kruskal-Wallis"), ("friedman", "Friedman")):
        test = record[key]
        if test["p"] is not None:
            lines.append(f"{title}: χ²({test['df']}) = {test['statistic']:.4g}, p = {test['p']:.3g}")
    if lines:
        print("\n" + "\n".join(lines))


def _print_effect_sizes(sizes: dict[str, Any]) -> None:
    if sizes["eta_squared"] is None:
        return
    print(
        f"\nη² = {sizes['eta_squared']:.3g} (95 % interval {sizes['eta_squared_lower']:.3g} to "
        f"{sizes['eta_squared_upper']:.3g}), ω² = {sizes['omega_squared']:.3g}; Hedges' g with 95 % interval:"
    )
    _print_pairs(sizes["hedges_g"])


def _print_pairs(pairs: Sequence[dict[str, Any]]) -> None:
    keys = list(pairs[0])
    print_table(keys, [[pair[key] for key in keys] for pair in pairs])


def _print_letters(letters: dict[str, str] | None) -> None:
    if letters:
        print(
            "Letters (models that share one are not told apart): " + ", ".join(f"{m} {x}" for m, x in letters.items())
        )


def _f(test: dict[str, Any], numerator: str, denominator: str) -> str:
    return f"F({test[numerator]:.4g}, {test[denominator]:.4g}) = {test['F']:.4g}, p = {test['p']:.3g}"
