"""The worklist as a table, its downloads, and how far reviewers agree over all its cases."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import streamlit as st

from brainmri.dashboard.formatting import fit_table
from brainmri.dashboard.review import TestedCase
from brainmri.dashboard.reviewing.walk import open_case
from brainmri.evaluation.verdicts import Verdicts
from brainmri.review.agreement import Agreement, collect_verdicts, measure_agreement
from brainmri.review.findings import findings_csv, read_findings
from brainmri.review.worklist import Worklist, WorkRow
from brainmri.study import Study
from brainmri.vocabulary import display_diagnosis

_MOST_ROWS: Final = 9
_COLUMNS: Final = {
    "Wrong": st.column_config.ProgressColumn(
        format="%.0f %%", min_value=0, max_value=100, help="Share of the runs that tested the case and were wrong."
    ),
    "Confidence": st.column_config.NumberColumn(
        format="%.0f %%", help="Mean probability that the runs give to what they say."
    ),
    "Loss": st.column_config.NumberColumn(
        format="%.2f", help="Mean of −ln of the probability of the pathology: 0 where all runs are sure and right."
    ),
    "Scanner": st.column_config.TextColumn(width="small"),
}


def show_worklist(
    study: Study,
    experiment_id: str,
    listed: Worklist,
    tested: Sequence[TestedCase],
    case_id: str,
    *,
    run_id: str,
    verdicts: Verdicts,
) -> None:
    """Show the list that Previous and Next walk, in their order; a click opens a case.

    Parameters
    ----------
    study : Study
    experiment_id : str
    listed : Worklist
    tested : sequence of TestedCase
        By the run on the screen.
    case_id : str
        The case on the screen.
    run_id : str
    verdicts : Verdicts
        Of all runs.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Cases to review", anchor=False, width="stretch")
        st.caption(listed.describe_progress(), width="content")
        _show_downloads(study, experiment_id, listed)
    if not listed.rows:
        st.write("No case is in this list. Choose **Worklist** at the top, or clear the filter.")
        return
    ids = [row.case_id for row in listed.rows]
    key = f"worklist-{run_id}-{len(ids)}-{case_id}"
    st.dataframe(
        worklist_rows(listed.rows, {case.case_id: case.is_right for case in tested}),
        hide_index=True,
        placeholder="–",
        height=fit_table(len(ids), _MOST_ROWS),
        column_config=_COLUMNS,
        selection_mode=["single-row", "single-cell"],
        selection_default={"selection": {"rows": [ids.index(case_id)]}} if case_id in ids else None,
        on_select=lambda: _open_row(key, ids, verdicts, run_id),
        key=key,
    )
    st.caption("Click a row to open its case. The hardest come first; a click on a heading sorts the table alone.")


def worklist_rows(rows: Sequence[WorkRow], right: dict[str, bool]) -> list[dict[str, Any]]:
    """Return one row for each case.

    Parameters
    ----------
    rows : sequence of WorkRow
    right : dict of str to bool
        Whether the run on the screen is right, by case that it tested.
    """
    words = {True: "✓", False: "✗"}
    return [
        {
            "Case": row.case_id,
            "Pathology": display_diagnosis(row.diagnosis),
            "Most runs say": display_diagnosis(row.predicted),
            "This run": words[right[row.case_id]] if row.case_id in right else None,
            "Wrong": 100 * row.wrong_share,
            "Kind": row.kind,
            "Disagree": "yes" if row.disagreement else None,
            "Confidence": 100 * row.confidence,
            "Loss": row.loss,
            "Scanner": row.scanner,
            "Finding": ", ".join(dict.fromkeys(row.verdicts)) or None,
            "Reviewers": ", ".join(row.reviewers) or None,
            "Teaching": "yes" if row.bookmarked else None,
        }
        for row in rows
    ]


def show_agreement(study: Study, experiment_id: str) -> None:
    """Show how far reviewers agree over all cases of the experiment; nothing with fewer than two reviewers."""
    ratings = collect_verdicts(read_findings(study, experiment_id))
    if len({name for verdicts in ratings.values() for name in verdicts}) < 2:
        return
    with st.expander("How far reviewers agree", key="review-agreement", on_change="rerun") as box:
        if box.open:
            found = _measure(repr(sorted((case, sorted(said.items())) for case, said in ratings.items())), ratings)
            rows = agreement_rows(found)
            st.dataframe(
                rows,
                hide_index=True,
                placeholder="–",
                height=fit_table(len(rows), _MOST_ROWS),
                column_config={
                    "Reviewers": st.column_config.TextColumn(width="medium"),
                    "Remark": st.column_config.TextColumn(width="large"),
                },
            )
            st.caption(
                "On the cases that all of the named have judged. Kappa is 1 for full agreement and 0 for as much as "
                "chance gives (Cohen's for two, Fleiss' for more), with its 95 % interval."
            )


def agreement_rows(found: Sequence[Agreement]) -> list[dict[str, Any]]:
    """Return one row for each pair of reviewers, and for all together where they are more than two."""
    return [
        {
            "Reviewers": " and ".join(one.reviewers) if len(one.reviewers) == 2 else f"All {len(one.reviewers)}",
            "Cases in common": one.cases,
            "Agreed": one.agreed,
            "Kappa": None if one.kappa is None else f"{one.kappa:.2f}",
            "95 % interval": None if one.lower is None or one.upper is None else f"{one.lower:.2f} to {one.upper:.2f}",
            "Remark": one.note,
        }
        for one in found
    ]


@st.cache_resource(max_entries=16, show_spinner="Measuring agreement …")
def _measure(stamp: str, _ratings: dict[str, dict[str, str]]) -> tuple[Agreement, ...]:
    return measure_agreement(_ratings)


def _show_downloads(study: Study, experiment_id: str, listed: Worklist) -> None:
    """Show the buttons that take the list and all findings away; a file is made when its button is pressed."""
    st.download_button(
        "List (CSV)",
        listed.to_csv,
        file_name=f"{experiment_id}-worklist.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        disabled=not listed.rows,
        key="download-worklist",
        help="The cases of this list with what people found. No identity is in it unless somebody wrote it in a note.",
    )
    st.download_button(
        "Findings (CSV)",
        partial(_findings_csv, study, experiment_id),
        file_name=f"{experiment_id}-findings.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download-findings",
        help="All findings and notes of this experiment, whatever is filtered.",
    )


def _findings_csv(study: Study, experiment_id: str) -> str:
    return findings_csv(read_findings(study, experiment_id))


def _open_row(key: str, ids: list[str], verdicts: Verdicts, run_id: str) -> None:
    chosen = st.session_state[key]["selection"]
    rows = [cell[0] for cell in chosen["cells"]] or chosen["rows"]
    if rows:
        open_case(verdicts, run_id, ids[rows[0]])
