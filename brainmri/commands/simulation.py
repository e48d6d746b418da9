"""The command simulate-type1."""

from __future__ import annotations

from argparse import Namespace

from brainmri.commands.terminal import print_json, print_table
from brainmri.errors import EvaluationError, UsageError
from brainmri.evaluation.simulation import TypeOneSettings, TypeOneSimulation, simulate_type_one


def simulate_type1(options: Namespace) -> int:
    """Count how often each test claims a difference between equally good models."""
    try:
        found = simulate_type_one(TypeOneSettings(studies=options.studies, repeats=options.repeats, seed=options.seed))
    except EvaluationError as error:
        raise UsageError(str(error)) from error
    if options.json:
        print_json(found.to_json())
    else:
        _print_for_people(found)
    return 0


def _print_for_people(found: TypeOneSimulation) -> None:
    settings = found.settings
    print(
        f"{settings.studies} studies of {settings.models} equally good models: {settings.repeats} random splits of "
        f"{settings.cases} cases that all models share, {100 * settings.test_fraction:.0f} % for testing."
    )
    print(
        f"Mean accuracy {100 * found.mean_accuracy:.1f} %, standard deviation between repeats "
        f"{100 * found.sd_between_repeats:.1f} percentage points; differences on two splits correlate at "
        f"{found.correlation:.2f}.\n"
    )
    rows = [
        (rate.label, f"{100 * rate.share:.1f}", f"{100 * rate.lower:.1f} to {100 * rate.upper:.1f}")
        for rate in found.rates
    ]
    print_table(("test at 5 %", "claims a difference (%)", "95 % interval"), rows)
