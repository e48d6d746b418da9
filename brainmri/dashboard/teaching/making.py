"""Make a session: choose cases, look at them, decide how readers read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import streamlit as st
from sqlalchemy import select

from brainmri.dashboard.access import author_name, may, note
from brainmri.dashboard.contents import CASES_PAGE
from brainmri.dashboard.state import explain_errors, remember_choice
from brainmri.dashboard.teaching.place import SESSION
from brainmri.dashboard.teaching.planning import pick_plan
from brainmri.errors import TeachingError
from brainmri.evaluation.difficulty import DIFFICULTIES
from brainmri.evaluation.wording import label_experiment
from brainmri.intake.records import Case
from brainmri.review.filters import Filter
from brainmri.review.worklist import read_worklist
from brainmri.study import Study
from brainmri.teaching.choosing import ChosenCase, Wish, choose_cases, describe_choice, take_cases
from brainmri.teaching.sessions import MAXIMUM_TITLE, create_session
from brainmri.training.monitor import list_experiments
from brainmri.vocabulary import TRAINED_DIAGNOSES, display_diagnosis

_NO_NETWORK: Final = "none"
_WAYS: Final = {
    "draw": "Drawn by chance",
    "errors": "The networks' own errors",
    "bookmarked": "Bookmarked in review",
    "hand": "By hand",
}
_MOST: Final = 200
_USUAL: Final = 12


def show_making(study: Study) -> None:
    """Let an instructor make a session."""
    if not may("instructor"):
        return
    with st.container(border=True):
        st.subheader("Make a session", anchor=False)
        if not _has_labelled_case(study):
            st.write("It needs cases whose diagnosis is known: glioblastoma, PCNSL or meningioma. There is none yet.")
            st.page_link(CASES_PAGE, label="Import or label cases", icon=":material/folder_shared:")
            return
        title, author = _pick_title()
        st.markdown("**Cases**")
        experiment_id = _pick_experiment(study)
        with explain_errors():
            cases = _show_preview(_pick_cases(study, experiment_id))
            st.markdown("**How they are read**")
            plan = pick_plan(study, with_network=experiment_id is not None)
            if st.button(
                "Make the session", type="primary", icon=":material/add:", key="teaching-make", width="stretch"
            ):
                if not author:
                    raise TeachingError("Say whose session it is: enter your name.")
                made = create_session(study, plan, cases, title=title, author=author, experiment_id=experiment_id)
                note("create session", made.session_id, cases=len(cases))
                remember_choice(**{SESSION: made.session_id, "make": None})
                st.rerun()


def _has_labelled_case(study: Study) -> bool:
    query = select(Case.case_id).where(Case.diagnosis.in_(TRAINED_DIAGNOSES), Case.excluded.is_(False)).limit(1)
    with study.session() as session:
        return session.scalar(query) is not None


def _pick_title() -> tuple[str, str]:
    signed = author_name()
    left, right = st.columns([2, 1])
    title = left.text_input("Title", max_chars=MAXIMUM_TITLE, key="teaching-title", placeholder="Tuesday round")
    typed = right.text_input(
        "Instructor", value=signed or "", disabled=signed is not None, max_chars=40, key="teaching-author"
    )
    return title, (typed if signed is None else signed).strip()


def _pick_experiment(study: Study) -> str | None:
    names = {one.experiment_id: label_experiment(one) for one in list_experiments(study) if one.finished}
    chosen = st.selectbox(
        "Networks",
        [*names, _NO_NETWORK],
        format_func=lambda name: names.get(name, "No network: cases alone"),
        key="teaching-experiment",
        help="A case is shown with a network that was tested on it and did not train on it.",
    )
    return None if chosen == _NO_NETWORK else str(chosen)


def _pick_cases(study: Study, experiment_id: str | None) -> tuple[ChosenCase, ...]:
    ways = [name for name in _WAYS if experiment_id is not None or name in ("draw", "hand")]
    way = st.segmented_control(
        "Choose them",
        ways,
        format_func=_WAYS.__getitem__,
        default="draw",
        required=True,
        key=f"teaching-way-{experiment_id is None}",
        label_visibility="collapsed",
    )
    if way == "hand":
        chosen = st.multiselect("Cases", _known_cases(study, experiment_id), key="teaching-by-hand")
        if not chosen:
            raise TeachingError("Choose at least one case.")
        return take_cases(study, experiment_id, chosen)
    return choose_cases(study, experiment_id, _pick_wish(str(way), experiment_id))


def _pick_wish(way: str, experiment_id: str | None) -> Wish:
    first, second, third = st.columns([1, 3, 2], vertical_alignment="bottom")
    count = first.number_input("Number", 1, _MOST, value=_USUAL, key="teaching-count")
    diagnoses = second.multiselect(
        "Diagnoses",
        TRAINED_DIAGNOSES,
        default=TRAINED_DIAGNOSES,
        format_func=display_diagnosis,
        key="teaching-diagnoses",
    )
    kinds = third.multiselect(
        "Kinds of cases",
        list(DIFFICULTIES) if experiment_id is not None else [],
        placeholder="All",
        key="teaching-kinds",
        help="  \n".join(f"**{name}**: {words}" for name, words in DIFFICULTIES.items()),
    )
    seed = st.session_state.setdefault("teaching-seed", 0)
    with st.container(horizontal=True, vertical_alignment="center"):
        balanced = st.toggle("Balanced", key="teaching-balanced", help="As many of each diagnosis as there can be.")
        st.button("Draw again", icon=":material/casino:", key="teaching-draw", on_click=_draw_again)
    return Wish(
        count=int(count),
        chosen=Filter(kind=tuple(kinds), bookmarked=way == "bookmarked"),
        diagnoses=tuple(diagnoses),
        only_errors=way == "errors",
        balanced=balanced,
        seed=seed,
    )


def _draw_again() -> None:
    st.session_state["teaching-seed"] += 1


def _known_cases(study: Study, experiment_id: str | None) -> list[str]:
    if experiment_id is not None:
        return sorted(row.case_id for row in read_worklist(study, experiment_id).rows)
    return sorted(one.case_id for one in choose_cases(study, None, Wish(count=100_000)))


def _show_preview(cases: Sequence[ChosenCase]) -> list[ChosenCase]:
    """Show the instructor what was chosen, and take teaching notes."""
    st.caption(f"{describe_choice(cases)}. Readers see neither this table nor the names of cases.")
    edited: Any = st.data_editor(
        [
            {
                "Case": one.case_id,
                "Diagnosis": display_diagnosis(one.diagnosis),
                "Network": "–" if one.network_right is None else "right" if one.network_right else "wrong",
                "Teaching note": one.note,
            }
            for one in cases
        ],
        disabled=["Case", "Diagnosis", "Network"],
        hide_index=True,
        height=240,
        column_config={"Teaching note": st.column_config.TextColumn(width="large", max_chars=500)},
        key=f"teaching-preview-{'-'.join(one.case_id for one in cases)}",
    )
    return [replace(one, note=str(row["Teaching note"] or "")) for one, row in zip(cases, edited, strict=True)]
