"""Near-duplicates across splits in words and as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from brainmri.evaluation.near_duplicates import THUMBNAIL_PX, NearDuplicates, NearPair

Likeness = Literal["hash", "embedding", "network"]

HOW_IMAGES_ARE_COMPARED: Final[dict[Likeness, str]] = {
    "hash": "Difference hash: 64 bits for each of T1, T2 and T1c, whether brightness rises or falls between neighbours "
    "of a grid of 8 × 9 areas. Finds the same image, also compressed, brightened or moved by a pixel.",
    "embedding": f"Thumbnail: each of T1, T2 and T1c shrunk to {THUMBNAIL_PX} × {THUMBNAIL_PX} pixels, brightness and "
    "contrast taken out; similarity is the cosine. No network is asked. Finds more of the neighbouring slices.",
    "network": "Network: what a fine-tuned network makes of each image before its last layer; similarity is the "
    "cosine. It is trained to tell diagnoses apart, so that images of one diagnosis seem alike to it, too.",
}
"""What either compares, for pages."""


def limit_of(likeness: Likeness, chosen: float) -> float:
    """Return the largest distance of a near-duplicate from what a reader sets: bits, or the least similarity."""
    return float(chosen) if likeness == "hash" else 1 - chosen + 1e-6


def describe_network(run_id: str, numbers: int, usual: float) -> str:
    """Say whose embedding it is, and where its limit comes from.

    Parameters
    ----------
    run_id : str
    numbers : int
        An image's.
    usual : float
        Similarity that one in a thousand pairs of different cases passes.
    """
    return (
        f"Activations of {run_id}, {numbers:,} numbers an image. To this network, one in a thousand pairs of images of "
        f"different patients is more alike than {usual:.3f}: there the limit begins."
    )


def describe_distance(pair: NearPair, likeness: Likeness) -> str:
    """Return ``similarity 0.97``, or ``12 of 192 bits differ``."""
    if likeness == "hash":
        return f"{pair.distance:.0f} of 192 bits differ"
    return f"similarity {1 - pair.distance:.3f}"


def duplicate_rows(found: Mapping[str, Mapping[int, NearDuplicates]]) -> list[dict[str, Any]]:
    """Return one row for each experiment, over all its repeats; shares in per cent.

    Parameters
    ----------
    found : mapping of str to mapping of int to NearDuplicates
        By the experiment as pages call it, and by repeat.
    """
    return [_row(name, [one for one in by_repeat.values() if one.pairs]) for name, by_repeat in found.items()]


def describe_strangers(found: Mapping[str, Mapping[int, NearDuplicates]]) -> list[str]:
    """Say of which different cases near-duplicates were found, one sentence for each experiment that has any."""
    sentences = []
    for name, by_repeat in found.items():
        pairs = sorted(
            (pair for split in by_repeat.values() for pair in split.of_other_cases), key=lambda pair: pair.distance
        )
        cases = list(dict.fromkeys(tuple(sorted((pair.test_case, pair.train_case))) for pair in pairs))
        if cases:
            further = f", and {len(cases) - 1} more" if len(cases) > 1 else ""
            sentences.append(
                f"{name}: near-duplicates of different cases, {cases[0][0]} and {cases[0][1]}{further}. Look whether a "
                "patient was imported twice."
            )
    return sentences


def _row(name: str, splits: Sequence[NearDuplicates]) -> dict[str, Any]:
    tested = sum(len(one.pairs) for one in splits)
    near = sum(len(one.near) for one in splits)
    same = sum(pair.same_case for one in splits for pair in one.pairs)
    return {
        "Experiment": name,
        "Near-duplicates": 100 * near / tested if tested else None,
        "Same patient": 100 * same / tested if tested else None,
    }
