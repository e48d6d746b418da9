"""Commands that compare and explain: compare, results, explain, explain-run."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from brainmri import tasks
from brainmri.commands.terminal import print_json, show_progress
from brainmri.errors import EvaluationError
from brainmri.study import open_study


def compare(options: Namespace) -> int:
    """Compare the accuracies of a table, or those of two or more experiments."""
    if len(options.compared) > 1:
        from brainmri.commands.experiments import print_experiments  # noqa: PLC0415

        return print_experiments(options.compared, options)
    from brainmri.commands.comparison import print_findings  # noqa: PLC0415
    from brainmri.evaluation.reading import read_accuracy_table  # noqa: PLC0415

    table = Path(options.compared[0])
    if not table.suffix and not table.exists():
        raise EvaluationError(
            f"There is no table '{table}'. For one experiment: python -m brainmri results {table}. To compare "
            "experiments, name two or more."
        )
    return print_findings(read_accuracy_table(table), options)


def results(options: Namespace) -> int:
    """Compare the architectures of an experiment."""
    from brainmri.commands.comparison import print_findings  # noqa: PLC0415
    from brainmri.evaluation.reading import read_experiment, read_repeats  # noqa: PLC0415

    study = open_study(options.study, create=False)
    repeats = read_repeats(study, options.experiment)
    fraction = read_experiment(study, options.experiment).settings.test_fraction
    return print_findings(repeats, options, test_fraction=fraction)


def explain(options: Namespace) -> int:
    """Draw a map of one sample over each of its sequences."""
    from brainmri.explanation.explain import explain_sample  # noqa: PLC0415 - torch, captum

    study = open_study(options.study, create=False)
    explained = explain_sample(
        study,
        options.run_id,
        options.sample,
        options.out,
        target=options.target,
        method=options.method,
        layer=options.layer,
    )
    paths = [str(path) for path in explained.paths]
    if options.json:
        print_json(
            {
                "run": options.run_id,
                "sample": options.sample,
                "predicted": explained.predicted,
                "class": explained.target,
                "probabilities": explained.probabilities,
                "method": options.method,
                "layer": explained.layer,
                "grid": list(explained.grid),
                "files": paths,
            }
        )
        return 0
    grid = "×".join(map(str, explained.grid))
    where = f"layer {explained.layer}" if explained.layer else "the pixels of the image"
    print(f"Predicted {explained.predicted}. Map for {explained.target}: {where}, {grid} cells.")
    print("\n".join(paths))
    return 0


def explain_run(options: Namespace) -> int:
    """Store the maps of all test images of a run."""
    from brainmri.explanation.precompute import explain_run as store_maps  # noqa: PLC0415 - torch, captum

    study = open_study(options.study, create=False)
    with tasks.running(study, "explain", subject=options.run_id, task_id=options.task) as task:
        store_maps(study, options.run_id, progress=show_progress(task))
    return 0
