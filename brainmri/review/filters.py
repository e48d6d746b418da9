"""Filters of the worklist that combine, as the address of the page and saved lists hold them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from brainmri.errors import UsageError
from brainmri.evaluation.case_attributes import QUALITY
from brainmri.evaluation.difficulty import DIFFICULTIES

if TYPE_CHECKING:
    from brainmri.review.worklist import WorkRow

Status = Literal["reviewed", "open"]

_LISTS: Final = ("diagnosis", "predicted", "kind", "scanner", "quality", "verdict")
_NUMBERS: Final = ("confidence_from", "confidence_to", "loss_from", "loss_to")
_TRUE: Final = "yes"


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What a row must fulfil; every condition that is set counts.

    Parameters
    ----------
    diagnosis, predicted, kind, scanner, quality, verdict : tuple of str
        One of these; empty: any. ``kind`` is one of `DIFFICULTIES`, ``quality`` one of
        `brainmri.evaluation.case_attributes.QUALITY`, ``verdict`` one of a reviewer's.
    confidence_from, confidence_to : float or None
        Mean confidence, 0 to 1, limits included.
    loss_from, loss_to : float or None
        Mean loss in nats, limits included.
    disagreement : bool
        Only cases that networks take for different classes.
    bookmarked : bool
        Only cases marked for teaching.
    status : {'reviewed', 'open'} or None
        By anybody, or by ``reviewer`` where one is named.
    reviewer : str or None
        Alone: cases that this one reviewed.
    text : str
        Words that notes, case and scanner hold, all of them, in any case.
    """

    diagnosis: tuple[str, ...] = ()
    predicted: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    scanner: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    verdict: tuple[str, ...] = ()
    confidence_from: float | None = None
    confidence_to: float | None = None
    loss_from: float | None = None
    loss_to: float | None = None
    disagreement: bool = False
    bookmarked: bool = False
    status: Status | None = None
    reviewer: str | None = None
    text: str = ""

    def __post_init__(self) -> None:
        """Refuse words that no row can fulfil by its construction."""
        if self.status not in (None, *get_args(Status)):
            raise UsageError(f"The review status is '{self.status}'; expected 'reviewed' or 'open'.")
        unknown = [kind for kind in self.kind if kind not in DIFFICULTIES]
        if unknown:
            raise UsageError(f"There is no kind of case '{unknown[0]}'. Choose from: {', '.join(DIFFICULTIES)}.")
        unknown = [name for name in self.quality if name not in QUALITY]
        if unknown:
            raise UsageError(f"There is no quality '{unknown[0]}'. Choose from: {', '.join(QUALITY)}.")

    def to_query(self) -> dict[str, list[str]]:
        """Return what is set, as parameters of an address and as JSON can hold it."""
        set_ = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}
        return {name: _words(value) for name, value in set_.items()}

    @classmethod
    def from_query(cls, query: Mapping[str, str | Sequence[str]]) -> Filter:
        """Read parameters of an address, or a saved list; parameters of other parts of the page are passed over.

        Raises
        ------
        UsageError
            Where a value cannot be read.
        """
        values: dict[str, Any] = {}
        for name in {one.name for one in fields(cls)} & set(query):
            given = query[name]
            words = [given] if isinstance(given, str) else list(given)
            if words:
                values[name] = _read(name, words)
        return cls(**values)

    def accepts(self, row: WorkRow) -> bool:
        """Return whether a row fulfils every condition that is set."""
        return self._accepts_case(row) and self._accepts_review(row)

    def _accepts_case(self, row: WorkRow) -> bool:
        return (
            _among(row.diagnosis, self.diagnosis)
            and _among(row.predicted, self.predicted)
            and _among(row.kind, self.kind)
            and _among(row.scanner, self.scanner)
            and (not self.quality or bool(set(self.quality) & set(row.quality)))
            and _between(row.confidence, self.confidence_from, self.confidence_to)
            and _between(row.loss, self.loss_from, self.loss_to)
            and (row.disagreement or not self.disagreement)
        )

    def _accepts_review(self, row: WorkRow) -> bool:
        reviewed = self.reviewer in row.reviewers if self.reviewer else bool(row.reviewers)
        if self.status is not None and reviewed != (self.status == "reviewed"):
            return False
        if self.reviewer and self.status is None and not reviewed:
            return False
        if self.bookmarked and not row.bookmarked:
            return False
        if self.verdict and not set(self.verdict) & set(row.verdicts):
            return False
        searched = " ".join((row.case_id, row.scanner or "", *row.notes)).casefold()
        return all(word in searched for word in self.text.casefold().split())


def _words(value: Any) -> list[str]:
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return [_TRUE if value is True else str(value)]


def _read(name: str, words: list[str]) -> Any:
    if name in _LISTS:
        return tuple(words)
    if name in _NUMBERS:
        try:
            value = float(words[0])
        except ValueError as error:
            raise UsageError(f"The filter '{name}' is '{words[0]}'; expected a number.") from error
        if not math.isfinite(value):
            raise UsageError(f"The filter '{name}' is '{words[0]}'; expected a number.")
        return value
    if name in ("disagreement", "bookmarked"):
        return words[0] == _TRUE
    return words[0]


def _among(value: str | None, wanted: tuple[str, ...]) -> bool:
    return not wanted or value in wanted


def _between(value: float, lower: float | None, upper: float | None) -> bool:
    return (lower is None or value >= lower) and (upper is None or value <= upper)
