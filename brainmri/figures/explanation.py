"""Figures of one case: what a network takes it for, and what all runs that tested it say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from brainmri.evaluation.case_verdicts import CaseVerdict, CaseVerdicts
from brainmri.explanation.contribution_summary import ContributionSpread, DiagnosisContributions
from brainmri.explanation.contributions import SequenceContributions
from brainmri.explanation.faithfulness import PerturbationCurves
from brainmri.explanation.sequence_gradients import GradientContributions
from brainmri.figures.palette import ACCENT, BACKGROUND, MUTED, TEXT, WARNING, apply_theme, diagnosis_colour
from brainmri.training.architecture_names import display_architecture
from brainmri.vocabulary import SEQUENCES, display_diagnosis

_RIGHT, _WRONG = "✓", "✗"


def draw_probabilities(classes: Sequence[str], probabilities: Sequence[float]) -> go.Figure:
    """Draw the probability of each diagnosis as a horizontal bar.

    Parameters
    ----------
    classes : sequence of str
        Diagnoses.
    probabilities : sequence of float
        0 to 1.
    """
    names = [display_diagnosis(name) for name in classes]
    figure = go.Figure(
        go.Bar(
            x=[100 * share for share in probabilities],
            y=names,
            orientation="h",
            marker={"color": [diagnosis_colour(name) for name in classes]},
            text=[f"{100 * share:.0f} %" for share in probabilities],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.1f} %<extra></extra>",
        )
    )
    apply_theme(figure, height=44 * len(names) + 40, revision="probabilities")
    figure.update_layout(margin={"l": 8, "r": 44, "t": 4, "b": 8}, bargap=0.35)
    figure.update_xaxes(range=[0, 100], ticksuffix=" %", nticks=5)
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="outside", ticklen=6, tickcolor="rgba(0, 0, 0, 0)")
    return figure


def draw_case_verdicts(found: CaseVerdicts, *, chosen_run: str | None = None) -> go.Figure:
    """Draw one cell for each run that tested a case: the diagnosis by its colour, right or wrong by a sign.

    Parameters
    ----------
    found : CaseVerdicts
    chosen_run : str, optional
        A run to frame.

    Returns
    -------
    plotly.graph_objects.Figure
        Rows are architectures, columns repeats, empty where the run trained on the case; points carry ``[run_id]`` as
        custom data.
    """
    figure = go.Figure()
    for diagnosis in dict.fromkeys([found.diagnosis, *(one.diagnosis for one in found.verdicts)]):
        own = [one for one in found.verdicts if one.diagnosis == diagnosis]
        if own:
            figure.add_trace(_verdict_cells(diagnosis, own, chosen_run))
    names = [display_architecture(name) for name in found.architectures]
    figure.update_xaxes(
        title_text="Repeat",
        tickmode="array",
        tickvals=list(found.repeats),
        range=[min(found.repeats) - 0.6, max(found.repeats) + 0.6],
        showgrid=False,
        zeroline=False,
        tickfont={"color": MUTED},
    )
    figure.update_yaxes(
        categoryorder="array",
        categoryarray=names[::-1],
        range=[-0.6, len(names) - 0.4],
        type="category",
        showgrid=False,
        tickfont={"color": TEXT, "size": 13},
    )
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"}, margin_t=36)
    return apply_theme(figure, height=110 + 44 * max(len(names), 1), revision="verdicts")


def _verdict_cells(diagnosis: str, verdicts: Sequence[CaseVerdict], chosen_run: str | None) -> go.Scatter:
    named = display_diagnosis(diagnosis)
    return go.Scatter(
        x=[one.repeat for one in verdicts],
        y=[display_architecture(one.architecture) for one in verdicts],
        mode="markers+text",
        name=named,
        text=[_RIGHT if one.is_right else _WRONG for one in verdicts],
        textfont={"color": BACKGROUND, "size": 15},
        marker={
            "symbol": "square",
            "size": 26,
            "color": diagnosis_colour(diagnosis),
            "line": {"color": TEXT, "width": [3 if one.run_id == chosen_run else 0 for one in verdicts]},
        },
        customdata=[[one.run_id, f"{one.probability:.0%}", "right" if one.is_right else "wrong"] for one in verdicts],
        hovertemplate=(
            f"%{{y}}, repeat %{{x}}: <b>{named}</b>, %{{customdata[1]}}<br>%{{customdata[2]}}; click to open the run"
            "<extra></extra>"
        ),
    )


def draw_contributions(
    found: SequenceContributions,
    spread: ContributionSpread | None = None,
    *,
    other: GradientContributions | None = None,
) -> go.Figure:
    """Draw what each sequence added to the score of a class, with the spread over repeats.

    Parameters
    ----------
    found : SequenceContributions
        Of one run: the bars.
    spread : ContributionSpread, optional
        Over the repeats that tested the case: mean and standard deviation as a mark with whiskers.
    other : GradientContributions, optional
        By Integrated Gradients, as hollow marks; comparable with contributions to a logit against the blurred image.
    """
    scale = 100.0 if found.score == "probability" else 1.0
    colour = diagnosis_colour(found.class_name)
    figure = go.Figure(
        go.Bar(
            x=[scale * value for value in found.values],
            y=list(SEQUENCES),
            orientation="h",
            name="This run",
            marker={"color": colour},
            hovertemplate="%{y}: %{x:+.1f}<extra>This run</extra>",
        )
    )
    if spread is not None and spread.n > 1:
        figure.add_trace(
            go.Scatter(
                x=[scale * value for value in spread.mean],
                y=list(SEQUENCES),
                mode="markers",
                name=f"Mean ± SD of {spread.n} repeats",
                marker={"symbol": "diamond", "size": 10, "color": TEXT, "line": {"color": BACKGROUND, "width": 1}},
                error_x={
                    "type": "data",
                    "array": [scale * value for value in spread.sd or (0.0,) * len(SEQUENCES)],
                    "color": TEXT,
                    "thickness": 2,
                    "width": 7,
                },
                hovertemplate="%{y}: %{x:+.1f}<extra>Mean of the repeats</extra>",
            )
        )
    if other is not None:
        figure.add_trace(
            go.Scatter(
                x=list(other.values),
                y=list(SEQUENCES),
                mode="markers",
                name="Integrated Gradients",
                marker={"symbol": "circle-open", "size": 12, "color": ACCENT, "line": {"width": 3}},
                hovertemplate="%{y}: %{x:+.2f}<extra>Integrated Gradients</extra>",
            )
        )
    figure.add_vline(x=0, line={"color": MUTED, "width": 1})
    unit = "percentage points of probability" if found.score == "probability" else "logit"
    figure.update_xaxes(title_text=f"For {display_diagnosis(found.class_name)} ({unit})", zeroline=False)
    figure.update_yaxes(autorange="reversed", showgrid=False, tickfont={"color": TEXT, "size": 14})
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"}, margin_t=36)
    return apply_theme(figure, height=260, revision="contributions")


def draw_diagnosis_contributions(found: Sequence[DiagnosisContributions]) -> go.Figure:
    """Draw the mean contribution of each sequence to each diagnosis, with its interval over patients.

    Parameters
    ----------
    found : sequence of DiagnosisContributions
        At least one, of one score.
    """
    scale = 100.0 if found[0].score == "probability" else 1.0
    figure = go.Figure()
    for one in found:
        mean = scale * np.array(one.mean)
        name = display_diagnosis(one.class_name)
        error = None
        if one.low is not None and one.high is not None:
            error = {
                "type": "data",
                "array": (scale * np.array(one.high) - mean).tolist(),
                "arrayminus": (mean - scale * np.array(one.low)).tolist(),
                "color": TEXT,
                "thickness": 2,
                "width": 6,
            }
        figure.add_trace(
            go.Bar(
                x=mean.tolist(),
                y=[[f"{name} ({one.patients})"] * len(SEQUENCES), list(SEQUENCES)],
                orientation="h",
                name=name,
                marker={"color": diagnosis_colour(one.class_name), "opacity": 0.7},  # lets the interval be seen
                error_x=error,
                hovertemplate=f"{name}, %{{y[1]}}: %{{x:+.1f}}<extra></extra>",
            )
        )
    figure.add_vline(x=0, line={"color": MUTED, "width": 1})
    unit = "percentage points of probability" if found[0].score == "probability" else "logit"
    figure.update_xaxes(title_text=f"Added to the score of the true diagnosis ({unit})", zeroline=False)
    figure.update_yaxes(autorange="reversed", showgrid=False, tickfont={"color": TEXT, "size": 13})
    figure.update_layout(showlegend=False, bargap=0.25)
    return apply_theme(figure, height=100 + 110 * len(found), revision="diagnosis-contributions")


def draw_perturbation(curves: PerturbationCurves) -> go.Figure:
    """Draw the probability of a class while its evidence is taken away, and while it is given back."""
    figure = go.Figure()
    for name, values, colour in (
        ("Blurring the evidence", curves.deletion, WARNING),
        ("Unblurring it", curves.insertion, ACCENT),
    ):
        figure.add_trace(
            go.Scatter(
                x=list(curves.shares),
                y=list(values),
                mode="lines",
                name=name,
                line={"color": colour, "width": 2.5},
                hovertemplate=f"{name}, %{{x:.0%}} of the pixels: %{{y:.0%}}<extra></extra>",
            )
        )
    figure.update_xaxes(title_text="Share of the pixels, strongest evidence first", tickformat=".0%", range=[0, 1])
    figure.update_yaxes(title_text="Probability of the predicted diagnosis", tickformat=".0%", range=[0, 1.02])
    return apply_theme(figure, height=320, revision="perturbation")
