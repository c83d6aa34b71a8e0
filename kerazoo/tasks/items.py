"""What people give to `predict`, one input at a time: as it was read, and as a model takes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from kerazoo.errors import DataError
from kerazoo.lazy import np


class Item(NamedTuple):
    """One input as it was read: what to call it, and a text, numbers, or why it cannot be read."""

    name: str
    value: Any


class Input(NamedTuple):
    """One input as a model takes it: its name, its numbers, and of a text the words that they stand for."""

    name: str
    row: Any
    words: Sequence[str] = ()


def or_error(name: str, items: Iterator[Item]) -> Iterator[Item]:
    """Yield `items`, and where they end in a `DataError`, that as the value of one more."""
    try:
        yield from items
    except DataError as error:
        yield Item(name, error)


def as_array(given: Any, name: str) -> np.ndarray:
    """Return `given` as an array.

    Raises:
        DataError: it has rows of different lengths.
    """
    try:
        return np.asarray(given)
    except ValueError:
        raise DataError(f"{name} is of rows of different lengths; wanted one array") from None
