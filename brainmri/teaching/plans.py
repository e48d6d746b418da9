"""What an instructor decides about a reading session, and what a reader answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

from brainmri.errors import TeachingError
from brainmri.vocabulary import TRAINED_DIAGNOSES

Order = Literal["shuffled", "fixed"]
Reveal = Literal["network", "pathology", "clinical", "note", "similar", "others"]
ConfidenceStyle = Literal["each", "chosen"]
Exercise = Literal["diagnosis", "locate"]

REVEALS: Final[dict[Reveal, str]] = {
    "network": "The network's probabilities and map, after the first answer; the answer may be changed.",
    "pathology": "The diagnosis that pathology made.",
    "clinical": "The clinical columns chosen below.",
    "note": "The teaching note.",
    "similar": "Similar cases of other patients.",
    "others": "How many readers chose each diagnosis.",
}
"""What can be shown after an answer, in the order in which a reader gets it."""

AT_THE_END: Final[tuple[Reveal, ...]] = ("pathology", "clinical", "note", "similar", "others")
"""What closes a case: the answer can no longer be changed."""

LIMITS_S: Final = (5, 3600)
"""Shortest and longest time for a case, in seconds."""

MAXIMUM_REASONING: Final = 500
"""Characters of a line of reasoning."""


@dataclass(frozen=True, kw_only=True)
class SessionPlan:
    """How a session runs.

    Parameters
    ----------
    classes : tuple of str
        The diagnoses that are offered.
    exercise : {'diagnosis', 'locate'}
        Name the diagnosis, or only mark where the tumour is.
    order : {'shuffled', 'fixed'}
        Shuffled: another order for each reader.
    limit_s : int or None
        Seconds for a case, by the server's clock; None: no limit.
    reveals : frozenset of str
        Of `REVEALS`.
    confidence : {'each', 'chosen'}
        Per cent for every diagnosis, or for the chosen one.
    mark : bool
        Whether a reader may mark the decisive finding.
    reasoning : bool
        Whether a line of reasoning is asked for.
    going_back : bool
        Whether earlier answers may be changed. Not together with anything that closes a case (`AT_THE_END`).
    clinical_columns : tuple of str
        Shown with ``clinical``.

    Raises
    ------
    TeachingError
        Where a choice does not exist or two contradict each other.
    """

    classes: tuple[str, ...] = TRAINED_DIAGNOSES
    exercise: Exercise = "diagnosis"
    order: Order = "shuffled"
    limit_s: int | None = None
    reveals: frozenset[Reveal] = frozenset({"network", "pathology"})
    confidence: ConfidenceStyle = "chosen"
    mark: bool = False
    reasoning: bool = False
    going_back: bool = False
    clinical_columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name, found, known in (
            ("exercise", self.exercise, get_args(Exercise)),
            ("order", self.order, get_args(Order)),
            ("style of confidence", self.confidence, get_args(ConfidenceStyle)),
            *(("reveal", one, tuple(REVEALS)) for one in sorted(self.reveals)),
        ):
            if found not in known:
                raise TeachingError(f"There is no {name} '{found}'. Choose from: {', '.join(known)}.")
        if self.exercise == "diagnosis" and len(self.classes) < 2:
            raise TeachingError("A session offers two diagnoses or more, otherwise there is nothing to choose.")
        shortest, longest = LIMITS_S
        if self.limit_s is not None and not shortest <= self.limit_s <= longest:
            raise TeachingError(f"The time for a case is {self.limit_s} s; expected {shortest} to {longest} s.")
        if self.going_back and self.closes_cases:
            raise TeachingError(
                "Readers cannot go back where the pathology, or what hints at it, is shown after each case. "
                "Leave out one of them."
            )

    @property
    def closes_cases(self) -> bool:
        """Whether something is shown after the last answer on a case."""
        return self.exercise == "locate" or bool(self.reveals & set(AT_THE_END))

    @property
    def asks_again(self) -> bool:
        """Whether the network's answer is shown, and the reader may change the own one."""
        return self.exercise == "diagnosis" and "network" in self.reveals

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON can hold it."""
        return {**asdict(self), "reveals": sorted(self.reveals)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> SessionPlan:
        """Return the plan that `to_json` wrote."""
        lists = {name: tuple(stored[name]) for name in ("classes", "clinical_columns")}
        return cls(**{**stored, **lists, "reveals": frozenset(stored["reveals"])})


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A point on the case's grid, from 0."""

    slice_index: int
    row: int
    column: int


@dataclass(frozen=True, kw_only=True)
class GivenAnswer:
    """What a reader sends.

    Parameters
    ----------
    diagnosis : str or None
        One of the plan's classes; None in the exercise that asks for a mark alone.
    confidence : mapping of str to float
        Per cent, 0 to 100, by diagnosis.
    mark : Mark or None
    reasoning : str
        One line; empty where there is none.
    """

    diagnosis: str | None
    confidence: Mapping[str, float]
    mark: Mark | None = None
    reasoning: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the answer as JSON can hold it."""
        return {**asdict(self), "confidence": dict(self.confidence)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> GivenAnswer:
        """Return the answer that `to_json` wrote."""
        mark = stored["mark"]
        return cls(
            diagnosis=stored["diagnosis"],
            confidence=dict(stored["confidence"]),
            mark=None if mark is None else Mark(**mark),
            reasoning=stored["reasoning"],
        )

    def check(self, plan: SessionPlan) -> None:
        """Refuse an answer that the plan does not ask for.

        Raises
        ------
        TeachingError
        """
        if plan.exercise == "locate":
            if self.mark is None:
                raise TeachingError("Mark where the tumour is, then send the answer.")
            return
        if self.diagnosis not in plan.classes:
            raise TeachingError("Choose a diagnosis, then send the answer.")
        asked = plan.classes if plan.confidence == "each" else (self.diagnosis,)
        if set(self.confidence) != set(asked):
            raise TeachingError(f"Say how sure you are of {', '.join(asked)}.")
        if any(not 0 <= share <= 100 for share in self.confidence.values()):
            raise TeachingError("How sure you are is a number from 0 to 100 per cent.")
        if len(self.reasoning) > MAXIMUM_REASONING:
            raise TeachingError(
                f"The reasoning has {len(self.reasoning)} characters; expected up to {MAXIMUM_REASONING}. Shorten it."
            )
