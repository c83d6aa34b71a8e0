"""Carrying out experiments and recording what they measure, so that an interruption costs one run at most."""

from __future__ import annotations

import contextlib
import os
import re
import time
import traceback
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kerazoo._version import __version__
from kerazoo.data import real_data
from kerazoo.data.prepared import Prepared, check_source, data_root
from kerazoo.errors import UnavailableError
from kerazoo.files import hold, let_go
from kerazoo.lazy import installed, keras
from kerazoo.ledger import provenance
from kerazoo.ledger.catalog import Experiment, Setting, Unmeasurable
from kerazoo.ledger.progress import Progress, Run
from kerazoo.ledger.record import Row, append_row, as_written, done, key_of, read_rows
from kerazoo.training.environment import environment

_DIGITS = 16  # of a digest
_FOLDERS = re.compile(r"(?<![\w.:/])/(?:[^\s/'\"]+/)+(?=[^\s/'\"])")  # of a path of this machine


def plan(experiments: Iterable[Experiment], seeds: int | None, quick: bool) -> tuple[list[Run], dict[str, str]]:
    """Return the runs of `experiments`, the short ones first, and which experiments are left out, with the reason.

    Args:
        experiments: those to carry out.
        seeds: how many for each that is not deterministic; None is as many as the experiment itself wants.
        quick: take the quick experiments only, with the seed 0.
    """
    runs, left_out = [], {}
    for one in sorted(experiments, key=lambda one: (one.minutes, one.name)):
        if quick and not one.quick:
            left_out[one.name] = f"Left out by --quick: it takes about {one.minutes:g} minutes a seed."
            continue
        count = 1 if quick or one.seeds == 1 else one.seeds if seeds is None else seeds
        runs += [Run(one, seed) for seed in range(count)]
    return runs, left_out


class Needs:
    """Looks for what experiments need, for each thing once.

    Args:
        source: "auto" takes missing data for a reason not to measure, "tfds" for an error; with "sample" what needs
            data is measured on the embedded sample, if `sample` allows it.
        data_dir: a directory in TFDS layout, or None for the default.
        sample: whether rows of sample data are recorded.

    Raises:
        InputError: `source` is unknown, or `data_dir` is not a directory.
    """

    def __init__(
        self, source: str = "auto", data_dir: str | os.PathLike[str] | None = None, sample: bool = False
    ) -> None:
        check_source(source)
        if source != "sample":
            data_root(data_dir)
        self.data_dir = None if data_dir is None else os.fspath(data_dir)
        self.source, self.sample = source, sample
        self._found: dict[str, Prepared | UnavailableError] = {}

    def check(self, experiment: Experiment) -> dict[str, str]:
        """Return the data sets that `experiment` needs with their versions.

        Raises:
            Unmeasurable: something is missing; the message says what.
            UnavailableError: real data is missing and `source` is "tfds".
        """
        for module in experiment.modules:
            if not installed(module):
                raise Unmeasurable(f"The module '{module}' is not installed.")
        for backend in experiment.backends:
            if keras.backend.backend() != backend:
                computed = f"It is computed with {backend}, and Keras computes with {keras.backend.backend()}"
                raise Unmeasurable(f"{computed}: set KERAS_BACKEND={backend}.")
        if self.source != "sample":
            return {name: self._prepared(name).version for name in experiment.data}
        if experiment.data and not self.sample:
            raise Unmeasurable("It needs the real data; results on sample data are never recorded.")
        return dict.fromkeys(experiment.data, "sample")

    def digests(self, experiment: Experiment) -> dict[str, str]:
        """Return the digests of the data sets that `check` has found; the sample is part of kerazoo and has none."""
        names = experiment.data if self.source != "sample" else ()
        return {name: self._prepared(name).fingerprint[:_DIGITS] for name in names}

    def _prepared(self, name: str) -> Prepared:
        if name not in self._found:
            try:
                self._found[name] = real_data(name, self.data_dir)
            except UnavailableError as error:
                if self.source == "tfds":
                    raise
                self._found[name] = error
        found = self._found[name]
        if isinstance(found, UnavailableError):
            advice = " --source sample measures on the embedded sample." if self.sample else ""
            raise Unmeasurable(f"No real data: {found}.{advice}")
        return found


class Runner:
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
        with self._alone(bool(runs)):
            planned = len(runs)
            if self._out is not None:
                recorded = done(read_rows(self._out, sample=self._needs.sample))
                runs = [run for run in runs if key_of(self._heading(run, where, data)) not in recorded]
            with Progress(runs, self._verbose) as progress:
                if len(runs) < planned:
                    progress.say(f"{planned - len(runs)} of {planned} runs are in {self._out} already")
                for name, reason in self.unmeasurable.items():
                    progress.say(f"{name} is not measured. {reason}")
                for run in runs:
                    progress.begin(run)
                    given_up = run.experiment.name in self.failed or run.experiment.name in self.unmeasurable
                    if not given_up:
                        self._measure(run, self._heading(run, where, data), progress)
                    progress.end(run, measured=not given_up)

    @contextlib.contextmanager
    def _alone(self, runs: bool) -> Iterator[None]:
        """Keep other processes out of the directory of the rows, so that none is measured twice."""
        if self._out is None or not runs:
            yield
            return
        self._out.mkdir(parents=True, exist_ok=True)
        try:
            handle = hold(self._out)
        except BlockingIOError:
            Progress((), self._verbose).say(f"another process measures into {self._out}; waiting for it to end")
            handle = hold(self._out, wait=True)
        try:
            yield
        finally:
            let_go(handle)

    def _look_for_data(self, runs: Iterable[Run]) -> dict[str, dict[str, str]]:
        """Return the data of each experiment that has what it needs, and note the others as unmeasurable."""
        data: dict[str, dict[str, str]] = {}
        for one in {run.experiment.name: run.experiment for run in runs}.values():
            try:
                data[one.name] = self._needs.check(one)
            except Unmeasurable as error:
                self.unmeasurable[one.name] = str(error)
        return data

    def _heading(self, run: Run, where: dict[str, Any], data: dict[str, dict[str, str]]) -> Row:
        """Return what is known of a row before it is measured."""
        one = run.experiment
        return {
            "experiment": one.name,
            "revision": one.revision,
            "seed": run.seed,
            "source": "none" if not one.data else "sample" if self._needs.source == "sample" else "tfds",
            "data": data[one.name],
            "data_digests": self._needs.digests(one),
            "kerazoo": __version__,
            **provenance.commit(),
            "environment": where,
        }

    def _measure(self, run: Run, heading: Row, progress: Progress) -> None:
        one, begun, load = run.experiment, time.monotonic(), provenance.load()
        setting = Setting(run.seed, heading["source"], self._needs.data_dir, lambda text: progress.say(f"  {text}"))
        try:
            values = one.measure(setting)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            seconds = round(time.monotonic() - begun, 3)
            busy = {"load": {"before": load, "after": provenance.load()}}
            row = {**heading, "values": values, "seconds": seconds, **busy, "measured_at": now}
            written = as_written(row, self._needs.sample)
        except Unmeasurable as error:
            self.unmeasurable[one.name] = str(error)
            progress.say(f"  {one.name} is not measured. {error}")
        except Exception as error:  # one experiment must not take the others down
            self.failed[one.name] = _told(error)
            progress.say(f"  {one.name} failed: {self.failed[one.name]}")
        else:
            self.rows.append(written if self._out is None else append_row(self._out, row, self._needs.sample))


def _told(error: Exception) -> str:
    """Return the error and the last line of its message, with where it was raised; of paths the last names only."""
    lines = str(error).strip().splitlines() or [""]
    message = _FOLDERS.sub("", " ".join(lines[-1].split()))
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {message}{place}"
