"""A contest: several contenders do the same work; one that fails drops out, and the reason is recorded."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pool import Absent, Pool
from timing import ratios, spread, turns

TOLERANCE = {"float32": 5e-3}
"""Relative difference of losses up to which two contenders train the same; others than these: `COARSE`.

Rounding alone is far below it. Keras on TensorFlow squares an embedding's gradient occurrence by occurrence where
others square its sum, which is most of it.
"""
COARSE = 5e-2
PEERS = ("keras", "torch")
_PAUSE_S = 0.01  # between two turns: threads that wait for work by spinning have given up by then


class Contest:
    """The contenders of one workload, their answers, and the reasons why others gave none."""

    def __init__(self, pool: Pool, names: Iterable[str] | None = None):
        pool.start()
        self.pool = pool
        wanted = list(pool.names if names is None else names)
        self.absent = {name: reason for name, reason in pool.absent.items() if name in wanted}
        self.there = [name for name in pool.running() if name in wanted]

    def ask(self, name: str, do: str, seconds: float = 600.0, /, **arguments: Any) -> Any:
        """Return a contender's answer; None where it drops out."""
        try:
            return self.pool.ask(name, do, seconds, **arguments)
        except Absent as reason:
            self.drop(name, str(reason))
            return None

    def drop(self, name: str, reason: str) -> None:
        """Leave a contender out of the rest of this work."""
        self.absent[name] = reason
        self.there.remove(name)

    def every(self, do: str, seconds: float = 600.0, together: bool = False, **arguments: Any) -> dict[str, Any]:
        """Ask all contenders, one after the other or `together`, and return the answers of those that gave one."""
        answers = {}
        if together:
            asked = list(self.there)
            for name in asked:
                self.pool.send(name, do, **arguments)
            for name in asked:
                try:
                    answers[name] = self.pool.receive(name, seconds)
                except Absent as reason:
                    self.drop(name, str(reason))
            return answers
        for name in list(self.there):
            answer = self.ask(name, do, seconds, **arguments)
            if name in self.there:
                answers[name] = answer
        return answers

    def turns(
        self,
        do: str,
        repeats: int,
        own: Mapping[str, Mapping[str, Any]] | None = None,
        names: Sequence[str] | None = None,
        **arguments: Any,
    ) -> dict[str, list[float]]:
        """Ask the contenders in turn, `repeats` times, and return the seconds that each reports.

        The order is rotated from turn to turn. A contender that drops out has no seconds at all.

        Args:
            do: what they are asked to do.
            repeats: turns of each.
            own: arguments that differ from one contender to the other.
            names: those that are asked; by default all.
            arguments: those that all have.
        """
        taken: dict[str, list[float]] = {name: [] for name in self.there if names is None or name in names}
        for order in turns(list(taken), repeats):
            for name in order:
                if name in self.there:
                    time.sleep(_PAUSE_S)
                    taken[name].append(self.ask(name, do, **{**arguments, **(own or {}).get(name, {})}))
        return {name: seconds for name, seconds in taken.items() if name in self.there}


def peer_of(name: str) -> str:
    """Return the library that a contender stands for: "kerazoo", "keras" or "torch"."""
    return name.partition("-")[0]


def differences(losses: dict[str, float | None]) -> dict[str, float]:
    """Return each contender's relative difference in loss to plain Keras, if possible on the same backend.

    PyTorch is compared with the nearer of the two: they differ in one point (see `TOLERANCE`) where it has its choice.
    """
    known = {name: loss for name, loss in losses.items() if loss is not None}
    found = {}
    for name, loss in known.items():
        own = f"keras-{name.partition('-')[2]}"
        references = [own] if own in known else [other for other in known if peer_of(other) == "keras"]
        if references:
            found[name] = min(abs(loss - known[other]) / max(abs(known[other]), 1e-12) for other in references)
    return found


def best(times: dict[str, list[float]], fit: Iterable[str]) -> dict[str, str]:
    """Return the fastest contender of each library among those in `fit`, by the median of its turns."""
    medians = {name: spread(times[name])["median"] for name in fit if name in times}
    fastest: dict[str, str] = {}
    for name in sorted(medians, key=lambda one: medians[one]):
        fastest.setdefault(peer_of(name), name)
    return fastest


def verdict(times: dict[str, list[float]], fit: Iterable[str]) -> dict[str, Any]:
    """Return the fastest contender of each library, and each contender's time / the faster kerazoo's, by turns."""
    fastest = best(times, fit)
    ours = fastest.get("kerazoo")
    compared = {name: ratios(times[ours], taken) for name, taken in times.items() if name != ours} if ours else {}
    return {"best": fastest, "ratios": compared}
