"""Near-duplicates across a split: how many in each repeat, and pairs to look at."""

from __future__ import annotations

from typing import Final

import streamlit as st

from brainmri import tasks
from brainmri.dashboard.formatting import format_count
from brainmri.dashboard.progress import show_outcome, show_task, start_task, watch_task
from brainmri.dashboard.results.choice import Choice
from brainmri.dashboard.results.leakage_data import (
    Network,
    near_duplicates,
    network_for,
    run_to_embed,
    shown_samples,
)
from brainmri.dashboard.results.panels import show_figure, show_heading, show_table
from brainmri.dashboard.state import current_study, explain_errors
from brainmri.evaluation.duplicate_rows import (
    HOW_IMAGES_ARE_COMPARED,
    Likeness,
    describe_distance,
    describe_network,
    describe_strangers,
    duplicate_rows,
    limit_of,
)
from brainmri.evaluation.near_duplicates import HASH_LIMIT, SIMILARITY_LIMIT, NearDuplicates, NearPair
from brainmri.figures.leakage import Counted, draw_duplicates
from brainmri.figures.pairs import pair_picture
from brainmri.imaging.datasets import read_samples

_LIKENESS: Final[dict[Likeness, str]] = {
    "hash": "Hash",
    "embedding": "Thumbnail embedding",
    "network": "Network embedding",
}
_COUNTED: Final[dict[Counted, str]] = {"near": "Near-duplicates", "same case": "Nearest is of the same patient"}
_EMBED: Final = "embed"
_PAIRS_SHOWN: Final = 6
_COLUMNS: Final = 3


@st.fragment
@explain_errors()
def show_duplicates(chosen: Choice, other: Choice | None) -> None:
    """Show near-duplicates of the chosen experiment and, where there is one, of the second."""
    both = sorted([one for one in (chosen, other) if one is not None], key=lambda one: one.experiment.settings.split_by)
    with st.container(border=True):
        with show_heading("Test images that training images give away"):
            likeness: Likeness = st.segmented_control(
                "Compared by",
                list(_LIKENESS),
                format_func=_LIKENESS.__getitem__,
                default="embedding",
                required=True,
                key="likeness",
                label_visibility="collapsed",
                help="\n".join(f"- **{_LIKENESS[name]}**: {text}" for name, text in HOW_IMAGES_ARE_COMPARED.items()),
            )
        st.caption(HOW_IMAGES_ARE_COMPARED[likeness])
        network = _show_network(both) if likeness == "network" else None
        if likeness == "network" and network is None:
            return
        limit = _choose_limit(likeness, network)
        found: dict[str, dict[int, NearDuplicates]] = {}
        every = near_duplicates(both, likeness, network)
        for reason in dict.fromkeys(searched for searched in every.values() if isinstance(searched, str)):
            st.info(reason, icon=":material/info:")
        for one in both:
            searched = every[one.experiment.experiment_id]
            if isinstance(searched, str):
                continue
            found[_name(one)] = {repeat: split.within(limit) for repeat, split in searched.items()}
        if found:
            _show_counts(found, strangers=likeness != "network")
    if found:
        with st.container(border=True):
            _show_pairs(both, found, likeness)


def _show_network(both: list[Choice]) -> Network | None:
    """Say whose embedding it is; where there is none, offer to make one, and return None."""
    network = network_for(both)
    if isinstance(network, str):
        st.info(network, icon=":material/info:")
        return None
    if network is not None:
        st.caption(describe_network(network.run_id, network.features.shape[1], network.usual))
        return network
    study = current_study()
    task = tasks.latest(study, _EMBED)
    if task is not None and task.status == tasks.RUNNING:
        watch_task(study, task, lambda now: show_task(study, now, f"Asking the network of {now.subject or 'a run'}"))
        return None
    show_outcome(task, advice="Try again, or compare by thumbnail.")
    run_id = run_to_embed(both)
    if run_id is None:
        st.write("No network of these experiments is stored, so that none can be asked. Compare by thumbnail.")
        return None
    st.write(f"No network has been asked yet. {run_id} is the best run whose network is stored.")
    asked = st.button("Ask this network", icon=":material/neurology:", key="embed", type="primary")
    if asked and start_task(study, _EMBED, ["embed", run_id], subject=run_id):
        st.rerun()
    return None


def _choose_limit(likeness: Likeness, network: Network | None) -> float:
    """Let the reader set from where on two images are near-duplicates; returns the largest distance."""
    if likeness == "hash":
        bits: int = st.slider(
            "Near-duplicates differ in at most (bits of 192)", 0, 64, HASH_LIMIT, key="hash_limit", width=420
        )
        return limit_of("hash", bits)
    usual = 1 - SIMILARITY_LIMIT if network is None else min(max(round(network.usual, 3), 0.5), 1.0)
    similarity: float = st.slider(
        "Near-duplicates have a similarity of at least",
        0.5,
        1.0,
        usual,
        step=0.01 if network is None else 0.001,
        format="%.2f" if network is None else "%.3f",
        key="similarity_limit" if network is None else f"similarity_limit_{network.run_id}",
        width=420,
        help="1: the same image, but for brightness and contrast." if network is None else "1: the same to it.",
    )
    return limit_of(likeness, similarity)


def _show_counts(found: dict[str, dict[int, NearDuplicates]], *, strangers: bool) -> None:
    left, right = st.columns([5, 4], gap="medium")
    with left:
        counted: Counted = st.segmented_control(
            "Count",
            list(_COUNTED),
            format_func=_COUNTED.__getitem__,
            default="near",
            required=True,
            key="counted_duplicates",
            label_visibility="collapsed",
        )
        show_figure(
            draw_duplicates(found, counted=counted),
            key="duplicates",
            alt="Test images of each repeat with a near-duplicate among its training images",
        )
    with right:
        share = st.column_config.NumberColumn(format="%.1f %%")
        show_table(duplicate_rows(found), column_config={"Near-duplicates": share, "Same patient": share})
        st.caption(
            "Shares of the test images, over all repeats. Same patient: those whose nearest training image is of the "
            "same patient, however near it is; in a split of patients there is none."
        )
        for sentence in describe_strangers(found) if strangers else ():
            st.caption(f":material/warning: {sentence}")


def _show_pairs(both: list[Choice], found: dict[str, dict[int, NearDuplicates]], likeness: Likeness) -> None:
    by_name = {_name(one): one for one in both if _name(one) in found}
    with show_heading("Pairs to look at"):
        name = st.selectbox("Experiment", list(by_name), key="pairs_of", label_visibility="collapsed", width=300)
        repeat = st.selectbox(
            "Repeat",
            list(found[name]),
            format_func="Repeat {}".format,
            key="pairs_repeat",
            label_visibility="collapsed",
            width=130,
        )
    split = found[name][repeat]
    pairs = split.near[:_PAIRS_SHOWN] or split.pairs[:_COLUMNS]
    if not split.pairs:
        st.write("One side of this split is empty: there is nothing to compare.")
        return
    if split.near:
        which = f"the nearest {len(pairs)} of " if len(pairs) < len(split.near) else ""
        st.caption(
            f"T1c of {which}{format_count(len(split.near), 'pair')}. Left: tested. Right: trained on in that repeat."
        )
    else:
        st.caption("There is no near-duplicate in this repeat. The nearest pairs that there are, tested left:")
    for start in range(0, len(pairs), _COLUMNS):
        for column, pair in zip(st.columns(_COLUMNS), pairs[start : start + _COLUMNS], strict=False):
            with column:
                _show_pair(by_name[name], pair, likeness)


def _show_pair(chosen: Choice, pair: NearPair, likeness: Likeness) -> None:
    samples, rows = read_samples(current_study(), chosen.experiment.dataset_hash), shown_samples(chosen)
    st.image(pair_picture(samples, pair), width="stretch")
    left, right = (
        f"{rows[place].case_id}, slice {rows[place].slice_index + 1}" for place in (pair.test_sample, pair.train_sample)
    )
    st.caption(f"{left} · {right} · {describe_distance(pair, likeness)}")


def _name(chosen: Choice) -> str:
    return f"{chosen.experiment.experiment_id} · split of {chosen.experiment.settings.split_by}s"
