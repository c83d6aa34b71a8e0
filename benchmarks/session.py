"""A run of a benchmark: its device, its workers, their workloads, and the machine's matrix product for reference."""

import argparse
import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import common
import device as machine
import peers
from contest import Contest
from pool import Absent, Pool, script

from kerazoo.errors import UnavailableError

QUICK = "not measured: --quick"
NOT_COMPILED = "not measured: for want of time, torch.compile takes part with the first models only"
MOST_EXAMPLES = 32_000
"""Of a work: those of 500 steps of 64, or of one epoch where that is less."""
_MAKER = "maker"


class Session:
    """The state of a benchmark while it runs: `device`, `contenders`, and workloads for them.

    `precision` is that of the works to come, `patience` the seconds that a contender has for each part of its warm-up,
    `turn_s` about those of plain Keras's turn in training.

    Args:
        options: of the command line.
        fresh: a worker does one work only, so that its peak of memory is that of this work; quick runs keep theirs.
        trains: the work is to train, which not every contender does.
        command: returns the command line of a worker from the contender's name and the settings.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        fresh: bool = True,
        trains: bool = True,
        command: Callable[[str, Mapping[str, Any]], list[str]] = script,
    ):
        self._command = command
        self.options = options
        self.device = machine.this_device(options.device, options.precision)
        chosen = common.choose_contenders(options.contenders)
        self.contenders = [one for one in chosen if peers.CONTENDERS[one].trains or not trains]
        self.deadline = time.monotonic() + (options.limit or float("inf"))
        self.fresh = fresh and not options.quick
        self.precision = options.precision
        self.patience = 600.0
        self.turn_s = 0.15 if options.quick else 1.0
        self.products: dict[str, dict[str, float]] = {}
        self.together = machine.cores() >= 8  # warming up: so many compilers do not wait for each other
        self._pools: dict[int, Pool] = {}

    def __enter__(self) -> "Session":
        self.folder = Path(tempfile.mkdtemp(prefix="kerazoo-benchmark-"))
        self.maker = self._pool([_MAKER], 1)
        return self

    def __exit__(self, *_: object) -> None:
        for pool in (self.maker, *self._pools.values()):
            pool.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def repeats(self) -> int:
        """Number of measured turns."""
        return self.options.repeats or (3 if self.options.quick else 7)

    @property
    def left(self) -> float:
        """Seconds until the limit."""
        return self.deadline - time.monotonic()

    @property
    def out_of_time(self) -> bool:
        """Whether the limit has come."""
        return self.left <= 0

    @contextlib.contextmanager
    def work(self, name: str, **settings: Any) -> Iterator[Path]:
        """Make the workload of the model `name`, and remove it afterwards.

        Raises:
            UnavailableError: it cannot be made.
        """
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        self.maker.start()
        if _MAKER in self.maker.absent:
            raise UnavailableError(f"the work cannot be prepared: {self.maker.absent[_MAKER]}")
        wanted = {"folder": str(folder), "name": name, "precision": self.precision, "most": MOST_EXAMPLES}
        try:
            self.maker.ask(_MAKER, "make", **{**wanted, **settings})
        except Absent as reason:
            raise UnavailableError(f"the work '{name}' cannot be prepared: {reason}") from None
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def contest(self, threads: int | None = None) -> Iterator[Contest]:
        """Start a contest on one workload, with so many threads for each contender."""
        count = threads or self.options.threads
        if count not in self._pools:
            self._pools[count] = self._pool(self.contenders, count)
        contest = Contest(self._pools[count])
        self._measure_product(contest)
        try:
            yield contest
        finally:
            if self.fresh:
                self._pools[count].end()

    def record(self, contest: Contest, threads: int | None = None) -> dict[str, Any]:
        """Return the part that every row has: time, machine, software, matrix products for reference."""
        count = threads or self.options.threads
        product = self.products.get(self.precision, {})
        fastest = max(product, key=lambda library: product[library], default=None)
        return {
            "time": common.now(),
            "quick": self.options.quick,
            "repeats": self.repeats,
            "environment": machine.record(self.device, self.precision, count),
            "software": {name: contest.pool.about[name] for name in self.contenders if name in contest.pool.about},
            "matmul_flops_per_s": product[fastest] if fastest else None,
            "matmul_library": fastest,
            "peak_flops_per_s": machine.dense_peak(self.device, self.precision),
        }

    def use(self, flops_per_s: float) -> dict[str, Any]:
        """Return the FLOP/s, and their share of the matrix product's and of the device's peak."""
        product = max(self.products.get(self.precision, {}).values(), default=None)
        return {
            "flops_per_s": flops_per_s,
            "utilisation_of_matmul": flops_per_s / product if product else None,
            "utilisation_of_peak": machine.utilisation(flops_per_s, machine.dense_peak(self.device, self.precision)),
        }

    def _measure_product(self, contest: Contest) -> None:
        """Measure a matrix product with each library that is there, once for each precision."""
        size, count = (8192, 10) if self.device.kind == "gpu" else (2048, 1)
        seconds = 0.3 if self.options.quick else 1.0
        for name in list(contest.there):
            library = peers.CONTENDERS[name].library
            product = self.products.setdefault(self.precision, {})
            if library not in product:
                ask = {"precision": self.precision, "size": size, "count": count, "length": seconds}
                try:
                    product[library] = contest.pool.ask(name, "product", 60.0 + seconds, **ask)
                except Absent as reason:
                    if name not in contest.pool.running():
                        contest.drop(name, str(reason))

    def _pool(self, names: list[str], threads: int) -> Pool:
        device = {"kind": self.device.kind, "index": self.device.index}
        settings = {"device": device, "threads": threads}
        return Pool(
            names,
            lambda name: self._command(name, settings),
            lambda name: peers.environment(name, device, threads),
            self.deadline,
        )
