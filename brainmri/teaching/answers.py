"""The answers of the readers of a session as arrays: what every score is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from brainmri.errors import EvaluationError

Step = Literal["alone", "with network"]
"""A reader answers alone first, and may answer again when the network's answer is shown."""

STEPS: Final[tuple[Step, Step]] = ("alone", "with network")
UNANSWERED: Final = -1
"""Stands in the place of a class where a reader did not answer."""

_SUM_TOLERANCE: Final = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class ReadAnswers:
    """Answers of R readers on C cases with K classes; checked when it is made.

    Parameters
    ----------
    classes : tuple of str
        The diagnoses offered, (K,).
    readers : tuple of str
        Names or pseudonyms, (R,); no name twice.
    cases : tuple of str
        Case identifiers, (C,); none twice.
    truth : ndarray of shape (C,), int
        The pathology, as a place in classes.
    alone, assisted : ndarray of shape (R, C), int
        The answer before and after the network's was shown, as a place in classes; -1 where not answered.
    alone_confidence, assisted_confidence : ndarray of shape (R, C, K), float
        0 to 1; nan where not given: that of the others, where a session asks for the chosen diagnosis only.
    seconds : ndarray of shape (R, C), float
        Time of the answer alone; nan where not answered.
    network : ndarray of shape (C, K), float
        The network's probabilities; nan in the whole row of a case that it did not test.

    Raises
    ------
    EvaluationError
        When shapes do not fit, names are doubled or a number is outside its range.
    """

    classes: tuple[str, ...]
    readers: tuple[str, ...]
    cases: tuple[str, ...]
    truth: NDArray[np.intp]
    alone: NDArray[np.intp]
    assisted: NDArray[np.intp]
    alone_confidence: NDArray[np.float64]
    assisted_confidence: NDArray[np.float64]
    seconds: NDArray[np.float64]
    network: NDArray[np.float64]

    def __post_init__(self) -> None:
        for what, names in (("classes", self.classes), ("readers", self.readers), ("cases", self.cases)):
            if len(set(names)) != len(names):
                raise EvaluationError(f"The {what} of a session are to differ from one another; found {list(names)}.")
        if not self.classes:
            raise EvaluationError("A session offers at least one diagnosis; found none.")
        self._check_shapes()
        self._check_classes()
        self._check_numbers()

    def chosen(self, step: Step) -> NDArray[np.intp]:
        """Return the answers of a step, (R, C), -1 where not answered."""
        return self.alone if step == "alone" else self.assisted

    def confidence(self, step: Step) -> NDArray[np.float64]:
        """Return the confidence given at a step, (R, C, K), 0..1, nan where not given."""
        return self.alone_confidence if step == "alone" else self.assisted_confidence

    def network_answers(self) -> NDArray[np.intp]:
        """Return the network's most probable class of each case, (C,), -1 where it has none."""
        known = ~np.isnan(self.network).any(axis=1)
        answers = np.full(len(self.cases), UNANSWERED, dtype=np.intp)
        answers[known] = self.network[known].argmax(axis=1)
        return answers

    def reader_index(self, reader: str) -> int:
        """Return the row of a reader.

        Raises
        ------
        EvaluationError
            When nobody of that name reads in the session.
        """
        if reader not in self.readers:
            raise EvaluationError(f"{reader!r} is no reader of this session; its readers are {list(self.readers)}.")
        return self.readers.index(reader)

    def _check_shapes(self) -> None:
        readers, cases, classes = len(self.readers), len(self.cases), len(self.classes)
        expected: dict[str, tuple[int, ...]] = {
            "truth": (cases,),
            "alone": (readers, cases),
            "assisted": (readers, cases),
            "alone_confidence": (readers, cases, classes),
            "assisted_confidence": (readers, cases, classes),
            "seconds": (readers, cases),
            "network": (cases, classes),
        }
        for name, shape in expected.items():
            found = getattr(self, name).shape
            if found != shape:
                raise EvaluationError(f"The array {name!r} of the answers has shape {found}; expected {shape}.")

    def _check_classes(self) -> None:
        classes = len(self.classes)
        for name, lowest in (("truth", 0), ("alone", UNANSWERED), ("assisted", UNANSWERED)):
            values = getattr(self, name)
            if not np.issubdtype(values.dtype, np.integer):
                raise EvaluationError(f"The array {name!r} of the answers is {values.dtype}; expected whole numbers.")
            if values.size and (values.min() < lowest or values.max() >= classes):
                raise EvaluationError(
                    f"The array {name!r} of the answers runs from {values.min()} to {values.max()}; "
                    f"expected {lowest} to {classes - 1}."
                )

    def _check_numbers(self) -> None:
        for name in ("alone_confidence", "assisted_confidence", "network"):
            values = getattr(self, name)
            if ((values < 0) | (values > 1) | np.isinf(values)).any():
                raise EvaluationError(f"The array {name!r} of the answers holds a number outside 0 to 1.")
        if ((self.seconds < 0) | np.isinf(self.seconds)).any():
            raise EvaluationError("The seconds of an answer are 0 or more; found a negative or infinite number.")
        known = ~np.isnan(self.network)
        if (known.any(axis=1) != known.all(axis=1)).any():
            raise EvaluationError("The network gives a probability for each class of a case, or for none of them.")
        sums = self.network[known.all(axis=1)].sum(axis=1)
        if (np.abs(sums - 1) > _SUM_TOLERANCE).any():
            raise EvaluationError("The network's probabilities of a case are to add up to 1.")
