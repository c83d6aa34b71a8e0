"""Several devices through `keras.distribution`: the same weights as on one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

# Arguments: number of devices, path for the weights, directory for checkpoints. One device has no distribution.
SCRIPT = """
import sys
import jax, keras, numpy as np, kerazoo
count, path, checkpoints = int(sys.argv[1]), sys.argv[2], sys.argv[3]
assert jax.device_count() == max(count, 1)
keras.utils.set_random_seed(1)
if count > 1:
    keras.distribution.set_distribution(keras.distribution.DataParallel())
L = keras.layers
model = keras.Sequential([keras.Input((6,)), L.Dense(8, "relu"), L.BatchNormalization(), L.Dense(3, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
x = np.random.default_rng(0).normal(size=(106, 6)).astype("float32")
y = np.random.default_rng(1).integers(0, 3, 106)
options = dict(batch_size=16, seed=3, validation_data=(x, y), verbose=2, checkpoint_dir=checkpoints)
kerazoo.fit(model, x, y, epochs=2, **options)
log = kerazoo.fit(model, x, y, epochs=3, resume=True, **options).history
np.savez(path, *model.get_weights(), loss=log["loss"], val_loss=log["val_loss"])
assert all(len(v.value.sharding.device_set) == count for v in model.variables) or count == 1
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a function: what training on so many simulated devices gave."""
    results = {}

    def on(count):
        if count not in results:
            folder = tmp_path_factory.mktemp(f"devices{count}")
            flags = f"--xla_force_host_platform_device_count={count}"
            done = subprocess.run(
                [sys.executable, "-c", SCRIPT, str(count), str(folder / "w.npz"), str(folder / "checkpoints")],
                env={**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
                cwd=Path(__file__).parents[3],
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr[-2000:]
            assert ("devices" in done.stdout) == (count > 1)
            results[count] = dict(np.load(folder / "w.npz"))
        return results[count]

    return on


@pytest.mark.parametrize("count", [2, 4])
def test_several_devices_train_what_one_trains(trained, count):
    one, several = trained(1), trained(count)
    assert one.keys() == several.keys()
    for name in one:
        np.testing.assert_allclose(several[name], one[name], rtol=1e-4, atol=1e-5, err_msg=name)
