"""Commands across experiments: `compare` of two or more, and `embed`, what a network makes of every image."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from brainmri import tasks
from brainmri.commands.terminal import print_json, print_table, show_progress
from brainmri.errors import UsageError
from brainmri.evaluation.experiments_compared import ExperimentPair, compare_experiments
from brainmri.evaluation.measured_experiments import MeasuredExperiment, read_measured
from brainmri.explanation.neighbours import read_features
from brainmri.study import open_study
from brainmri.training.architecture_names import display_architecture


def print_experiments(experiment_ids: Sequence[str], options: Namespace) -> int:
    """Compare experiments by the accuracy on test images, and print what was found.

    Parameters
    ----------
    experiment_ids : sequence of str
        Two or more.
    options : argparse.Namespace
        With ``json``, ``study``, ``test_fraction`` and ``equivalence``.

    Raises
    ------
    UsageError
        Where an option does not apply, or a table is among the experiments.
    """
    _check(experiment_ids, options)
    study = open_study(options.study, create=False)
    experiments = [read_measured(study, experiment_id) for experiment_id in experiment_ids]
    if options.test_fraction is not None:
        experiments = [replace(one, test_fraction=options.test_fraction) for one in experiments]
    pairs = compare_experiments(experiments)
    if options.json:
        print_json(
            {
                "metric": "accuracy",
                "level": "image",
                "experiments": [one.to_json() for one in experiments],
                "comparisons": [pair.to_json() for pair in pairs],
            }
        )
    else:
        _print_for_people(experiments, pairs)
    return 0


def embed(options: Namespace) -> int:
    """Store the last activations of a run's network for every image of its data set."""
    from brainmri.explanation.everything import explain_all  # noqa: PLC0415 - torch
    from brainmri.explanation.run_files import Parts  # noqa: PLC0415 - torch

    study = open_study(options.study, create=False)
    with tasks.running(study, "embed", subject=options.run_id, task_id=options.task) as task:
        only = Parts(methods=(), baselines=(), faithfulness=(), gradients=False)
        explain_all(study, options.run_id, only, again=True, progress=show_progress(task))
    found = read_features(study, options.run_id)
    images, numbers = (0, 0) if found is None else found.features.shape
    if options.json:
        print_json({"run": options.run_id, "images": images, "numbers": numbers})
    else:
        print(f"{images} images, {numbers} numbers each: the last activations before the answer.")
    return 0


def _check(experiment_ids: Sequence[str], options: Namespace) -> None:
    table = next((name for name in experiment_ids if Path(name).suffix.lower() == ".csv" or Path(name).is_file()), None)
    if table is not None:
        raise UsageError(f"'{table}' is a table; compare takes one table alone, or two or more experiments.")
    if options.equivalence is not None:
        raise UsageError("--equivalence belongs to the comparison of models; leave it out to compare experiments.")
    if options.test_fraction is not None and not 0 < options.test_fraction < 1:
        raise UsageError(f"--test-fraction is {options.test_fraction:g}; expected a share between 0 and 1.")


def _print_for_people(experiments: Sequence[MeasuredExperiment], pairs: Sequence[ExperimentPair]) -> None:
    print("Accuracy on test images, share from 0 to 1.")
    print_table(
        ("experiment", "splits of", "data set", "runs"),
        [
            (one.experiment_id, f"{one.split_by}s", one.dataset_hash, sum(map(len, one.values.values())))
            for one in experiments
        ],
    )
    for pair in pairs:
        print(f"\n{pair.a} − {pair.b}\n{pair.how}")
        if pair.differences:
            columns = ("mean_a", "mean_b", "n_a", "n_b", "difference", "lower", "upper", "p", "p_holm")
            rows = [
                (display_architecture(one.architecture), *[getattr(one, name) for name in columns])
                for one in pair.differences
            ]
            print_table(("network", *columns), rows)
        remarks = [*[one.note for one in pair.differences if one.note], *pair.notes]
        print("\n".join(f"- {remark}" for remark in remarks), end="\n" if remarks else "")
