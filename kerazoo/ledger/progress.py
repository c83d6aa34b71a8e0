"""Telling the user which run is next and how long the rest will take."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from kerazoo.ledger.catalog import Experiment


@dataclass(frozen=True)
class Run:
    """One experiment with one seed."""

    experiment: Experiment
    seed: int

    def __str__(self) -> str:
        seed = f", seed {self.seed}" if self.experiment.seeds > 1 else ""
        return f"{self.experiment.name}{seed}"


class Progress:
    """Tells on standard error which run is next and about how much time is left; a bar on a terminal.

    The estimate is that of the experiments, corrected by the pace of the runs so far.
    """

    def __init__(self, runs: Iterable[Run], verbose: bool = True) -> None:
        self._waiting = list(runs)
        self._total, self._begun = len(self._waiting), 0.0
        self._spent = self._foreseen = 0.0
        self._console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True, quiet=not verbose)
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        terminal = verbose and self._console.is_terminal
        self._bar = Bar(*columns, console=self._console, transient=True, disable=not terminal, redirect_stdout=False)
        self._task = self._bar.add_task("", total=self._total)

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def begin(self, run: Run) -> None:
        """Say that `run` begins."""
        place = self._total - len(self._waiting) + 1
        self.say(f"[{place}/{self._total}] {run}; {_readable(self.seconds_left())} left")
        self._bar.update(self._task, description=str(run))
        self._begun = time.monotonic()

    def end(self, run: Run, measured: bool = True) -> float:
        """Note that `run` has ended, and return its seconds; a run that was skipped tells nothing of the pace."""
        self._waiting.remove(run)
        self._bar.update(self._task, advance=1)
        seconds = time.monotonic() - self._begun
        if measured:
            self._spent += seconds
            self._foreseen += 60 * run.experiment.minutes
        return seconds

    def seconds_left(self) -> float:
        """Return an estimate of the seconds that the waiting runs will take."""
        pace = self._spent / self._foreseen if self._foreseen else 1.0
        return pace * 60 * sum(run.experiment.minutes for run in self._waiting)

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(text)


def _readable(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes < 90 else f"about {minutes / 60:.1f} h"
