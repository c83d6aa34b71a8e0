"""Carrying out experiments and recording what they measure, so that an interruption costs one run at most."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kerazoo._version import __version__
from kerazoo.ledger.catalog import Setting, Unmeasurable
from kerazoo.ledger.needs import Needs
from kerazoo.ledger.plan import Progress, Run
from kerazoo.ledger.record import Row, append_row, as_written, done, key_of, read_rows
from kerazoo.training.environment import environment

_FOLDERS = re.compile(r"(?<![\w.:/])/(?:[^\s/'\"]+/)+(?=[^\s/'\"])")  # of a path of this machine


class Measuring:
    """Carries out runs and keeps what became of them; `out` of None records nothing and skips nothing."""

    def __init__(self, needs: Needs, out: Path | None, verbose: bool) -> None:
        self._needs, self._out, self._verbose = needs, out, verbose
        self.rows: list[Row] = []
        self.unmeasurable: dict[str, str] = {}
        self.failed: dict[str, str] = {}

    def carry_out(self, runs: list[Run]) -> None:
        """Measure those of `runs` that can be measured here and are not recorded yet."""
        data = self._look_for_data(runs)
        runs = [run for run in runs if run.experiment.name in data]
        where = environment() if runs else {}
        planned = len(runs)
        if self._out is not None:
            recorded = done(read_rows(self._out))
            runs = [run for run in runs if key_of(_heading(run, where, data[run.experiment.name])) not in recorded]
        with Progress(runs, self._verbose) as progress:
            if len(runs) < planned:
                progress.say(f"{planned - len(runs)} of {planned} runs are in {self._out} already")
            for name, reason in self.unmeasurable.items():
                progress.say(f"{name} is not measured. {reason}")
            for run in runs:
                progress.begin(run)
                name = run.experiment.name
                given_up = name in self.failed or name in self.unmeasurable
                heading = _heading(run, where, data[name])
                skip = given_up or self._recorded_meanwhile(heading)
                if not skip:
                    self._measure(run, heading, progress)
                progress.end(run, measured=not skip)

    def _look_for_data(self, runs: Iterable[Run]) -> dict[str, dict[str, str]]:
        """Return the data of each experiment that has what it needs, and note the others as unmeasurable."""
        data: dict[str, dict[str, str]] = {}
        for one in {run.experiment.name: run.experiment for run in runs}.values():
            try:
                data[one.name] = self._needs.check(one)
            except Unmeasurable as error:
                self.unmeasurable[one.name] = str(error)
        return data

    def _recorded_meanwhile(self, heading: Row) -> bool:
        """Tell whether another process has measured a run since this one began."""
        return self._out is not None and key_of(heading) in done(read_rows(self._out, heading["experiment"]))

    def _measure(self, run: Run, heading: Row, progress: Progress) -> None:
        one, begun = run.experiment, time.monotonic()
        setting = Setting(run.seed, heading["source"], self._needs.data_dir, lambda text: progress.say(f"  {text}"))
        try:
            values = one.measure(setting)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            seconds = round(time.monotonic() - begun, 3)
            row = as_written({**heading, "values": values, "seconds": seconds, "measured_at": now})
        except Unmeasurable as error:
            self.unmeasurable[one.name] = str(error)
            progress.say(f"  {one.name} is not measured. {error}")
        except Exception as error:  # one experiment must not take the others down
            self.failed[one.name] = _told(error)
            progress.say(f"  {one.name} failed: {self.failed[one.name]}")
        else:
            self.rows.append(row if self._out is None else append_row(self._out, row))


def _heading(run: Run, where: dict[str, Any], data: dict[str, str]) -> Row:
    """Return what is known of a row before it is measured."""
    one = run.experiment
    return {
        "experiment": one.name,
        "revision": one.revision,
        "seed": run.seed,
        "source": "tfds" if one.data else "none",
        "data": data,
        "kerazoo": __version__,
        "environment": where,
    }


def _told(error: Exception) -> str:
    """Return the error and the last line of its message, with where it was raised; of paths the last names only."""
    lines = str(error).strip().splitlines() or [""]
    message = _FOLDERS.sub("", " ".join(lines[-1].split()))
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {message}{place}"
