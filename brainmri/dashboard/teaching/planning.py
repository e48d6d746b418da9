"""The controls of a session's plan: how readers read, and what they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import streamlit as st
from sqlalchemy import select

from brainmri.intake.records import Case
from brainmri.study import Study
from brainmri.teaching.plans import (
    AT_THE_END,
    LIMITS_S,
    REVEALS,
    ConfidenceStyle,
    Exercise,
    Order,
    Reveal,
    SessionPlan,
)
from brainmri.vocabulary import TRAINED_DIAGNOSES

_EXERCISES: Final[dict[Exercise, str]] = {"diagnosis": "What is it?", "locate": "Where would you look?"}
_ORDERS: Final[dict[Order, str]] = {"shuffled": "Shuffled for each reader", "fixed": "The same for all"}
_CONFIDENCES: Final[dict[ConfidenceStyle, str]] = {"chosen": "Of the chosen diagnosis", "each": "Of each diagnosis"}
_REVEALED: Final[dict[Reveal, str]] = {
    "network": "Network and map",
    "pathology": "Pathology",
    "clinical": "Clinical data",
    "note": "Teaching note",
    "similar": "Similar cases",
    "others": "How others answered",
}
_LIMIT_S: Final = 60


def pick_plan(study: Study, *, with_network: bool) -> SessionPlan:
    """Let the instructor decide how the session runs.

    Parameters
    ----------
    study : Study
    with_network : bool
        Whether an experiment was chosen, so that a network's answer can be shown.

    Raises
    ------
    TeachingError
        Where two choices contradict each other.
    """
    exercise = _one_of("Readers answer", _EXERCISES, "teaching-exercise")
    reveals = _pick_reveals(exercise, with_network=with_network)
    left, right = st.columns(2)
    with left:
        order = _one_of("Order of the cases", _ORDERS, "teaching-order")
        confidence = _one_of("How sure, 0 to 100 %", _CONFIDENCES, "teaching-confidence")
        limit_s = _pick_limit()
    with right:
        columns = _pick_columns(study) if "clinical" in reveals else ()
        mark = st.toggle("Readers may mark the decisive finding", key="teaching-mark-on")
        reasoning = st.toggle("Ask for one line of reasoning", key="teaching-reasoning-on")
        closes = exercise == "locate" or bool(set(reveals) & set(AT_THE_END))
        going_back = st.toggle(
            "Readers may go back",
            disabled=closes,
            key="teaching-back-on",
            help="Only where nothing is shown after a case that gives it away.",
        )
    return SessionPlan(
        classes=TRAINED_DIAGNOSES,
        exercise=cast("Exercise", exercise),
        order=cast("Order", order),
        limit_s=limit_s,
        reveals=frozenset(reveals),
        confidence=cast("ConfidenceStyle", confidence),
        mark=mark,
        reasoning=reasoning,
        going_back=going_back and not closes,
        clinical_columns=tuple(columns),
    )


def describe_plan(plan: SessionPlan) -> str:
    """Return for example ``What is it? · shuffled for each reader · 60 s a case · shows pathology``."""
    shown = [name.lower() for reveal, name in _REVEALED.items() if reveal in plan.reveals]
    parts = [
        _EXERCISES[plan.exercise],
        _ORDERS[plan.order].lower(),
        f"{plan.limit_s} s a case" if plan.limit_s else "no time limit",
        f"shows {', '.join(shown)}" if shown else "shows nothing",
        *(["readers may go back"] if plan.going_back else []),
    ]
    return " · ".join(parts)


def _one_of(label: str, choices: Mapping[Any, str], key: str) -> str:
    chosen = st.segmented_control(
        label, list(choices), format_func=choices.__getitem__, default=next(iter(choices)), required=True, key=key
    )
    return str(chosen)


def _pick_limit() -> int | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        limited = st.toggle("Time limit a case", key="teaching-limited")
        seconds = st.number_input(
            "Seconds",
            *LIMITS_S,
            value=_LIMIT_S,
            step=5,
            disabled=not limited,
            key="teaching-limit",
            label_visibility="collapsed",
            width=140,
        )
    return int(seconds) if limited else None


def _pick_reveals(exercise: str, *, with_network: bool) -> Sequence[Reveal]:
    offered = [name for name in _REVEALED if with_network or name not in ("network", "similar")]
    if exercise == "locate":
        offered = [name for name in offered if name != "others"]
    chosen = st.pills(
        "Shown after an answer",
        offered,
        format_func=_REVEALED.__getitem__,
        selection_mode="multi",
        default=[name for name in ("network", "pathology") if name in offered],
        key=f"teaching-reveals-{exercise}-{with_network}",
        help="  \n".join(f"**{_REVEALED[name]}**: {sentence}" for name, sentence in REVEALS.items()),
    )
    return [name for name in offered if name in chosen]


def _pick_columns(study: Study) -> Sequence[str]:
    with study.session() as session:
        names = sorted({name for clinical in session.scalars(select(Case.clinical)) for name in clinical or {}})
    return st.multiselect(
        "Clinical columns that readers see",
        names,
        key="teaching-columns",
        help="What a column holds must not name the diagnosis before the pathology does.",
    )
