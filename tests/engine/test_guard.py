"""Training that diverges stops at once, on the compiled loop and on Keras's own."""

import keras
import numpy as np
import pytest

import kerazoo
from kerazoo.engine import checkpoint

L = keras.layers
X = np.random.default_rng(0).normal(size=(200, 6)).astype("float32")
Y = X[:, :1] * 2


def model(rate=0.01, **options):
    keras.utils.set_random_seed(0)
    net = keras.Sequential([keras.Input((6,)), L.Dense(4, "relu"), L.Dense(1)])
    net.compile(keras.optimizers.SGD(rate), "mse", **options)
    return net


@pytest.mark.parametrize("options", [{}, {"run_eagerly": True}], ids=["compiled", "keras"])
def test_a_loss_that_is_not_finite_stops_with_epoch_and_step(options):
    with pytest.raises(kerazoo.NotFiniteError, match=r"epoch 1, at .*step.* \d+; .*learning rate") as e:
        kerazoo.fit(model(1e30, **options), X, Y, epochs=3, steps_per_call=2, verbose=0)
    assert "\n" not in str(e.value)


def test_a_target_that_is_not_finite_is_found_too():
    y = Y.copy()
    y[70] = np.nan
    with pytest.raises(kerazoo.NotFiniteError, match="epoch 1, at step 3"):
        kerazoo.fit(model(), X, y, shuffle=False, steps_per_call=1, verbose=0)


def test_the_last_finite_checkpoint_stays(tmp_path):
    class Explode(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                self.model.optimizer.learning_rate = 1e30

    with pytest.raises(kerazoo.NotFiniteError, match="epoch 3"):
        kerazoo.fit(model(), X, Y, epochs=5, callbacks=[Explode()], checkpoint_dir=tmp_path, verbose=0)
    meta, arrays = checkpoint.latest(tmp_path)
    assert meta["epoch"] == 2
    assert all(np.isfinite(array).all() for array in arrays.values() if array.dtype.kind == "f")


def test_a_last_step_that_poisons_the_weights_is_found_at_the_end():
    net = model(1e30)
    with pytest.raises(kerazoo.NotFiniteError, match=r"weights '.*' are not finite after epoch 1"):
        kerazoo.fit(net, X[:32], np.full((32, 1), 1e15, "float32"), verbose=0)


def test_terminate_on_nan_keeps_keras_s_way(tmp_path):
    options = {"callbacks": [keras.callbacks.TerminateOnNaN()], "checkpoint_dir": tmp_path, "verbose": 0}
    assert len(kerazoo.fit(model(1e30), X, Y, epochs=3, **options).history["loss"]) == 1
    assert list(tmp_path.iterdir()) == []
