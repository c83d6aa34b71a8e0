"""The experiments by name: what each needs, what it costs, and the function that measures.

An experiment is a function of a `Setting` in a module of `kerazoo.ledger.experiments`, which returns JSON values.
Loading the catalog imports neither TensorFlow nor Keras.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kerazoo.errors import InputError, KerazooError, did_you_mean

Measure = Callable[["Setting"], dict[str, Any]]


class Unmeasurable(KerazooError):
    """An experiment cannot be carried out here; the message is the reason, in one sentence."""


def _silent(text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Setting:
    """What an experiment is given.

    Attributes:
        seed: from 0 up; the same seed gives the same values on a CPU.
        source: what to pass to `load_data`: "tfds" where the experiment needs data, else "none". Never the sample.
        data_dir: a directory in TFDS layout; None is the default of `load_data`.
        say: tells the user one line of progress.
    """

    seed: int = 0
    source: str = "tfds"
    data_dir: str | None = None
    say: Callable[[str], None] = field(default=_silent, compare=False)


@dataclass(frozen=True)
class Experiment:
    """An entry of the catalog; `experiment` explains the fields."""

    name: str
    needs: tuple[str, ...]
    seeds: int
    quick: bool
    minutes: float
    revision: int
    measure: Measure = field(repr=False, compare=False)

    @property
    def data(self) -> tuple[str, ...]:
        """The real data sets that it needs, by their TFDS names."""
        return tuple(need for need in self.needs if ":" not in need)

    @property
    def modules(self) -> tuple[str, ...]:
        """The Python modules that it needs beyond what kerazoo installs."""
        return self._needed("module:")

    @property
    def backends(self) -> tuple[str, ...]:
        """The backend of Keras that it needs, if it needs one."""
        return self._needed("backend:")

    def _needed(self, kind: str) -> tuple[str, ...]:
        return tuple(need.removeprefix(kind) for need in self.needs if need.startswith(kind))


_catalog: dict[str, Experiment] = {}


def experiment(
    name: str,
    *,
    needs: tuple[str, ...] = (),
    seeds: int = 1,
    quick: bool = False,
    minutes: float = 0.1,
    revision: int = 1,
) -> Callable[[Measure], Measure]:
    """Enter the decorated function in the catalog under `name`.

    Args:
        name: the name that the ledger's entries give as their `check`.
        needs: real data sets by their TFDS names ("mnist", "imdb_reviews", "tiny_shakespeare"), and Python modules
            that kerazoo does not install as "module:torch", and "backend:tensorflow" for what no other computes.
        seeds: how many seeds the full run takes, from 0 up; 1 for what is deterministic.
        quick: whether `reproduce --quick` runs it, with seed 0 alone.
        minutes: an estimate for one seed on two CPU cores, for the time left.
        revision: to be raised when the design changes; rows of older revisions no longer count.

    The function returns JSON values, one sub-dictionary a claim, and raises `Unmeasurable` with the reason where it
    cannot measure.

    Raises:
        InputError: the name is taken, or `seeds` or `revision` is below 1.
    """

    def enter(measure: Measure) -> Measure:
        known = _catalog.get(name)
        if known is not None and _place(known.measure) != _place(measure):  # the same place: its module is reloaded
            raise InputError(f"two experiments are named '{name}': {_place(known.measure)}, {_place(measure)}")
        if seeds < 1 or revision < 1:
            raise InputError(f"experiment '{name}': seeds={seeds}, revision={revision}; wanted both at least 1")
        _catalog[name] = Experiment(name, tuple(needs), seeds, quick, minutes, revision, measure)
        return measure

    return enter


def _place(measure: Measure) -> str:
    return f"{measure.__module__}.{measure.__qualname__}"


def experiments() -> Mapping[str, Experiment]:
    """Return every experiment of the catalog by name."""
    importlib.import_module("kerazoo.ledger.experiments")
    return _catalog


def find_experiment(name: str) -> Experiment:
    """Return the experiment `name`.

    Raises:
        InputError: there is none; the message names the nearest.
    """
    known = experiments()
    if name not in known:
        raise InputError(f"no experiment is named '{name}'.{did_you_mean(name, known)}")
    return known[name]
