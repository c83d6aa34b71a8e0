"""Two logical CPU devices under MirroredStrategy train what one device trains. Each strategy needs its own process."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import keras, numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from kerazoo.engine import fitting as engine

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
    (a, ours), (b, theirs) = run(one, batch), run(two, batch)
    for name in "loss", "val_loss":
        close = 1e-5 if name == "loss" and batch == 24 else 1e-3
        np.testing.assert_allclose(ours[name], theirs[name], rtol=close, err_msg=name)
    print(batch, ours, theirs)
    for u, v in zip(a.get_weights(), b.get_weights()):
        np.testing.assert_allclose(u, v, rtol=1e-3, atol=1e-5)
_, history = run(two, 24, "mixed_float16")
assert np.isfinite(history["loss"]).all()
import tempfile
with tempfile.TemporaryDirectory() as directory:
    run(two, 24, checkpoint_dir=directory)
    assert run(two, 24, checkpoint_dir=directory, resume=True)[1] == run(two, 24)[1]
print("passed")
"""


def test_two_replicas_train_what_one_trains():
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONPATH": root},
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert done.stdout.strip().endswith("passed")
