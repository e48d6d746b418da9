"""The table of commands and their options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from brainmri import __version__

Command = Callable[[argparse.Namespace], int]


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; a command's own imports wait until it runs."""
    parser = argparse.ArgumentParser(
        prog="python -m brainmri",
        description="Brain-tumour MRI: import, train, compare, explain. For research and teaching, not for diagnosis.",
    )
    parser.add_argument("--version", action="version", version=f"brainmri {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_study_commands(commands)
    _add_training_commands(commands)
    _add_result_commands(commands)
    _add_bench_command(commands)
    _add_people_commands(commands)
    _add_teaching_commands(commands)
    return parser


def _add_study_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = _command(commands, "demo", "study:demo", "make a study of phantoms and train on it", task=True)
    demo.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="seed of phantoms, splits and runs (default 0)"
    )
    demo.add_argument("--quick", action="store_true", help="few patients, one repeat: under a minute")
    demo.add_argument("--archive", type=Path, metavar="DIR", help="where the DICOM files go (default beside the study)")
    take = _command(commands, "import", "study:import_files", "turn DICOM or NIfTI files into cases", task=True)
    take.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files or folders")
    take.add_argument("--labels", type=Path, metavar="CSV", help="table with the columns patient_id, diagnosis")
    freeze = _command(commands, "dataset", "study:dataset", "make pseudo-RGB samples of the cases and freeze them")
    freeze.add_argument("--size", type=int, default=224, metavar="PX", help="side of a sample (default 224)")
    _command(commands, "doctor", "study:doctor", "show versions, device, weights, database and disk")


def _add_training_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    train = _command(commands, "train", "training:train", "fine-tune the architectures on random splits", task=True)
    train.add_argument("--preset", metavar="NAME", help="by-patient (default), as-published or quick-look")
    train.add_argument("--size", type=int, metavar="PX", help="side of a sample (default: of the newest data set)")
    train.add_argument("--queue", action="store_true", help="queue the runs and leave them to a worker")
    _add_engine(train)
    _add_settings(train)
    work = _command(commands, "work", "training:work", "go on with the open runs of an experiment", task=True)
    work.add_argument("experiment", metavar="EXPERIMENT")
    _add_engine(work)
    worker = _command(commands, "worker", "training:worker", "take runs from the queue until none is left", task=True)
    worker.add_argument("--processes", type=int, default=0, metavar="N", help="at once (default: chosen)")
    worker.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    worker.add_argument("--wait", action="store_true", help="wait for further runs where none is left")
    text = "repeat an experiment on its corrected cases, with the same protocol and splits"
    retrain = _command(commands, "retrain", "retraining:retrain", text, task=True)
    retrain.add_argument("experiment", metavar="EXPERIMENT")
    retrain.add_argument("--queue", action="store_true", help="queue the runs and leave them to a worker")
    _add_engine(retrain)
    text = "train for some seconds to learn how fast this machine is, for the expected time on the training page"
    measure = _command(commands, "measure", "speed:measure", text, task=True)
    measure.add_argument("--architectures", nargs="+", metavar="NAME", help="default: alexnet googlenet resnet50")
    measure.add_argument("--size", type=int, default=224, metavar="PX", help="side of a sample (default 224)")
    measure.add_argument("--batch-size", type=int, metavar="N", help="images a step (default 32)")
    measure.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    measure.add_argument("--processes", type=int, default=0, metavar="N", help="at once (default: chosen)")
    rerun = _command(commands, "rerun", "training:rerun", "repeat a run and say whether it gives the same predictions")
    rerun.add_argument("run_id", metavar="RUN")


def _add_engine(parser: argparse.ArgumentParser) -> None:
    """Add the choice of what trains the runs."""
    text = "where runs are trained: processes of this machine (default), or a Ray cluster"
    parser.add_argument("--engine", choices=("local", "ray"), default="local", help=text)
    text = "of the Ray cluster (default: the one that this machine belongs to)"
    parser.add_argument("--address", metavar="HOST:PORT", help=text)


def _add_settings(train: argparse.ArgumentParser) -> None:
    """Add one option for each training setting; left out, the protocol's value counts."""
    train.add_argument("--architectures", nargs="+", metavar="NAME", help="default: alexnet googlenet resnet50")
    train.add_argument("--repeats", type=int, metavar="N", help="random splits (default 10)")
    train.add_argument("--split", dest="split_by", choices=("patient", "image"), help="what is split 7:3")
    train.add_argument("--test-fraction", type=float, metavar="SHARE", help="share held out for testing (default 0.3)")
    train.add_argument("--epochs", type=int, metavar="N", help="passes over the images (default 30)")
    train.add_argument("--weights", metavar="imagenet|scratch|PATH", help="where weights start (default imagenet)")
    train.add_argument("--device", choices=("auto", "cpu", "cuda"))
    train.add_argument("--seed", type=_seed, metavar="N")
    train.add_argument("--mode", choices=("full", "partial", "head"), help="layers to train (default full: all)")
    train.add_argument("--trained-blocks", type=int, metavar="N", help="last blocks to train, with --mode partial")
    train.add_argument("--cached-views", type=int, metavar="N", help="augmented versions of an image, where frozen")
    train.add_argument("--batch-size", type=int, metavar="N", help="images a step")
    train.add_argument("--learning-rate", type=float, metavar="RATE", help="peak learning rate")
    train.add_argument("--head-rate-factor", type=float, metavar="X", help="rate of the last layer relative to it")
    train.add_argument("--momentum", type=float, metavar="X")
    train.add_argument("--weight-decay", type=float, metavar="X")
    train.add_argument("--schedule", choices=("cosine", "step", "constant"), help="how the rate falls")
    train.add_argument("--augmentation", type=float, metavar="STRENGTH", help="0 none, 1 usual, 2 strong")
    train.add_argument("--class-weighting", choices=("none", "balanced"), help="balanced: rare classes count more")
    train.add_argument("--validation-fraction", type=float, metavar="SHARE", help="of the training set, to choose by")
    train.add_argument("--patience", type=int, metavar="N", help="end after N epochs without better validation")
    train.add_argument("--processes", type=int, metavar="N", help="processes at once (default: chosen)")
    train.add_argument("--deterministic", action="store_true", default=None, help="on a GPU: the same bits every time")
    train.add_argument(
        "--compiled", action="store_true", default=None, help="compile the networks: for long trainings on a GPU"
    )
    train.add_argument(
        "--checkpoints", dest="checkpoint_dtype", choices=("float32", "float16"), help="precision of stored weights"
    )
    train.add_argument("--keep-checkpoints", choices=("all", "best"), help="best: one of each architecture")


def _add_result_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    compare = _command(commands, "compare", "results:compare", "compare accuracies from a table, or experiments")
    compare.add_argument(
        "compared",
        nargs="+",
        metavar="CSV|EXPERIMENT",
        help="a table with the columns model, repeat, accuracy; or two or more experiments of the study",
    )
    _add_comparison_options(compare, fraction="0.3, or each experiment's own")
    results = _command(commands, "results", "results:results", "compare the architectures of an experiment")
    results.add_argument("experiment", metavar="EXPERIMENT")
    _add_comparison_options(results, fraction="the experiment's")
    text = "count how often each test claims a difference between equally good models"
    simulate = _command(commands, "simulate-type1", "simulation:simulate_type1", text, study=False)
    simulate.add_argument("--studies", type=int, default=5000, metavar="N", help="simulated studies (default 5000)")
    simulate.add_argument("--repeats", type=int, default=10, metavar="N", help="random splits a study (default 10)")
    simulate.add_argument("--seed", type=_seed, default=0, metavar="N")
    explain = _command(commands, "explain", "results:explain", "draw a map of one sample over its sequences")
    explain.add_argument("--run", dest="run_id", required=True, metavar="RUN")
    explain.add_argument("--sample", required=True, type=int, metavar="SAMPLE", help="index in the data set, from 0")
    explain.add_argument("--class", dest="target", metavar="DIAGNOSIS", help="default: the predicted one")
    explain.add_argument("--method", default="gradcam", metavar="NAME", help="as for explain-all (default gradcam)")
    explain.add_argument("--layer", metavar="NAME", help="of the network (default: the latest that is fine enough)")
    explain.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="default: the present folder")
    export = _command(commands, "export", "export:export", "write a run's network for use elsewhere, with a model card")
    export.add_argument("run_id", metavar="RUN")
    export.add_argument("--format", dest="file_format", choices=("onnx", "safetensors"), required=True)
    export.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="default: the present folder")
    _add_takeaway(commands)
    explain_run = _command(commands, "explain-run", "results:explain_run", "store the maps of a run", task=True)
    explain_run.add_argument("run_id", metavar="RUN")
    _add_explain_all(commands)
    text = "store the maps and the contributions of one test case of a run, or its maps of another kind"
    explain_case = _command(commands, "explain-case", "explanations:explain_case", text)
    explain_case.add_argument("run_id", nargs="?", metavar="RUN")
    explain_case.add_argument("case_id", nargs="?", metavar="CASE")
    explain_case.add_argument("--method", metavar="NAME", help="only the maps by this method, as for explain-all")
    explain_case.add_argument("--layer", metavar="NAME", help="only the maps on this layer of the network")
    explain_case.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    text = "store what a run's network makes of every image, to compare images by"
    embed = _command(commands, "embed", "experiments:embed", text, task=True)
    embed.add_argument("run_id", metavar="RUN")


def _add_takeaway(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "write a case under one network without identity: a page, or its maps and verdict as DICOM"
    take = _command(commands, "takeaway", "takeaway:takeaway", text)
    take.add_argument("case_id", metavar="CASE")
    take.add_argument("--run", dest="run_id", required=True, metavar="RUN", help="a run that tested the case")
    take.add_argument("--format", dest="file_format", choices=("html", "pdf", "dicom"), required=True)
    text = "folder, or file ending with .html, .pdf or (DICOM) .zip; default: the present folder"
    take.add_argument("--output", type=Path, default=Path(), metavar="PATH", help=text)


def _add_explain_all(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "store all that pages show of a run, or of an experiment's runs"
    explain_all = _command(commands, "explain-all", "explanations:explain_all", text, task=True)
    explain_all.add_argument("target", metavar="EXPERIMENT|RUN")
    methods = "gradcam gradcam++ hirescam integrated-gradients occlusion"
    explain_all.add_argument(
        "--methods", nargs="+", metavar="NAME", help=f"maps: {methods} (default: the first three; the others take long)"
    )
    explain_all.add_argument(
        "--baselines", nargs="+", metavar="NAME", help="contributions: blurred mean other-patient (default: all)"
    )
    explain_all.add_argument(
        "--faithfulness", nargs="+", metavar="NAME", help="maps that are put to the test (default: gradcam)"
    )
    explain_all.add_argument("--again", action="store_true", help="compute also what is stored already")


def _add_comparison_options(parser: argparse.ArgumentParser, *, fraction: str) -> None:
    parser.add_argument(
        "--test-fraction",
        type=float,
        metavar="SHARE",
        help=f"n_test / (n_train + n_test) of the splits, for the corrected tests (default {fraction})",
    )
    parser.add_argument(
        "--equivalence",
        type=float,
        metavar="POINTS",
        help="percentage points up to which a difference counts as none, for the Bayesian test (default 1)",
    )


def _add_bench_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "measure how fast this machine trains, beside the ordinary way"
    bench = _command(commands, "bench", "bench:bench", text, study=False)
    bench.add_argument("--quick", action="store_true", help="about one minute on two cores in place of five")
    bench.add_argument("--profile", action="store_true", help="show where the time of the first architecture goes")
    bench.add_argument("--architectures", nargs="+", metavar="NAME", help="default: alexnet googlenet resnet50")
    bench.add_argument("--batch-size", type=int, metavar="N", help="images a step (default 32)")
    bench.add_argument("--size", type=int, default=224, metavar="PX", help="side of a picture (default 224)")
    bench.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    bench.add_argument("--processes", type=int, default=0, metavar="N", help="of the engine at once (default: chosen)")
    bench.add_argument("--compiled", action="store_true", help="let the engine compile the networks")
    bench.add_argument("--rounds", type=int, metavar="N", help="measurements of each way (default 9, quick 2)")
    bench.add_argument("--seconds", type=float, metavar="S", help="length of a measurement (default 5, quick 1.5)")


def _add_people_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "say who may do what where a sign-in is configured, and show who did what"
    people = commands.add_parser("people", help=text, description=text[0].upper() + text[1:] + ".")
    actions = people.add_subparsers(dest="action", required=True, metavar="list|grant|revoke|audit")
    _command(actions, "list", "people:list_people", "show people and their roles")
    grant = _command(actions, "grant", "people:grant_roles", "give a person roles")
    grant.add_argument("person", metavar="EMAIL", help="as the sign-in names them")
    grant.add_argument("roles", nargs="+", metavar="ROLE", help="instructor, reviewer, reader, may-train")
    grant.add_argument("--name", help="as it stands at findings and answers (default: the address)")
    revoke = _command(actions, "revoke", "people:revoke_roles", "take roles from a person; without ROLE all of them")
    revoke.add_argument("person", metavar="EMAIL")
    revoke.add_argument("roles", nargs="*", metavar="ROLE")
    audit = _command(actions, "audit", "people:show_audit", "show who did what, the newest first")
    audit.add_argument("--limit", type=_count, default=50, metavar="N", help="at most so many rows (default 50)")


def _add_teaching_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "reading sessions: show, make and close them, and write down what came out"
    teaching = commands.add_parser("teaching", help=text, description=text[0].upper() + text[1:] + ".")
    actions = teaching.add_subparsers(dest="action", required=True, metavar="list|create|close|export")
    _command(actions, "list", "teaching:list_all", "show all sessions")
    create = _command(actions, "create", "teaching:create", "make a session of cases drawn by chance")
    create.add_argument("--title", required=True)
    create.add_argument("--count", type=_count, default=20, metavar="N", help="cases (default 20)")
    create.add_argument("--experiment", metavar="EXPERIMENT", help="whose networks' answers are shown (default: none)")
    create.add_argument("--errors", action="store_true", help="only cases that a network took for something else")
    create.add_argument("--balanced", action="store_true", help="as many of each diagnosis")
    create.add_argument("--seed", type=_seed, default=0, metavar="N", help="of the draw (default 0)")
    close = _command(actions, "close", "teaching:close", "let nobody join or answer any more")
    close.add_argument("session", metavar="SESSION")
    export = _command(actions, "export", "teaching:export", "write the summary and all tables into a folder")
    export.add_argument("session", metavar="SESSION")
    export.add_argument("--out", type=Path, metavar="DIR", help="default: SESSION-export in this folder")
    export.add_argument("--names", action="store_true", help="readers by their names in place of stars")


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    target: str,
    help_text: str,
    *,
    task: bool = False,
    study: bool = True,
) -> argparse.ArgumentParser:
    """Add one command with the options that all share."""
    parser = commands.add_parser(name, help=help_text, description=help_text[0].upper() + help_text[1:] + ".")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
    if study:
        parser.add_argument("--study", type=Path, metavar="DIR", help="default $BRAINMRI_STUDY, then study/")
    if task:
        parser.add_argument("--task", type=int, help=argparse.SUPPRESS)
    parser.set_defaults(run=_lazy(target))
    return parser


def _lazy(target: str) -> Command:
    module, function = target.split(":")

    def run(options: argparse.Namespace) -> int:
        code: int = getattr(import_module(f"brainmri.commands.{module}"), function)(options)
        return code

    return run


def _seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed < 2**31:
        raise argparse.ArgumentTypeError("expected a whole number from 0 to 2147483647")
    return seed


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("expected a whole number from 1")
    return count
