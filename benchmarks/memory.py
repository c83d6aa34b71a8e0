"""Peak memory of training with one contender, in a process of its own: `python memory.py '{"model": ...}'`.

Not `ru_maxrss` of `getrusage`: on Linux a child starts with its parent's peak there, and the parent has three
contenders in memory. `VmHWM` of /proc begins anew with the program; where there is no /proc, `ru_maxrss` has to do.
"""

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

STEPS = 30


def peak_of(name: str, side: str, options: Any) -> dict[str, Any] | str:
    """Return the peaks in MiB of a process that trains the model `name` with the contender `side`.

    Args:
        name: of the model.
        side: "kerazoo", "keras" or "torch".
        options: the command line's; device, precision and threads are those of the parent.
    """
    wanted = {"model": name, "side": side, "device": options.device, "precision": options.precision}
    command = [sys.executable, __file__, json.dumps({**wanted, "threads": options.threads})]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return f"not measured: {lines[-1]}"
    return json.loads(done.stdout.splitlines()[-1])


def peak_rss() -> float:
    """Return the most memory, in MiB, that this process has had in use so far."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 2**10
    except (OSError, StopIteration):
        unit = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _main(wanted: dict[str, Any]) -> None:
    from kerazoo.quiet import start_keras

    start_keras()
    from hardware import set_up
    from measure import set_up_torch
    from peers import fitting
    from work import prepare

    device = set_up(wanted["device"], wanted["precision"], wanted["threads"])
    work = prepare(wanted["model"], device, wanted["precision"])
    ours = fitting.build(work)
    if wanted["side"] == "torch":
        set_up_torch(True, wanted["threads"], wanted["precision"])
        from peers.torch_training import Torch as Side
    else:
        Side = {"kerazoo": fitting.Kerazoo, "keras": fitting.Plain}[wanted["side"]]
    side = Side(work, ours)
    before = peak_rss()
    if device.kind == "gpu" and wanted["side"] != "torch":
        import tensorflow as tf

        tf.config.experimental.reset_memory_stats("GPU:0")
    side.train(STEPS)
    print(json.dumps({"before_mib": before, "peak_mib": peak_rss(), "gpu_mib": _gpu_peak(device, wanted["side"])}))


def _gpu_peak(device: Any, side: str) -> float | str:
    from common import NO_GPU

    if device.kind != "gpu":
        return NO_GPU
    if side == "torch":
        import torch

        return torch.cuda.max_memory_allocated(device.torch_name) / 2**20
    import tensorflow as tf

    return tf.config.experimental.get_memory_info("GPU:0")["peak"] / 2**20


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
