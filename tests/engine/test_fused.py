"""The fused updates against Keras's own, step by step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerazoo.engine import fused

SHAPES = [(30, 4), (7,)]
OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adam_other": lambda: keras.optimizers.Adam(0.01, beta_1=0.8, beta_2=0.9, epsilon=1e-3),
    "adam_schedule": lambda: keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
    "rmsprop": keras.optimizers.RMSprop,
    "rmsprop_schedule": lambda: keras.optimizers.RMSprop(keras.optimizers.schedules.CosineDecay(0.1, 20)),
    "sgd": lambda: keras.optimizers.SGD(0.1),
    "sgd_momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "sgd_nesterov": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "fallback_amsgrad": lambda: keras.optimizers.Adam(amsgrad=True),
    "fallback_clipnorm": lambda: keras.optimizers.Adam(0.1, clipnorm=0.1),
    "fallback_decay": lambda: keras.optimizers.AdamW(0.1),
    "fallback_ema": lambda: keras.optimizers.SGD(0.1, use_ema=True, ema_overwrite_frequency=3),
    "fallback_accumulation": lambda: keras.optimizers.SGD(0.1, gradient_accumulation_steps=2),
}


def _gradients(dtype, steps=12):
    rng = np.random.default_rng(1)
    for _ in range(steps):
        rows = rng.integers(0, SHAPES[0][0], 9)  # some rows twice
        yield rows, rng.normal(size=(9, 4)).astype(dtype), rng.normal(size=7).astype(dtype)


def _train(make, apply, dtype, jit=False):
    rng = np.random.default_rng(0)
    variables = [keras.Variable(rng.normal(size=shape), dtype=dtype) for shape in SHAPES]
    optimizer = make()
    optimizer.build(variables)

    @tf.function(jit_compile=jit)
    def step(rows, values, dense):
        apply(optimizer, [tf.IndexedSlices(values, rows, SHAPES[0]), dense], variables)

    if isinstance(optimizer, keras.optimizers.RMSprop) and apply is _keras:
        apply = _keras_dense  # Keras 3.15's RMSprop fails on IndexedSlices inside a function
    for gradients in _gradients(dtype):
        step(*map(tf.constant, gradients))
    return [v.numpy() for v in [*variables, *optimizer.variables]]


def _keras_dense(optimizer, grads, variables):
    optimizer.apply([tf.convert_to_tensor(g) for g in grads], variables)


def _keras(optimizer, grads, variables):
    optimizer.apply(grads, variables)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weights_and_state_equal_keras(name, dtype):
    ours = _train(OPTIMIZERS[name], fused.apply, dtype)
    theirs = _train(OPTIMIZERS[name], _keras, dtype)
    # The kernels take 1 - beta_2 of the float32 beta_2, 1.3e-5 off the 0.001 that Keras has in Python.
    tolerance = 1e-4 if dtype == "float32" else 1e-5
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance / 5)


@pytest.mark.parametrize("name", ["adam", "rmsprop", "sgd_momentum"])
def test_works_under_xla(name):
    ours = _train(OPTIMIZERS[name], fused.apply, "float32", jit=True)
    theirs = _train(OPTIMIZERS[name], _keras, "float32")
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


def test_constraint_is_kept():
    variable = keras.Variable(np.ones(3, "float32"))
    variable.constraint = keras.constraints.NonNeg()
    optimizer = keras.optimizers.SGD(1.0)
    optimizer.build([variable])
    fused.apply(optimizer, [tf.constant([5.0, 0.0, -1.0])], [variable])
    np.testing.assert_array_equal(variable.numpy(), [0, 1, 2])


def test_resumes_with_keras():
    """A step of each in turn is the same as steps of Keras alone: the state is one state."""
    calls = []

    def alternate(optimizer, grads, variables):
        (fused.apply if len(calls) % 2 else _keras)(optimizer, grads, variables)

    def run(apply):
        variable = keras.Variable(np.linspace(-1, 1, 5).astype("float32"))
        optimizer = keras.optimizers.Adam(0.1)
        optimizer.build([variable])
        for _ in range(6):
            apply(optimizer, [tf.convert_to_tensor(variable) * 2], [variable])
            calls.append(None)
        return variable.numpy()

    np.testing.assert_allclose(run(alternate), run(_keras), rtol=1e-4)
