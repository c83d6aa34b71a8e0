"""Clocks and statistics: contenders take turns, and a ratio is formed within each turn."""

import gc
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence


def spread(values: Sequence[float]) -> dict[str, object]:
    """Return the median, the least and the greatest of `values`, and the values themselves."""
    if not values:
        raise ValueError("a spread needs at least one value")
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "all": [round(value, 9) for value in values],
    }


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, object]:
    """Return the spread of theirs / ours, turn by turn: above 1, ours is faster.

    The ratio of two medians would mix turns in which the machine was busy with others in which it was not.
    """
    return spread([their / our for our, their in zip(ours, theirs, strict=True)])


def turns(names: Sequence[str], repeats: int) -> Iterator[tuple[str, ...]]:
    """Yield the order of the contenders in each turn: A B C, B C A, C A B, ...

    Rotated, so that each of them as often follows any other and finds the caches and the clock rate that it leaves.
    """
    for turn in range(repeats):
        cut = turn % len(names)
        yield (*names[cut:], *names[:cut])


def interleave(runs: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """Call every run once a turn, after one turn that does not count, and return the seconds that each reports."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for turn, order in enumerate(turns(list(runs), repeats + 1)):
        for name in order:
            gc.collect()  # or one contender pays for what another has left behind
            seconds = runs[name]()
            if turn:
                taken[name].append(seconds)
    return taken
