"""What the review page shows: the experiment, the network, its run, and the case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from brainmri.dashboard.review import (
    TestedCase,
    find_experiment,
    label_run,
    read_tested_cases,
    read_verdicts,
    same_repeat,
)
from brainmri.dashboard.reviewing.walk import run_that_tested
from brainmri.dashboard.state import query_choice, remember_choice
from brainmri.evaluation.reading import FinishedRun
from brainmri.review.worklist import Worklist
from brainmri.study import Study
from brainmri.training.architecture_names import display_architecture


def pick_experiment(study: Study, reviewed: Mapping[str, str]) -> str:
    """Let the visitor choose an experiment; the address, or the run that it names, decides first.

    Parameters
    ----------
    study : Study
    reviewed : mapping of str to str
        Labels of the experiments that have finished runs, by experiment.
    """
    options = list(reviewed)
    of_run = find_experiment(study, st.query_params.get("run"))
    chosen = query_choice("experiment", options, of_run if of_run in options else options[0]) or options[0]
    st.session_state["review-experiment"] = chosen
    st.selectbox(
        "Experiment",
        options,
        format_func=reviewed.__getitem__,
        width=235,
        key="review-experiment",
        on_change=lambda: remember_choice(experiment=st.session_state["review-experiment"], run=None),
    )
    return chosen


def pick_run(study: Study, experiment_id: str, runs: Sequence[FinishedRun], listed: Worklist) -> FinishedRun:
    """Let the visitor choose a network and one of its runs.

    Parameters
    ----------
    study : Study
    experiment_id : str
    runs : sequence of FinishedRun
        Of the experiment.
    listed : Worklist
        Where the address names neither run nor case, a run that tested its first case is shown.
    """
    by_id = {run.run_id: run for run in runs}
    wanted = st.query_params.get("case") or (listed.rows[0].case_id if listed.rows else None)
    chosen = query_choice("run", list(by_id))
    if chosen is None:
        found = run_that_tested(read_verdicts(study, experiment_id, len(runs)), wanted)
        chosen = found if found in by_id else runs[0].run_id
    network = by_id[chosen].architecture
    st.session_state["review-network"] = network
    st.segmented_control(
        "Network",
        list(dict.fromkeys(run.architecture for run in runs)),
        format_func=display_architecture,
        required=True,
        key="review-network",
        on_change=lambda: remember_choice(run=same_repeat(runs, chosen, st.session_state["review-network"])),
    )
    st.session_state["review-run"] = chosen
    st.selectbox(
        "Run",
        [run.run_id for run in runs if run.architecture == network],
        format_func=lambda name: label_run(by_id[name]),
        width=155,
        help="A repeat is one random split; all networks of a repeat share it. The share is the test accuracy.",
        key="review-run",
        on_change=lambda: remember_choice(run=st.session_state["review-run"]),
    )
    return by_id[chosen]


def tested_cases(study: Study, experiment_id: str, run: FinishedRun) -> tuple[TestedCase, ...]:
    """Return the cases that a run tested, read once for all visitors: wrong first, surest first."""
    return _tested_cases(study, study.url, experiment_id, run.run_id, repr((run.accuracy, run.seconds)))


def pick_case(tested: Sequence[TestedCase], listed: Worklist) -> TestedCase | None:
    """Return the case that the address names; else the hardest one that the run tested; None where it tested none.

    A link to a run opens the case that this run has most surely wrong; else the order of the list counts.
    """
    by_id = {case.case_id: case for case in tested}
    asked = st.query_params.get("case")
    if asked in by_id:
        return by_id[asked]
    if asked and tested:
        st.info(
            f"This run did not test {asked}: it was among its training cases, or is not in its data set.",
            icon=":material/info:",
        )
    names = [row.case_id for row in listed.rows]
    if st.query_params.get("run") and set(by_id) <= set(names):
        return next(iter(tested), None)
    return next((by_id[name] for name in names if name in by_id), next(iter(tested), None))


@st.cache_resource(max_entries=64, show_spinner=False)
def _tested_cases(_study: Study, url: str, experiment_id: str, run_id: str, stamp: str) -> tuple[TestedCase, ...]:
    return read_tested_cases(_study, experiment_id, run_id)
