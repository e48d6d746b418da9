"""Read elements of DICOM data sets, whatever is in them."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from pydicom import config

READ_ERRORS: Final = (
    OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError,
    RuntimeError, RecursionError, OverflowError, MemoryError, AssertionError,
)  # fmt: skip
"""What reading a broken file has been seen to raise in pydicom, highdicom and SimpleITK."""


@contextmanager
def quiet() -> Iterator[None]:
    """Read odd values without a warning, and without a log line that could carry them."""
    logger = logging.getLogger("pydicom")
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings(), config.disable_value_validation():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def read_value(dataset: Any, keyword: str) -> Any:
    """Return a value, or None where it is missing or cannot be understood."""
    try:
        return dataset.get(keyword)
    except READ_ERRORS:
        return None


def read_texts(dataset: Any, keyword: str) -> tuple[str, ...]:
    """Return the values of an element as texts, without padding; none where it is missing or cannot be understood."""
    value = read_value(dataset, keyword)
    if value is None:
        return ()
    values = (
        [value] if isinstance(value, str) or not hasattr(value, "__iter__") or hasattr(value, "components") else value
    )
    return tuple(text for text in (str(one).strip().strip("\0") for one in values) if text)


def read_text(dataset: Any, keyword: str) -> str:
    """Return the values of an element as one text."""
    return "\\".join(read_texts(dataset, keyword))


def read_numbers(dataset: Any, keyword: str) -> tuple[float, ...]:
    """Return the values of an element as finite numbers; none where one of them is not."""
    try:
        numbers = tuple(float(text) for text in read_texts(dataset, keyword))
    except ValueError:
        return ()
    return numbers if all(math.isfinite(one) for one in numbers) else ()


def read_number(dataset: Any, keyword: str) -> float | None:
    """Return the first number of an element, or None."""
    numbers = read_numbers(dataset, keyword)
    return numbers[0] if numbers else None


def read_whole(dataset: Any, keyword: str, default: int = 0) -> int:
    """Return the first number of an element as an integer."""
    number = read_number(dataset, keyword)
    return default if number is None else int(number)


def read_plain(dataset: Any, keyword: str) -> Any:
    """Return a value as JSON can hold it, hashable: number, text or tuple of them."""
    texts = read_texts(dataset, keyword)
    numbers = read_numbers(dataset, keyword)
    values = numbers if len(numbers) == len(texts) else texts
    return None if not values else values[0] if len(values) == 1 else values
