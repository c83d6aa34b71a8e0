"""Statistics of contenders that take turns; ratios are formed within each turn."""

import statistics
from collections.abc import Iterator, Sequence
from typing import Any


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Return the median, minimum and maximum of `values`, and the values themselves."""
    if not values:
        raise ValueError("a spread needs at least one value")
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "all": [round(value, 9) for value in values],
    }


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """Return the spread of theirs / ours, turn by turn: above 1, ours is faster.

    The ratio of two medians would mix turns in which the machine was busy with others in which it was not.
    """
    return spread([their / our for our, their in zip(ours, theirs, strict=True)])


def turns(names: Sequence[str], repeats: int) -> Iterator[tuple[str, ...]]:
    """Yield the order of the contenders in each turn: A B C, B C A, C A B, ...

    Rotated, so that each of them as often follows any other and finds the caches and the clock rate that it leaves.
    """
    for turn in range(repeats if names else 0):
        cut = turn % len(names)
        yield (*names[cut:], *names[:cut])
