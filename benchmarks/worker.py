"""A worker: `worker.py CONTENDER SETTINGS` answers requests from standard input, each a line of JSON.

It says first what it is (`about`), or why it cannot take part. Standard output is the pipe of answers; whatever a
library prints goes to standard error.
"""

import contextlib
import functools
import gc
import json
import math
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peers
from peers import Unavailable
from work import Work


def serve(start: Callable[[], Any]) -> None:
    """Answer requests by methods of the object that `start` returns, until the pipe is closed.

    The first answer is that of its `about`. An exception is a reason, in its last line; the process goes on.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(call: Callable[[], Any]) -> bool:
        try:
            line = json.dumps({"result": call()}, allow_nan=False)
        except Unavailable as reason:
            line = json.dumps({"reason": str(reason)})
        except Exception as error:
            text = " ".join(str(error).split())[:300]
            line = json.dumps({"reason": f"not measured: {type(error).__name__}: {text}"})
        answers.write(line + "\n")
        answers.flush()
        return '"reason"' not in line[:10]

    actions: Any = None

    def begin() -> Any:
        nonlocal actions
        actions = start()
        return actions.about()

    if not say(begin):
        return
    for line in sys.stdin:
        request = json.loads(line)
        do = getattr(actions, request.pop("do"))
        say(functools.partial(do, **request))


def _least(call: Callable[[], Any], length: float) -> float:
    """Return the least seconds that `call` takes, of those in about `length` seconds."""
    call()
    least, taken = float("inf"), 0.0
    while taken < length:
        began = time.perf_counter()
        call()
        least = min(least, time.perf_counter() - began)
        taken += time.perf_counter() - began
    return least


class Actions:
    """The requests that a contender answers; times are in seconds."""

    def __init__(self, name: str, settings: dict[str, Any]):
        restrict(settings["threads"])
        self.name = name
        self.library = peers.library_of(name, settings)
        self.make = peers.side_of(name)
        self.work: Work
        self.side: Any = None
        self.still: Any = None

    def about(self) -> dict[str, Any]:
        """Return versions and other settings that the results depend on."""
        return dict(self.library.about())

    def open(self, folder: str, compare: bool = False) -> None:
        """Open a workload and set its precision; release what was made for the last one."""
        self.side = self.still = None
        gc.collect()
        self.work = Work.read(folder)
        self.library.set_precision(self.work.precision)
        self.side = self.make(self.work)
        if compare:
            still = self.work.still()
            self.still = self.side if still is self.work else self.make(still)

    def compare(self, steps: int) -> float:
        """Return the loss after `steps` steps from the initial weights, in the stored order, without dropout."""
        loss = float(self.still.loss_after(steps))
        if self.still is not self.side:
            self.still = None
            gc.collect()
        if not math.isfinite(loss):
            raise Unavailable(f"not measured: the loss after {steps} steps is {loss}")
        return loss

    def steps_of(self, length: float, most: int) -> int:
        """Measure how many steps take about `length` seconds, `most` at most."""
        self.side.train(3)  # compiles
        steps = 3
        for _ in range(2):  # what an epoch takes beside its steps counts less in the second trial
            steps = max(3, min(most, round(length * steps / self.side.train(steps))))
        return steps

    def settle(self, steps: int, quick: bool) -> dict[str, Any]:
        """Warm up for turns of `steps` steps, and keep the fastest of the forms there are."""
        tried = self.side.settle(steps, quick)
        return {"form": self.side.form, "tried_ms": tried, "first_step_s": self.side.first_step_s}

    def train(self, steps: int) -> float:
        """Train one epoch of `steps` steps."""
        gc.collect()  # or this turn pays for what the one before has left behind
        return float(self.side.train(steps))

    def state(self) -> dict[str, Any]:
        """Return, for a GPU, whether cuDNN serves the LSTMs of the model (else why not) and whether TF32 is on."""
        return {"cudnn_obstacles": self.library.cudnn(self.side), "tf32": self.library.tf32()}

    def outputs(self, count: int, path: str) -> None:
        """Save the outputs for the first `count` examples."""
        import numpy as np

        made = np.asarray(self.side.predict(self.work.take(count)[0]), "float32")
        if not np.isfinite(made).all():
            raise Unavailable(f"not measured: {np.sum(~np.isfinite(made))} of {made.size} outputs are not finite")
        np.save(path, made)

    def settle_predict(self, batches: int, batch: int, quick: bool) -> dict[str, Any]:
        """Warm up for `batches` batches of examples and for single ones; keep the fastest forms."""
        self.inputs = self.work.take(batches * batch)[0]
        return dict(self.side.settle_predict(self.inputs, quick))

    def predict_batches(self) -> float:
        """Predict for all of the examples."""
        gc.collect()
        began = time.perf_counter()
        self.side.predict(self.inputs)  # returns NumPy arrays: the device is done
        return time.perf_counter() - began

    def predict_one(self, calls: int) -> float:
        """Predict for one example at a time."""
        parts = [self.inputs[i % len(self.inputs)][None] for i in range(calls)]
        gc.collect()
        began = time.perf_counter()
        for part in parts:
            self.side.predict_one(part)
        return time.perf_counter() - began

    def settle_write(self, streams: int, length: int, quick: bool) -> dict[str, Any]:
        """Warm up for writing `length` tokens; keep the fastest form."""
        return dict(self.side.settle_write(streams, length, quick))

    def write(self, streams: int, length: int, window: bool = False) -> float:
        """Write `length` tokens of each of `streams` texts; `window`: by `predict` on the last tokens."""
        gc.collect()
        began = time.perf_counter()
        (self.side.write_by_window if window else self.side.write)(streams, length)
        return time.perf_counter() - began

    def document(self, name: str, epochs: int | None, examples: int | None) -> dict[str, Any]:
        """Train the model `name` by its document's recipe, and evaluate it on the test split."""
        self.library.set_precision("float32")
        return dict(self.make.document(name, epochs, examples))

    def products(self, length: float) -> float | None:
        """Return the seconds of the matrix products of one step by the library, nothing else: the floor of a step."""
        shapes = self.work.products
        if shapes is None:
            return None
        return _least(self.library.products(self.work.precision, shapes), length)

    def product(self, precision: str, size: int, count: int, length: float) -> float:
        """Measure the FLOP/s of the library's product of two square matrices, the reference for "utilisation"."""
        self.library.set_precision(precision)
        return count * 2 * size**3 / _least(self.library.product(precision, size, count), length)

    def forget_peak(self) -> None:
        """Reset the peaks of memory, where the system can."""
        gc.collect()
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self.library.forget_peak()

    def peak(self) -> dict[str, Any]:
        """Return the peaks of memory, in MiB."""
        return {"peak_mib": peak_rss(), "gpu_mib": self.library.gpu_peak_mib()}


def restrict(threads: int) -> None:
    """Restrict the process to as many cores as it may have threads: libraries start one a core."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[:threads])


def peak_rss() -> float:
    """Return the peak memory of this process, in MiB.

    Not `ru_maxrss` of `getrusage` where there is `VmHWM`: on Linux a child starts with its parent's peak there.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 2**10
    except (OSError, StopIteration):
        unit = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main(name: str, settings: str) -> None:
    """Serve as the contender `name`, or as the maker of works."""
    told = json.loads(settings)
    if name == "maker":
        from peers.maker import Maker

        serve(Maker)
    else:
        serve(lambda: Actions(name, told))


if __name__ == "__main__":
    main(*sys.argv[1:])
