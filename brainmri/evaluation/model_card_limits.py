"""What a network cannot do and what its figures do not show, in sentences that follow from the facts of its card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from brainmri.evaluation.model_card_figures import RunAccuracy
from brainmri.evaluation.wording import list_words

if TYPE_CHECKING:
    from brainmri.evaluation.model_card import DataFacts, SplitFacts

FEW_CASES: Final = 10
"""Below so many test cases of a class its sensitivity is hardly known: Wilson's interval spans 40 points or more."""


def list_limits(data: DataFacts, split: SplitFacts, accuracy: RunAccuracy) -> list[str]:
    """Return the limits of a network, the gravest first."""
    return [
        *_limits_of_data(data),
        *_limits_of_split(split),
        *_limits_of_figures(split, accuracy),
        *_limits_of_use(data),
    ]


def _limits_of_data(data: DataFacts) -> Iterator[str]:
    cases = sum(data.cases.values())
    if data.phantom_cases == cases:
        yield (
            "It learned from computed phantoms alone and was tested on computed phantoms alone. Its accuracy says "
            "nothing about patients, and what it says of their images means nothing."
        )
    elif data.phantom_cases:
        yield (
            f"{data.phantom_cases} of {cases} cases are computed phantoms, no patients; the figures mix both and hold "
            "for neither."
        )
    yield (
        "All cases are of one collection. How it does on images of other hospitals, scanners and protocols has not "
        "been tested."
    )


def _limits_of_split(split: SplitFacts) -> Iterator[str]:
    if split.shared_cases:
        yield (
            f"{split.shared_cases} of {split.test.cases} test cases have other slices among the images that it learned "
            "from (a split of images): the figures measure memory as well as skill, and are too high for new patients."
        )


def _limits_of_figures(split: SplitFacts, accuracy: RunAccuracy) -> Iterator[str]:
    if split.shared_cases == 0 and split.unit == "image":
        yield "The split divided images, not patients."
    few = [row.diagnosis for row in accuracy.classes if row.sensitivity.total < FEW_CASES]
    if few:
        yield (
            f"Fewer than {FEW_CASES} test cases of {list_words(few)}: the sensitivity for "
            f"{'it' if len(few) == 1 else 'them'} is hardly known, as the interval shows."
        )
    yield (
        "A run that was chosen among others for its test accuracy looks better than it is; what to expect of the "
        "method is the median over the repeats."
    )


def _limits_of_use(data: DataFacts) -> Iterator[str]:
    names = list_words(list(data.cases))
    yield (
        f"It knows {names} and nothing else. Whatever it is shown (another tumour, an abscess, a healthy brain, a "
        "slice beside the tumour) it names one of them."
    )
    yield (
        "It finds no tumour. It takes pre-treatment T1, T2 and contrast-enhanced T1 of one examination on one grid, "
        "cut to the square around the tumour that a person or a mask gave, with intensities scaled as in the data set."
    )
    yield "Its probabilities are the network's own; this card does not show that they are calibrated."
