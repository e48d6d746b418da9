"""Panels on pairs of networks over the repeats: intervals, posteriors, effect sizes, mean ranks."""

from __future__ import annotations

from typing import Any

import streamlit as st

from brainmri.dashboard.results.choice import Choice
from brainmri.dashboard.results.every_test_data import posteriors
from brainmri.dashboard.results.panels import show_figure, show_heading, show_table
from brainmri.evaluation.findings import Findings
from brainmri.evaluation.rows_of_tests import effect_rows, letter_rows, pair_intervals, pair_rows, posterior_rows
from brainmri.evaluation.wording import format_range, format_share, name_architectures
from brainmri.figures.tests_of_models import draw_hedges_g, draw_mean_ranks, draw_pair_intervals, draw_posterior


def show_pairs(found: Findings) -> None:
    """Show every pair by every test, as intervals, p-values and letters."""
    with st.container(border=True):
        show_heading("Pair by pair")
        if not found.comparison.tukey:
            st.write("There is one network only: a pair takes two.")
            return
        _show_intervals(found)
        show_table(pair_rows(found), column_config=_pair_columns(found))
        st.caption(
            f"{found.measure.axis} of the means, and p-values adjusted for the number of pairs: those of Dunn and "
            "of the corrected t-test by Holm's method."
        )
        if letters := letter_rows(found):
            show_table(letters)
            st.caption("The best mean first. Networks that share a letter are not told apart by that test.")


def _show_intervals(found: Findings) -> None:
    intervals = pair_intervals(found)
    if all(one.lower is None for one in intervals):
        st.write("No pair can be tested; the notes above say why.")
        return
    show_figure(
        draw_pair_intervals(intervals, found.measure),
        key="pair_intervals",
        alt="Differences of every pair of networks with 95 % intervals by three tests",
    )
    st.caption(
        "Mark: difference of the means. Line: 95 % interval, of Tukey and Games-Howell for all pairs at once, of the "
        "corrected t-test for the pair alone. Filled: told apart at 5 %, adjusted for the number of pairs."
    )


@st.fragment
def show_posterior(chosen: Choice, found: Findings) -> None:
    """Show how probable it is that one of two networks is better, with a region of equivalence that the reader sets."""
    show_heading("How probably better")
    region = _choose_region(found)
    pairs = posteriors(chosen, region)
    if all(pair.p_a_better is None for pair in pairs):
        notes = list(dict.fromkeys(name_architectures(pair.note) for pair in pairs if pair.note))
        st.write(" ".join(notes) or "There is one network only: a pair takes two.")
        return
    show_figure(
        draw_posterior(pairs),
        key="posterior",
        alt="Probabilities that one network is better, both are practically equal, or the other is better",
    )
    end = st.column_config.NumberColumn(format="%+.1f" if found.measure.shares else "%+.3f")
    share = st.column_config.NumberColumn(format="%.1f %%")
    with st.expander("Numbers"):
        show_table(
            posterior_rows(pairs, found.point),
            column_config={
                **dict.fromkeys(("a better", "Practically equal", "b better"), share),
                **dict.fromkeys(("Lower", "Upper"), end),
            },
        )
    st.caption(
        "Bayesian correlated t-test, which allows for the overlap of the splits. A statement above 95 % counts as "
        "shown. Lower and upper: 95 % credible interval of the difference a − b."
    )


def show_effect_sizes(found: Findings) -> None:
    """Show how large the differences are against the scatter between repeats."""
    show_heading("How large")
    sizes = found.effect_sizes
    if sizes.eta_squared is not None:
        left, right = st.columns(2)
        left.metric(
            "η²",
            format_share(sizes.eta_squared),
            delta=f"95 %: {format_range(sizes.eta_squared_lower, sizes.eta_squared_upper)}",
            delta_color="off",
            delta_arrow="off",
            help="Share of the variation among all repeats that lies between the networks, with its 95 % interval. Too "
            "large for few repeats.",
        )
        right.metric(
            "ω²",
            format_share(sizes.omega_squared),
            help="The same share with most of the bias taken out; below zero where the networks differ less than "
            "scatter alone would make them.",
        )
    elif sizes.note:
        st.write(name_architectures(sizes.note))
    if any(pair.g is not None for pair in sizes.hedges_g):
        show_figure(draw_hedges_g(sizes.hedges_g), key="hedges_g", alt="Hedges' g of every pair with 95 % intervals")
        with st.expander("Numbers"):
            number = st.column_config.NumberColumn(format="%.3f")
            show_table(effect_rows(found), column_config=dict.fromkeys(("Value", "Lower", "Upper"), number))
    st.caption(
        "Hedges' g: difference of two means over their standard deviation between repeats, free of the bias of small "
        "samples. 95 % intervals, for independent repeats: too narrow where splits overlap."
    )


def show_mean_ranks(found: Findings) -> None:
    """Show the critical-difference diagram."""
    with st.container(border=True):
        show_heading("Mean ranks")
        ranked = found.friedman
        if not ranked.mean_ranks or ranked.critical_difference is None:
            st.write(name_architectures(ranked.note or "There are no ranks to compare."))
            return
        show_figure(draw_mean_ranks(ranked), key="mean_ranks", alt="Critical-difference diagram of the mean ranks")
        st.caption(
            f"Rank 1 is the best network of a split; means over {ranked.n} splits. Networks that a thick line joins "
            "are not told apart by Nemenyi's test at 5 %, which takes the splits for independent."
        )


def _choose_region(found: Findings) -> float:
    measure = found.measure
    scale, digits = (1.0, 1) if measure.shares else (0.01, 3)
    region: float = st.slider(
        f"Differences that count as none, up to ({measure.region_unit})",
        min_value=0.0,
        max_value=5.0 * scale,
        value=measure.usual_region,
        step=0.1 * scale,
        format=f"%.{digits}f",
        key="region_of_shares" if measure.shares else "region_of_numbers",
        persist_state="session",
        help="Region of practical equivalence: two networks that differ by no more are as good as each other for you. "
        "Set it before looking at the result.",
    )
    return region


def _pair_columns(found: Findings) -> dict[str, Any]:
    signed = "%+.1f" if found.measure.shares else "%+.3f"
    p = st.column_config.TextColumn(alignment="right")
    return {
        "Difference": st.column_config.NumberColumn(format=signed),
        **dict.fromkeys(("Tukey", "Games-Howell", "Dunn", "Nemenyi", "Corrected t"), p),
    }
