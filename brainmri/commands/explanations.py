"""The commands that store what pages show of finished runs: explain-all and explain-case."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from brainmri import tasks
from brainmri.commands.terminal import print_json, print_table, show_progress
from brainmri.errors import UsageError
from brainmri.study import open_study

if TYPE_CHECKING:
    from brainmri.explanation.everything import ExplainedRun


def explain_all(options: Namespace) -> int:
    """Store maps, contributions, faithfulness and similar cases of a run or of all runs of an experiment."""
    from brainmri.explanation.everything import explain_all as store_all  # noqa: PLC0415 - torch, captum
    from brainmri.explanation.run_files import Parts  # noqa: PLC0415

    study = open_study(options.study, create=False)
    usual = Parts()
    parts = Parts(
        methods=tuple(options.methods or usual.methods),
        baselines=tuple(options.baselines or usual.baselines),
        faithfulness=tuple(options.faithfulness or usual.faithfulness),
    )
    with tasks.running(study, "explain", subject=options.target, task_id=options.task) as task:
        done = store_all(study, options.target, parts, again=options.again, progress=show_progress(task))
    if options.json:
        print_json({"target": options.target, "runs": [_as_json(one) for one in done]})
    else:
        _print(done)
    return 1 if all(one.left_out for one in done) else 0


def explain_case(options: Namespace) -> int:
    """Store the maps and the contributions of one case of a run; or answer requests for cases, one a line."""
    study = open_study(options.study, create=False)
    if options.serve:
        from brainmri.explanation.serving import serve  # noqa: PLC0415

        serve(study, sys.stdin, sys.stdout)
        return 0
    if options.run_id is None or options.case_id is None:
        raise UsageError("Name a run and one of its test cases: python -m brainmri explain-case RUN CASE")
    from brainmri.explanation.one_case import METHOD, PARTS, CaseExplainer  # noqa: PLC0415 - torch

    only_maps = options.method is not None or options.layer is not None
    done = CaseExplainer(study).explain(
        options.run_id,
        options.case_id,
        parts=("maps",) if only_maps else PARTS,
        method=options.method or METHOD,
        layer=options.layer,
        progress=show_progress(None),
    )
    if options.json:
        print_json(asdict(done))
    else:
        print(f"{done.case_id} by {done.run_id}: {done.images} images in {done.seconds:.1f} s.")
    return 0


def _as_json(one: ExplainedRun) -> dict[str, object]:
    return {"run": one.run_id, "made": list(one.made), "present": list(one.present), "left_out": one.left_out}


def _print(done: Sequence[ExplainedRun]) -> None:
    rows = [(one.run_id, len(one.made), len(one.present)) for one in done if one.left_out is None]
    if rows:
        print_table(("run", "files made", "files there"), rows)
    for one in done:
        if one.left_out is not None:
            print(f"{one.run_id} was left out. {one.left_out}")
