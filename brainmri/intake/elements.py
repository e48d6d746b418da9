"""Read elements of DICOM data sets, whatever is in them."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from pydicom import config
from pydicom.dataset import Dataset

Elements = Mapping[str, Any]
"""Values of a data set by DICOM keyword."""

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


def read_elements(dataset: Dataset) -> Elements:
    """Return the values of a data set by keyword; one that cannot be understood is left out.

    Read once into a dictionary, because each look-up in a data set costs about ten microseconds.
    """
    elements = {}
    for tag in dataset.keys():  # noqa: SIM118 - iterating over the data set itself would stop at the first broken value
        try:
            element = dataset[tag]
            elements[element.keyword] = element.value
        except READ_ERRORS:
            continue
    return elements


def read_texts(elements: Elements, keyword: str) -> tuple[str, ...]:
    """Return the values of an element as texts, without padding; none where it is missing or cannot be understood."""
    value = elements.get(keyword)
    if value is None:
        return ()
    values = (
        [value] if isinstance(value, str) or not hasattr(value, "__iter__") or hasattr(value, "components") else value
    )
    return tuple(text for text in (str(one).strip().strip("\0") for one in values) if text)


def read_text(elements: Elements, keyword: str) -> str:
    """Return the values of an element as one text."""
    return "\\".join(read_texts(elements, keyword))


def read_numbers(elements: Elements, keyword: str) -> tuple[float, ...]:
    """Return the values of an element as finite numbers; none where one of them is not."""
    try:
        numbers = tuple(float(text) for text in read_texts(elements, keyword))
    except ValueError:
        return ()
    return numbers if all(math.isfinite(one) for one in numbers) else ()


def read_number(elements: Elements, keyword: str) -> float | None:
    """Return the first number of an element, or None."""
    numbers = read_numbers(elements, keyword)
    return numbers[0] if numbers else None


def read_whole(elements: Elements, keyword: str, default: int = 0) -> int:
    """Return the first number of an element as an integer."""
    number = read_number(elements, keyword)
    return default if number is None else int(number)


def read_plain(elements: Elements, keyword: str) -> Any:
    """Return a value as JSON can hold it, hashable: number, text or tuple of them."""
    texts = read_texts(elements, keyword)
    numbers = read_numbers(elements, keyword)
    values = numbers if len(numbers) == len(texts) else texts
    return None if not values else values[0] if len(values) == 1 else values
