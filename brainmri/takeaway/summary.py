"""What one page says of a case under one network: a frozen record, and its sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from brainmri.evaluation.wording import IMAGE_SPLIT_CAVEAT, format_share, list_words
from brainmri.explanation.contributions import SequenceContributions
from brainmri.training.architecture_names import display_architecture
from brainmri.vocabulary import display_diagnosis

PURPOSE: Final = "For research and teaching. Not for diagnosis."

NO_IDENTITY: Final = (
    "The case's name is a pseudonym of the study, which keeps no name, number, date or place of the patient; reviewers "
    "are numbered. Notes stand as they were written: read them before you hand the page on."
)


@dataclass(frozen=True, kw_only=True)
class CasePicture:
    """One sequence on the slice of most evidence.

    Parameters
    ----------
    sequence : str
        ``T1``, ``T2`` or ``T1c``.
    plain, mapped : bytes
        PNG: the slice with the square outlined, and its surroundings with the map; ``mapped`` is None where there is
        no map.
    """

    sequence: str
    plain: bytes
    mapped: bytes | None


@dataclass(frozen=True, kw_only=True)
class NetworkAgreement:
    """How the runs of one architecture judged the case.

    Parameters
    ----------
    architecture : str
    right, tested : int
        Runs: with the right verdict, and all that tested the case.
    """

    architecture: str
    right: int
    tested: int

    def describe(self) -> str:
        """Return ``AlexNet: right in 2 of 3``."""
        return f"{display_architecture(self.architecture)}: right in {self.right} of {self.tested}"


@dataclass(frozen=True, kw_only=True)
class ReviewedFinding:
    """What one reviewer found, without the reviewer's name.

    Parameters
    ----------
    reviewer : str
        ``Reviewer 1``.
    verdict : str
    difficulty : int or None
        1 (easy) to 5 (very hard).
    note : str
    withheld : bool
        True where the note could name a patient, so that it was left out.
    bookmarked : bool
    """

    reviewer: str
    verdict: str
    difficulty: int | None
    note: str
    withheld: bool
    bookmarked: bool

    def heading(self) -> str:
        """Return ``Reviewer 1: label error, difficulty 4 of 5, marked for teaching``."""
        parts = [self.verdict]
        if self.difficulty is not None:
            parts.append(f"difficulty {self.difficulty} of 5")
        if self.bookmarked:
            parts.append("marked for teaching")
        return f"{self.reviewer}: {', '.join(parts)}"

    def text(self) -> str:
        """Return the note, or why there is none."""
        if self.withheld:
            return "The note was left out because it could name a patient; it is in the study."
        return self.note


@dataclass(frozen=True, kw_only=True)
class CaseSummary:
    """Everything that a page says of a case under one network, without identity.

    Parameters
    ----------
    case_id : str
        The study's pseudonym.
    synthetic : bool
        True for a phantom.
    experiment_id, run_id, architecture : str
    repeat, repeats : int
        Of how many random splits.
    split_unit : str
        ``patient`` or ``image``.
    classes : tuple of str
        Diagnoses in the order of their class index.
    true_class, predicted_class : int
    probabilities : tuple of float
        Means over the slices that the network saw, 0 to 1.
    seen, agreeing : int
        Slices that the network saw, and those that alone would have led to the verdict.
    agreement : tuple of NetworkAgreement
        Of all finished runs that tested the case.
    slice_index, slices : int
        The slice of the pictures, from 0 (inferior), and the case's number of slices.
    pictures : tuple of CasePicture
    map_layer : str or None
        Layer of the map; None where the run has no maps.
    map_peak : float
        Largest value of the map on this slice as a share of the run's colour scale; 0 means no positive evidence.
    contributions : SequenceContributions or None
        To the verdict, in probability; None where none are stored.
    findings : tuple of ReviewedFinding
    dataset_hash, software, made_on : str
        Hash of the data set, name and version of the software, and the day as ``2026-11-23``.
    """

    case_id: str
    synthetic: bool
    experiment_id: str
    run_id: str
    architecture: str
    repeat: int
    repeats: int
    split_unit: str
    classes: tuple[str, ...]
    true_class: int
    predicted_class: int
    probabilities: tuple[float, ...]
    seen: int
    agreeing: int
    agreement: tuple[NetworkAgreement, ...]
    slice_index: int
    slices: int
    pictures: tuple[CasePicture, ...]
    map_layer: str | None
    map_peak: float
    contributions: SequenceContributions | None
    findings: tuple[ReviewedFinding, ...]
    dataset_hash: str
    software: str
    made_on: str

    @property
    def pathology(self) -> str:
        """The diagnosis that the study holds, as pages write it."""
        return display_diagnosis(self.classes[self.true_class])

    @property
    def verdict(self) -> str:
        """What the network says, as pages write it."""
        return display_diagnosis(self.classes[self.predicted_class])

    @property
    def network(self) -> str:
        """The architecture, as pages write it."""
        return display_architecture(self.architecture)

    @property
    def is_right(self) -> bool:
        """Whether the verdict is the pathology."""
        return self.true_class == self.predicted_class

    def describe_verdict(self) -> str:
        """Return the verdict in a sentence."""
        word = "right" if self.is_right else "wrong"
        share = format_share(self.probabilities[self.predicted_class], digits=0)
        return (
            f"{self.network} says {self.verdict} ({word}) with a probability of {share}, the mean over the "
            f"{self.seen} slices that it saw; {self.agreeing} of them alone lead to the same verdict."
        )

    def describe_agreement(self) -> str:
        """Return how many of all runs that tested the case were right."""
        right, tested = sum(one.right for one in self.agreement), sum(one.tested for one in self.agreement)
        return f"Right in {right} of the {tested} runs that tested the case."

    def describe_split(self) -> str:
        """Return how the case came to be a test case."""
        if self.split_unit == "image":
            return IMAGE_SPLIT_CAVEAT
        return (
            f"The network was not trained on this case: repeat {self.repeat} of {self.repeats} held it out for testing."
        )

    def describe_pictures(self) -> str:
        """Return what the pictures show."""
        names = list_words([one.sequence for one in self.pictures])
        place = f"{names}, slice {self.slice_index + 1} of {self.slices} from below, patient's right at the left."
        frame = "The frame is the square that the network saw."
        if self.map_layer is None:
            return (
                f"{place} {frame} There are no maps of this run, so that the page shows none; 'python -m brainmri "
                f"explain-run {self.run_id}' makes them."
            )
        if self.map_peak <= 0:
            return f"{place} {frame} Grad-CAM found no positive evidence for {self.verdict} on this slice."
        peak = format_share(self.map_peak, digits=0)
        return (
            f"{place} {frame} Below, enlarged, the Grad-CAM map for {self.verdict} (layer {self.map_layer}): brighter "
            f"is more evidence, and the strongest place reaches {peak} of the scale that all test images of the run "
            "share. It is one map drawn over all three sequences: it cannot tell which sequence mattered."
        )

    def describe_contributions(self) -> str:
        """Return what each sequence contributed, or that it is not stored."""
        if self.contributions is None:
            return (
                "What each sequence contributed is not stored for this run; "
                f"'python -m brainmri explain-all {self.run_id}' computes it."
            )
        found = self.contributions
        return (
            f"Percentage points by which each sequence raised or lowered the probability of {self.verdict} (exact "
            f"Shapley values, mean over the slices); in place of a missing sequence stood {found.baseline.describe()}."
        )

    def describe_origin(self) -> str:
        """Return what made the page, for the small print."""
        return (
            f"Data set {self.dataset_hash}; experiment {self.experiment_id}, run {self.run_id}, repeat {self.repeat} "
            f"of {self.repeats}; {self.software}; made on {self.made_on}."
        )
