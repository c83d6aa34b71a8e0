"""Two devices, and two hosts, train what one device trains. Each strategy needs its own process."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import hosts
import numpy as np
import tensorflow as tf

# Argument: a directory for checkpoints.
SCRIPT = """
import os, sys
import keras, numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from kerazoo import engine

rng = np.random.default_rng(0)
x = rng.normal(size=(1201, 8)).astype("float32")
y = rng.integers(0, 3, 1201)

def run(strategy, batch, policy="float32", **options):
    keras.config.set_dtype_policy(policy)
    with strategy.scope():
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, "relu", kernel_regularizer="l2"),
                                  keras.layers.Dense(3, "softmax", dtype="float32")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    options |= {"validation_data": (x[:101], y[:101]), "jit": False, "verbose": 0}
    history = engine.fit(model, x, y, batch_size=batch, epochs=2, **options)
    return model, history.history

one, two = tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert two.num_replicas_in_sync == 2
for batch in 24, 25:  # 51 steps and 50, with a last batch of one example; an even and an uneven division
    checkpoints = os.path.join(sys.argv[1], str(batch))
    (a, ours), (b, theirs) = run(one, batch), run(two, batch, checkpoint_dir=checkpoints)
    for name in "loss", "val_loss":
        close = 1e-5 if name == "loss" and batch == 24 else 1e-3
        np.testing.assert_allclose(ours[name], theirs[name], rtol=close, err_msg=name)
    print(batch, ours, theirs)
    for u, v in zip(a.get_weights(), b.get_weights()):
        np.testing.assert_allclose(u, v, rtol=1e-3, atol=1e-5)
_, history = run(two, 24, "mixed_float16")
assert np.isfinite(history["loss"]).all()
assert run(two, 25, checkpoint_dir=checkpoints, resume=True)[1] == theirs
print("passed")
"""


def _start(*arguments, **environment):
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": root, **environment},
    )


def _free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("localhost", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def test_two_hosts_train_what_one_trains():
    names = [f"localhost:{port}" for port in _free_ports(2)]
    tasks = [{"cluster": {"worker": names}, "task": {"type": "worker", "index": index}} for index in range(2)]
    processes = [_start(hosts.__file__, TF_CONFIG=json.dumps(task)) for task in tasks]
    try:
        wanted, results = hosts.train(tf.distribute.get_strategy()), []
        for process in processes:
            out, errors = process.communicate(timeout=100)
            assert process.returncode == 0, errors[-3000:]
            results.append(json.loads(out.splitlines()[-1]))
    finally:
        for process in processes:
            process.kill()
    for replicas, history in results:
        assert replicas == 2
        np.testing.assert_allclose(history["loss"], wanted["loss"], rtol=1e-4)
        np.testing.assert_allclose(history["val_accuracy"], wanted["val_accuracy"], atol=0.02)


def test_two_replicas_train_what_one_trains(tmp_path):
    process = _start("-c", SCRIPT, str(tmp_path))
    try:
        out, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0 and out.endswith("passed\n"), out + errors[-3000:]
