"""The exception tree.

BrainMRIError
├── UsageError            the command line or a form was filled in wrongly (exit code 2)
├── StudyError            the study folder or its database
├── StopRequested         somebody asked for a stop
├── IntakeError           files that cannot become a case
│   └── RefusedFile       one file, or one series, that cannot be used
├── ImagingError          a case that cannot become samples
├── TrainingError         an experiment or a run that cannot go on
│   ├── WeightsMissing    published weights that are not there
│   └── LeakError         a patient on both sides of a split of patients
├── EvaluationError       numbers that cannot be compared
└── ExplanationError      a map that cannot be made

A message says which object is wrong, what was found, what was expected and what to do.
"""

from __future__ import annotations


class BrainMRIError(Exception):
    """Base of every error that this package explains to its user."""


class UsageError(BrainMRIError):
    """A command or a form was filled in wrongly."""


class StudyError(BrainMRIError):
    """The study folder or its database cannot be used."""


class StopRequested(BrainMRIError):  # noqa: N818 - no failure, but it ends the work
    """Somebody asked for a stop; the work ends at a safe point."""


class IntakeError(BrainMRIError):
    """Files cannot become a case."""


class RefusedFile(IntakeError):  # noqa: N818 - the word that the import report uses
    """One file, or one series, cannot be used."""


class ImagingError(BrainMRIError):
    """A case cannot become samples."""


class TrainingError(BrainMRIError):
    """An experiment or a run cannot go on."""


class WeightsMissing(TrainingError):  # noqa: N818 - a state, named as the pages name it
    """Published weights were asked for and are not there."""


class LeakError(TrainingError):
    """A patient stands on both sides of a split of patients."""


class EvaluationError(BrainMRIError):
    """Numbers cannot be compared."""


class ExplanationError(BrainMRIError):
    """An explanation cannot be computed or read."""


class TeachingError(BrainMRIError):
    """A reading session cannot go on as asked."""
