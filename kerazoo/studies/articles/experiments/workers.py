"""A process that trains a model with so many workers, a core each; the experiment `distributed_time` starts it.

TensorFlow divides a CPU into logical devices at its start, so each number of workers has a process of its own.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from kerazoo import build, spec
from kerazoo.lazy import keras, np, tf


def cost_of_an_epoch(*, workers: int, folder: str, name: str, seed: int, epochs: int) -> dict[str, Any]:
    """Train the model `name` on the examples in `folder`, on as many of this process's cores as there are workers.

    Returns:
        The medians of the epochs after the first: `seconds` on the clock and `core_seconds`, those that all threads
        together computed; the `workers` that TensorFlow had, and the last epoch's `loss`.
    """
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:workers])  # before TensorFlow counts the cores
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * workers)
    strategy = tf.distribute.MirroredStrategy([f"CPU:{place}" for place in range(workers)])
    examples = np.load(Path(folder) / "examples.npz")
    with strategy.scope():
        model = build(name, seed=seed)
    clocks = {"seconds": time.perf_counter, "core_seconds": time.process_time}
    times: list[dict[str, float]] = []

    def begin(epoch: int, logs: Any) -> None:
        times.append({kind: clock() for kind, clock in clocks.items()})

    def end(epoch: int, logs: Any) -> None:
        times[-1] = {kind: clock() - times[-1][kind] for kind, clock in clocks.items()}

    watch = keras.callbacks.LambdaCallback(on_epoch_begin=begin, on_epoch_end=end)
    batch = spec(name).recipe.batch_size
    keras.utils.set_random_seed(seed)  # of the order
    log = model.fit(examples["x"], examples["y"], batch, epochs, verbose=0, callbacks=[watch]).history
    return {
        **{kind: statistics.median(epoch[kind] for epoch in times[1:]) for kind in clocks},
        "workers": strategy.num_replicas_in_sync,
        "loss": log["loss"][-1],
    }


if __name__ == "__main__":
    print(json.dumps(cost_of_an_epoch(**json.loads(sys.argv[1]))))
