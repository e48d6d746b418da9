"""Commands that fill and describe a study: demo, import, dataset, doctor."""

from __future__ import annotations

from argparse import Namespace

from brainmri import tasks
from brainmri.commands.terminal import print_json, print_table, show_progress
from brainmri.study import open_study


def demo(options: Namespace) -> int:
    """Make the demo study."""
    from brainmri.commands.training import finish_training  # noqa: PLC0415 - torch
    from brainmri.demo import FULL, QUICK, make_demo  # noqa: PLC0415 - torch

    study = open_study(options.study)
    with tasks.running(study, "demo", task_id=options.task) as task:
        progress = show_progress(task)
        experiment_id = make_demo(
            study,
            plan=QUICK if options.quick else FULL,
            seed=options.seed,
            archive=options.archive,
            progress=progress,
            stop=task.stop_requested,
        )
    return finish_training(study, experiment_id, as_json=options.json)


def import_files(options: Namespace) -> int:
    """Import files and say what became of them."""
    from brainmri.intake.importing import import_paths  # noqa: PLC0415 - SimpleITK

    study = open_study(options.study)
    with tasks.running(study, "import", task_id=options.task) as task:
        report = import_paths(study, options.paths, labels=options.labels, progress=show_progress(task))
        record = report.to_json()
        task.finish(
            tasks.FINISHED,
            result={"cases": record["cases"], "series": record["series"], "refused": len(record["refused"])},
        )
    if options.json:
        print_json(record)
        return 0
    counts = ", ".join(f"{name} {count}" for name, count in record["series"].items())
    print(f"{record['cases']} cases imported. Series found: {counts}.")
    for note in record.get("notes", ()):
        print(note)
    if record["refused"]:
        print(f"\nNot used ({len(record['refused'])}):")
        print_table(("file", "reason"), [(one["path"], one["reason"]) for one in record["refused"]])
    return 0


def dataset(options: Namespace) -> int:
    """Freeze a data set of the cases as they are now."""
    from brainmri.imaging.datasets import count_by_class, freeze_dataset  # noqa: PLC0415 - SimpleITK, scipy
    from brainmri.imaging.settings import DatasetSettings  # noqa: PLC0415

    study = open_study(options.study, create=False)
    frozen = freeze_dataset(study, settings=DatasetSettings(size_px=options.size))
    samples, cases = count_by_class(study, frozen)
    if options.json:
        print_json({"dataset": frozen.hash, "samples": samples, "cases": cases})
        return 0
    print(f"Data set {frozen.hash}: {frozen.size_px} px, {frozen.sample_count} images of {frozen.case_count} cases.")
    print_table(("diagnosis", "cases", "images"), [(name, cases[name], samples[name]) for name in frozen.classes])
    return 0


def doctor(options: Namespace) -> int:
    """Show what this installation has."""
    from brainmri.doctor import examine  # noqa: PLC0415 - torch

    found = examine(options.study)
    if options.json:
        print_json(found.to_json())
        return 0
    print(f"brainmri {found.brainmri}, Python {found.python}, {found.platform}")
    print(f"Device: {found.device['type']}, {found.device['name']}")
    print(f"Database: {found.database['url'] if found.database['reachable'] else found.database['problem']}")
    print(f"Free disk: {found.free_disk_gb} GB\n")
    rows = [(name, text or "not installed") for name, text in found.libraries.items()]
    rows += [(name, one["version"] or f"optional: {one['file']}") for name, one in found.optional.items()]
    print_table(("library", "version"), rows)
    print()
    weights = [(one["architecture"], one["file"], "present" if one["present"] else "missing") for one in found.weights]
    print_table(("architecture", "published weights", "state"), weights)
    return 0
