"""A process that trains a model with so many workers on one machine; the experiment `distributed_time` starts it.

TensorFlow divides a CPU into logical devices at its start, so each number of workers has a process of its own.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from kerazoo import build, spec
from kerazoo.lazy import keras, np, tf


def seconds_an_epoch(*, workers: int, folder: str, name: str, seed: int, epochs: int) -> dict[str, Any]:
    """Train the model `name` on the examples in `folder`; return the median seconds of the epochs after the first.

    Returns:
        `seconds`, the `workers` that TensorFlow had, and the last epoch's `loss`.
    """
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * workers)
    strategy = tf.distribute.MirroredStrategy([f"CPU:{place}" for place in range(workers)])
    examples = np.load(Path(folder) / "examples.npz")
    with strategy.scope():
        model = build(name, seed=seed)
    times: list[float] = []
    clock = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: times.append(time.perf_counter()),
        on_epoch_end=lambda epoch, logs: times.append(time.perf_counter() - times.pop()),
    )
    batch = spec(name).recipe.batch_size
    keras.utils.set_random_seed(seed)  # of the order
    log = model.fit(examples["x"], examples["y"], batch, epochs, verbose=0, callbacks=[clock]).history
    return {
        "seconds": statistics.median(times[1:]),
        "workers": strategy.num_replicas_in_sync,
        "loss": log["loss"][-1],
    }


if __name__ == "__main__":
    print(json.dumps(seconds_an_epoch(**json.loads(sys.argv[1]))))
