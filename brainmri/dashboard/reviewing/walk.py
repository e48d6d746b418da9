"""The way from case to case: which list is walked, and which run shows the next case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import streamlit as st

from brainmri.dashboard.review import TestedCase
from brainmri.dashboard.reviewing.filtering import read_filter
from brainmri.dashboard.state import query_choice, remember_choice
from brainmri.evaluation.reading import FinishedRun
from brainmri.evaluation.verdicts import Verdicts
from brainmri.review.findings import read_findings
from brainmri.review.worklist import Worklist, read_worklist
from brainmri.study import Study

SCOPES: Final = {"all": "Worklist", "run": "All tested", "wrong": "Wrong only"}
"""What the address calls a list, and its label."""

_HELP: Final = (
    "**Worklist**: every case that any run of the experiment tested, the hardest first. **All tested** and **Wrong "
    "only**: those of the run on the screen, in the same order. The filter counts in each."
)
_SCOPE: Final = "review-scope"


def whole_worklist(study: Study, experiment_id: str, finished: int) -> Worklist:
    """Return every case that the experiment tested, with what people have said of it until now.

    Parameters
    ----------
    study : Study
    experiment_id : str
    finished : int
        Its finished runs: another number is another list.
    """
    return _worklist(study, study.url, experiment_id, finished).with_findings(read_findings(study, experiment_id))


def pick_scope(whole: Worklist, tested: Sequence[TestedCase]) -> Worklist:
    """Let the visitor choose between the whole list and the run's own cases; return the chosen one, filtered.

    Parameters
    ----------
    whole : Worklist
    tested : sequence of TestedCase
        What the run on the screen tested.
    """
    fitting = whole.select(read_filter())
    lists = {
        "all": fitting,
        "run": fitting.among(case.case_id for case in tested),
        "wrong": fitting.among(case.case_id for case in tested if not case.is_right),
    }
    chosen = query_choice("list", list(lists), "all") or "all"
    st.session_state[_SCOPE] = chosen
    st.segmented_control(
        "Cases",
        list(lists),
        format_func=lambda name: f"{SCOPES[name]} ({len(lists[name].rows)})",
        required=True,
        key=_SCOPE,
        help=_HELP,
        on_change=_change_scope,
        args=(lists,),
    )
    return lists[chosen]


def run_that_tested(verdicts: Verdicts, case_id: str | None, shown: str | None = None) -> str | None:
    """Return a run that tested a case: the one on the screen, else one of its network, else any; None where none did.

    Parameters
    ----------
    verdicts : Verdicts
        Of all runs.
    case_id : str or None
    shown : str, optional
        The run on the screen.
    """
    if case_id not in verdicts.case_ids:
        return None
    rows = np.unique(verdicts.run[verdicts.case == verdicts.case_ids.index(case_id)])
    found = [verdicts.runs[int(row)] for row in rows]
    network = next((run.architecture for run in verdicts.runs if run.run_id == shown), None)
    found.sort(key=lambda run: (run.run_id != shown, run.architecture != network))
    return found[0].run_id if found else None


def open_case(verdicts: Verdicts, shown: str, case_id: str | None) -> None:
    """Write a case into the address, and the run that is on the screen, or one that tested the case."""
    remember_choice(case=case_id, run=run_that_tested(verdicts, case_id, shown) or shown)


def show_steps(verdicts: Verdicts, run: FinishedRun, case_id: str, listed: Worklist) -> str | None:
    """Show the buttons to the previous and the next case of the list, and return the next one.

    Where the run did not test that case, they change to one that did.

    Parameters
    ----------
    verdicts : Verdicts
        Of all runs.
    run : FinishedRun
        The one on the screen.
    case_id : str
    listed : Worklist
    """
    before, after = listed.neighbours(case_id)
    st.button(
        "Previous",
        icon=":material/chevron_left:",
        shortcut="P",
        disabled=before is None,
        on_click=open_case,
        args=(verdicts, run.run_id, before),
    )
    st.button(
        "Next",
        icon=":material/chevron_right:",
        icon_position="right",
        shortcut="N",
        type="primary",
        disabled=after is None,
        on_click=open_case,
        args=(verdicts, run.run_id, after),
    )
    return after


def describe_place(listed: Worklist, case_id: str) -> str:
    """Return ``2 of 42 · 17 of 42 reviewed``, or that the case is not in the list."""
    names = [row.case_id for row in listed.rows]
    place = f"{names.index(case_id) + 1} of {len(names)}" if case_id in names else "not in the list"
    return f"{place} · {listed.describe_progress()}" if names else place


def _change_scope(lists: dict[str, Worklist]) -> None:
    """Write the list into the address; a case that is not in it is left, where the list has any."""
    chosen = st.session_state[_SCOPE]
    remember_choice(list=None if chosen == "all" else chosen)
    names = {row.case_id for row in lists[chosen].rows}
    if names and st.query_params.get("case") not in names:
        remember_choice(case=None)


@st.cache_resource(max_entries=8, show_spinner=False)
def _worklist(_study: Study, url: str, experiment_id: str, finished: int) -> Worklist:
    return read_worklist(_study, experiment_id)
