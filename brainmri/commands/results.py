"""Commands that compare and explain: compare, results, explain, explain-run."""

from __future__ import annotations

from argparse import Namespace

from brainmri import tasks
from brainmri.commands.terminal import print_json, print_table, show_progress
from brainmri.evaluation.comparison import Comparison
from brainmri.study import open_study


def compare(options: Namespace) -> int:
    """Compare the accuracies of a table."""
    from brainmri.evaluation.comparison import compare as compare_accuracies  # noqa: PLC0415
    from brainmri.evaluation.reading import read_accuracy_csv  # noqa: PLC0415

    return _print(compare_accuracies(read_accuracy_csv(options.csv)), as_json=options.json)


def results(options: Namespace) -> int:
    """Compare the architectures of an experiment."""
    from brainmri.evaluation.comparison import compare as compare_accuracies  # noqa: PLC0415
    from brainmri.evaluation.reading import read_accuracies  # noqa: PLC0415

    study = open_study(options.study, create=False)
    return _print(compare_accuracies(read_accuracies(study, options.experiment)), as_json=options.json)


def explain(options: Namespace) -> int:
    """Draw Grad-CAM of one sample over each of its sequences."""
    from brainmri.explanation.explain import explain_sample  # noqa: PLC0415 - torch, captum

    study = open_study(options.study, create=False)
    explained = explain_sample(study, options.run_id, options.sample, options.out, target=options.target)
    paths = [str(path) for path in explained.paths]
    if options.json:
        print_json(
            {
                "run": options.run_id,
                "sample": options.sample,
                "predicted": explained.predicted,
                "class": explained.target,
                "probabilities": explained.probabilities,
                "layer": explained.layer,
                "grid": list(explained.grid),
                "files": paths,
            }
        )
        return 0
    grid = "×".join(map(str, explained.grid))
    print(f"Predicted {explained.predicted}. Map for {explained.target}: layer {explained.layer}, {grid} cells.")
    print("\n".join(paths))
    return 0


def explain_run(options: Namespace) -> int:
    """Store the maps of all test images of a run."""
    from brainmri.explanation.precompute import explain_run as store_maps  # noqa: PLC0415 - torch, captum

    study = open_study(options.study, create=False)
    with tasks.running(study, "explain", subject=options.run_id, task_id=options.task) as task:
        store_maps(study, options.run_id, progress=show_progress(task))
    return 0


def _print(comparison: Comparison, *, as_json: bool) -> int:
    record = comparison.to_json()
    if as_json:
        print_json(record)
        return 0
    columns = ("n", "median", "q1", "q3", "mean", "sd")
    print_table(
        ("model", *columns), [(name, *[row[c] for c in columns]) for name, row in record["descriptive"].items()]
    )
    anova = record["anova"]
    if anova and anova["F"] is not None:
        print(
            f"\nOne-way ANOVA: F({anova['df_between']}, {anova['df_within']}) = {anova['F']:.4g}, p = {anova['p']:.3g}"
        )
        print("Tukey HSD, difference a − b with simultaneous 95 % interval:")
        keys = ("a", "b", "difference", "lower", "upper", "p")
        print_table(keys, [[pair[key] for key in keys] for pair in record["tukey"]])
    for note in record.get("notes", ()):
        print(note)
    return 0
