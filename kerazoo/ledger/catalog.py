"""Experiments: what each needs, what it costs, and the function that measures.

An experiment is a function of a `Setting` that returns JSON values. The decorator `experiment` says so of a function in
the module of a study's experiments, and `collect` finds those that a module holds.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeVar

from kerazoo.errors import InputError, KerazooError

Measure = Callable[["Setting"], dict[str, Any]]
Function = TypeVar("Function", bound=Measure)

_MARK = "_kerazoo_experiments"
_NAME = re.compile(r"\w[\w.-]*")  # it is also that of a file


class Unmeasurable(KerazooError):
    """An experiment cannot be carried out here; the message is the reason, in one sentence."""


def _silent(text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Setting:
    """What an experiment is given.

    Attributes:
        seed: from 0 up; the same seed gives the same values on a CPU.
        source: what to pass to `load_data`: "tfds" where the experiment needs data, else "none"; "sample" in a study
            of one's own, where the caller asked for it.
        data_dir: a directory in TFDS layout; None is the default of `load_data`.
        say: tells the user one line of progress.
    """

    seed: int = 0
    source: str = "tfds"
    data_dir: str | None = None
    say: Callable[[str], None] = field(default=_silent, compare=False)


@dataclass(frozen=True)
class Experiment:
    """An entry of a study's catalog; `experiment` explains the fields."""

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


def experiment(
    name: str,
    *,
    needs: tuple[str, ...] = (),
    seeds: int = 1,
    quick: bool = False,
    minutes: float = 0.1,
    revision: int = 1,
) -> Callable[[Function], Function]:
    """Mark the decorated function as the experiment `name` of the study whose module defines it.

    Args:
        name: what the study's claims give as their `experiment`, of letters, digits, `_`, `-` and `.`.
        needs: real data sets by their TFDS names ("mnist", "imdb_reviews", "tiny_shakespeare"), and Python modules
            that kerazoo does not install as "module:torch", and "backend:tensorflow" for what no other computes.
        seeds: how many seeds the full run takes, from 0 up; 1 for what is deterministic.
        quick: whether `reproduce --quick` runs it, with seed 0 alone.
        minutes: an estimate for one seed on two CPU cores, for the time left.
        revision: to be raised when the design changes; rows of older revisions no longer count.

    The function takes a `Setting`, returns JSON values, one sub-dictionary a claim, and raises `Unmeasurable` with the
    reason where it cannot measure.

    Raises:
        InputError: `name` cannot be that of an experiment, or `seeds` or `revision` is below 1.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(f"an experiment is named {name!r}; wanted a text of letters, digits, '_', '-' and '.'")
    if seeds < 1 or revision < 1:
        raise InputError(f"experiment '{name}': seeds={seeds}, revision={revision}; wanted both at least 1")

    def mark(measure: Function) -> Function:
        entered = Experiment(name, tuple(needs), seeds, quick, minutes, revision, measure)
        setattr(measure, _MARK, (*getattr(measure, _MARK, ()), entered))
        return measure

    return mark


def collect(modules: Iterable[ModuleType]) -> dict[str, Experiment]:
    """Return the experiments among the functions of `modules` by name.

    Raises:
        InputError: two have the same name.
    """
    found: dict[str, Experiment] = {}
    for module in modules:
        for one in filter(inspect.isfunction, vars(module).values()):
            for entered in getattr(one, _MARK, ()):
                other = found.setdefault(entered.name, entered)
                if other.measure is not entered.measure:
                    places = ", ".join(
                        f"{each.measure.__module__}.{each.measure.__qualname__}" for each in (other, entered)
                    )
                    raise InputError(f"two experiments are named '{entered.name}': {places}")
    return found
