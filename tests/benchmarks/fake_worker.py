"""A worker without a library, for the tests of the mechanism: `fake_worker.py CONTENDER SETTINGS`.

What becomes of a contender stands in the environment variable FAKE, as JSON: {"torch-eager": "segfault"}. Each turn is
noted in the file that FAKE_LOG names.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from peers import Unavailable
from worker import serve

STEP_S = {"kerazoo": 0.001, "keras": 0.002, "torch": 0.004}


class Fake:
    def __init__(self, name):
        self.name, self.fate = name, json.loads(os.environ.get("FAKE", "{}")).get(name)
        if self.fate == "missing":
            raise Unavailable("not measured: the library is not installed")

    def about(self):
        print("what a library prints does not disturb")
        return {"versions": {"fake": "1"}, "threads": os.environ["OMP_NUM_THREADS"]}

    def make(self, folder, name, precision, most):
        work = {"name": name, "options": {}, "batch_size": 32, "precision": precision, "data": "made up"}
        work |= {"forward_flops": 1000, "flops_how": "by hand"}
        (Path(folder) / "work.json").write_text(json.dumps(work))

    def open(self, folder, compare=False):
        self.turns = 0

    def compare(self, steps):
        return 0.75 if self.fate == "other" else 0.5

    def steps_of(self, length, most):
        return 20

    def settle(self, steps, quick):
        if self.fate == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.fate == "exit":
            print("the last words", file=sys.stderr)
            os._exit(3)
        if self.fate == "raise":
            raise RuntimeError("two\nlines")
        if self.fate == "hang":
            time.sleep(600)
        return {"form": f"form of {self.name}", "tried_ms": {}, "first_step_s": 0.5}

    def train(self, steps):
        self.turns += 1
        if self.fate == "late" and self.turns == 2:
            raise RuntimeError("in the second turn")
        if "FAKE_LOG" in os.environ:
            with Path(os.environ["FAKE_LOG"]).open("a") as file:
                file.write(self.name + "\n")
        slower = 1.5 if self.name.endswith("jax") else 1.0
        return steps * slower * STEP_S[self.name.partition("-")[0]]

    def state(self):
        return {"cudnn_obstacles": "not measured: no GPU", "tf32": "not measured: no GPU"}

    def forget_peak(self):
        pass

    def peak(self):
        return {"peak_mib": 1.0, "gpu_mib": "not measured: no GPU"}

    def products(self, length):
        return None if self.name.startswith("torch") else 0.001

    def product(self, precision, size, count, length):
        return 1e9


serve(lambda: Fake(sys.argv[1]))
