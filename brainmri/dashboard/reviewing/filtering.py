"""The filter of the worklist: in the address, in a popover, and as words."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, Final, cast

import streamlit as st

from brainmri.dashboard.reviewing.saved import show_saved_lists
from brainmri.dashboard.state import came_by_timer
from brainmri.errors import UsageError
from brainmri.evaluation.case_attributes import QUALITY
from brainmri.evaluation.difficulty import DIFFICULTIES
from brainmri.evaluation.wording import format_share
from brainmri.review.filters import Filter, Status
from brainmri.review.records import VERDICTS
from brainmri.review.worklist import Worklist
from brainmri.study import Study
from brainmri.vocabulary import display_diagnosis

_OPEN: Final = "review-filter"
_STATUSES: Final[dict[Status, str]] = {"reviewed": "Reviewed", "open": "Not reviewed"}
_KIND_HELP: Final = "\n".join(f"- **{name.capitalize()}**: {text}" for name, text in DIFFICULTIES.items())
_QUALITY_HELP: Final = "\n".join(f"- **{name.capitalize()}**: {text}" for name, text in QUALITY.items())
_LOSS_STEP: Final = 0.1


def read_filter() -> Filter:
    """Return the filter that the address carries; one that cannot be read counts as none, see `show_filter`."""
    try:
        return _from_address()
    except UsageError:
        return Filter()


def write_filter(chosen: Filter) -> None:
    """Write a filter into the address, and take out what it does not set."""
    if came_by_timer():
        return
    query = chosen.to_query()
    for name in (one.name for one in fields(Filter)):
        if name not in query:
            st.query_params.pop(name, None)
        elif st.query_params.get_all(name) != query[name]:
            st.query_params[name] = query[name]


def show_filter(study: Study, whole: Worklist) -> None:
    """Show the button that opens the filter, with how many conditions are set.

    Parameters
    ----------
    study : Study
    whole : Worklist
        Without any filter.
    """
    chosen = read_filter()
    count = len(describe_filter(chosen))
    with st.popover(
        f"Filter ({count})" if count else "Filter", icon=":material/filter_list:", key=_OPEN, on_change="rerun"
    ) as box:
        if box.open:
            _show_fields(whole, chosen)
            show_saved_lists(study, chosen, write_filter)


def show_conditions(whole: Worklist) -> None:
    """Say what is filtered, how many cases fit, and offer to clear it; nothing where no condition is set."""
    try:
        chosen = _from_address()
    except UsageError as error:
        st.warning(f"{error} The filter of this address is left out.", icon=":material/filter_list_off:")
        return
    words = describe_filter(chosen)
    if not words:
        return
    fitting = len(whole.select(chosen).rows)
    with st.container(horizontal=True, vertical_alignment="center"):
        for one in words:
            st.badge(one, icon=":material/filter_list:", color="orange")
        st.caption(
            f"{fitting} of {len(whole.rows)} cases fit." if fitting else "No case fits. Take a condition out.",
            width="content",
        )
        st.button("Clear", icon=":material/close:", type="tertiary", on_click=write_filter, args=(Filter(),))


def describe_filter(chosen: Filter) -> list[str]:
    """Return one phrase for each condition that is set."""
    found = [
        _either("", [display_diagnosis(name) for name in chosen.diagnosis]),
        _either("taken for ", [display_diagnosis(name) for name in chosen.predicted]),
        _either("", chosen.kind),
        "networks disagree" if chosen.disagreement else "",
        _range("confidence", chosen.confidence_from, chosen.confidence_to, lambda x: format_share(x, digits=0)),
        _range("loss", chosen.loss_from, chosen.loss_to, lambda x: f"{x:.1f}"),
        _either("", chosen.scanner),
        _either("", chosen.quality),
        _either("found: ", chosen.verdict),
        _describe_review(chosen),
        "for teaching" if chosen.bookmarked else "",
        f"“{chosen.text}”" if chosen.text else "",
    ]
    return [one for one in found if one]


def _describe_review(chosen: Filter) -> str:
    by = f" by {chosen.reviewer}" if chosen.reviewer else ""
    if chosen.status is None and not by:
        return ""
    return f"not reviewed{by}" if chosen.status == "open" else f"reviewed{by}"


def _either(before: str, names: Any) -> str:
    return f"{before}{' or '.join(names)}" if names else ""


def _range(name: str, lower: float | None, upper: float | None, write: Callable[[float], str]) -> str:
    if lower is None and upper is None:
        return ""
    if lower is None or upper is None:
        limit = cast(float, lower if upper is None else upper)
        return f"{name} {write(limit)} or {'more' if upper is None else 'less'}"
    return f"{name} {write(lower)} to {write(upper)}"


def _from_address() -> Filter:
    return Filter.from_query({name: st.query_params.get_all(name) for name in st.query_params})


def _show_fields(whole: Worklist, chosen: Filter) -> None:
    """Show one field for each condition; each is set from the address and writes into it."""
    left, right = st.columns(2)
    with left:
        _pick_some("diagnosis", "Diagnosis", whole, chosen, display_diagnosis)
        _pick_some("predicted", "Most runs say", whole, chosen, display_diagnosis)
        _pick_some("kind", "How often wrong", whole, chosen, str.capitalize, help_text=_KIND_HELP)
        _pick_switch("disagreement", "Networks disagree", whole, chosen)
        _pick_range("confidence", "Confidence (%)", 100, 1, 100, chosen)
        highest = math.ceil(max((row.loss for row in whole.rows), default=1.0))
        _pick_range("loss", "Loss", float(highest), _LOSS_STEP, 1, chosen)
        key = "filter-text"
        st.session_state[key] = chosen.text
        st.text_input(
            "Words",
            key=key,
            placeholder="In notes, case and scanner",
            on_change=lambda: _change(text=str(st.session_state[key]).strip()),
        )
    with right:
        _pick_some("scanner", "Scanner", whole, chosen, str)
        _pick_some("quality", "Image quality", whole, chosen, str.capitalize, help_text=_QUALITY_HELP)
        _pick_some("verdict", "Finding", whole, chosen, str.capitalize, names=list(VERDICTS))
        _pick_status(whole, chosen)
        _pick_reviewer(whole, chosen)
        _pick_switch("bookmarked", "For teaching", whole, chosen)


def _change(**conditions: Any) -> None:
    write_filter(replace(read_filter(), **conditions))


def _pick_some(
    field: str,
    label: str,
    whole: Worklist,
    chosen: Filter,
    write: Callable[[str], str],
    *,
    names: list[str] | None = None,
    help_text: str | None = None,
) -> None:
    """Let the visitor choose several values, each with the number of cases that the other conditions leave of it."""
    cleared = replace(chosen, **cast(dict[str, Any], {field: ()}))
    counts = _count(whole.select(cleared), field)
    taken: tuple[str, ...] = getattr(chosen, field)
    options = list(dict.fromkeys([*(names or _count(whole, field)), *taken]))
    key = f"filter-{field}"
    st.session_state[key] = list(taken)
    st.multiselect(
        label,
        options,
        format_func=lambda name: f"{write(name)} ({counts.get(name, 0)})",
        key=key,
        placeholder="Any",
        help=help_text,
        disabled=not options,
        on_change=lambda: _change(**{field: tuple(st.session_state[key])}),
    )


def _count(listed: Worklist, field: str) -> dict[str, int]:
    """Return how many rows have each value; a row with two findings counts once for each."""
    return listed.count("verdicts" if field == "verdict" else field)


def _pick_switch(field: str, label: str, whole: Worklist, chosen: Filter) -> None:
    count = len(whole.select(replace(chosen, **cast(dict[str, Any], {field: True}))).rows)
    key = f"filter-{field}"
    st.session_state[key] = getattr(chosen, field)
    st.toggle(f"{label} ({count})", key=key, on_change=lambda: _change(**{field: bool(st.session_state[key])}))


def _pick_range(field: str, label: str, highest: float, step: float, unit: float, chosen: Filter) -> None:
    """Let the visitor choose a range; its ends set no condition. The field shows `unit` times what the filter holds."""
    key = f"filter-{field}"
    zero = type(highest)(0)
    lower, upper = getattr(chosen, f"{field}_from"), getattr(chosen, f"{field}_to")
    shown = (
        zero if lower is None else min(max(type(highest)(lower * unit), zero), highest),
        highest if upper is None else min(max(type(highest)(upper * unit), zero), highest),
    )
    st.session_state[key] = (min(shown), max(shown))

    def write() -> None:
        low, high = st.session_state[key]
        _change(
            **{
                f"{field}_from": None if low <= zero else round(low / unit, 4),
                f"{field}_to": None if high >= highest else round(high / unit, 4),
            }
        )

    st.slider(label, zero, highest, step=type(highest)(step), key=key, on_change=write)


def _pick_status(whole: Worklist, chosen: Filter) -> None:
    counts = {name: len(whole.select(replace(chosen, status=name)).rows) for name in _STATUSES}
    key = "filter-status"
    st.session_state[key] = chosen.status
    st.segmented_control(
        "Review",
        list(_STATUSES),
        format_func=lambda name: f"{_STATUSES[name]} ({counts[name]})",
        key=key,
        on_change=lambda: _change(status=st.session_state[key]),
    )


def _pick_reviewer(whole: Worklist, chosen: Filter) -> None:
    names = {name for row in whole.rows for name in row.reviewers} | ({chosen.reviewer} if chosen.reviewer else set())
    counts = {name: whole.reviewed(name) for name in sorted(names)}
    key = "filter-reviewer"
    st.session_state[key] = chosen.reviewer
    st.selectbox(
        "Reviewer",
        list(counts),
        format_func=lambda name: f"{name} ({counts[name]})",
        index=None,
        key=key,
        placeholder="Anybody",
        disabled=not counts,
        on_change=lambda: _change(reviewer=st.session_state[key]),
    )
