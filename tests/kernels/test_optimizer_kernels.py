"""The optimizers in C against Keras's: each step, and fifty steps of every model."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerazoo
from kerazoo import kernels
from kerazoo.engine.tensorflow import layer_swap
from kerazoo.engine.tensorflow.jit import use_xla

pytestmark = pytest.mark.tensorflow
OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adam_of_other_numbers": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(0.01, 2, 0.5), beta_1=0.5, beta_2=0.7, epsilon=1e-3
    ),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "amsgrad": lambda: keras.optimizers.Adam(amsgrad=True),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01),
    "rmsprop_momentum": lambda: keras.optimizers.RMSprop(0.01, rho=0.8, momentum=0.9),
    "centered": lambda: keras.optimizers.RMSprop(centered=True),
    "sgd": lambda: keras.optimizers.SGD(0.1, clipnorm=0.5),
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9, use_ema=True),
    "nesterov": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True, global_clipnorm=0.5),
    "accumulating": lambda: keras.optimizers.Adam(gradient_accumulation_steps=2),
}
SHAPES = (), (3,), (50, 37), (5, 3, 2), (1000,)


class Holder(keras.Model):
    """A model that is nothing but variables and an optimizer."""

    def __init__(self, optimizer):
        super().__init__()
        rng = np.random.default_rng(0)
        self.values = [self.add_weight(shape=shape, name=f"v{k}") for k, shape in enumerate(SHAPES)]
        for value in self.values:
            value.assign(rng.normal(size=value.shape))
        self.optimizer = optimizer


def steps(optimizer, context):
    """All values and states after four steps, the third variable's gradient by rows, some of them repeated."""
    model = Holder(optimizer)
    model.optimizer.build(model.values)

    @tf.function
    def step(gradients, rows):
        with context(model):
            slices = tf.IndexedSlices(gradients[2][: len(rows)], rows, tf.constant(SHAPES[2]))
            model.optimizer.apply([*gradients[:2], slices, *gradients[3:]], model.values)

    rng = np.random.default_rng(1)
    for _ in range(4):
        gradients = [tf.constant(rng.normal(size=shape), tf.float32) for shape in SHAPES]
        step(gradients, tf.constant(rng.integers(0, 50, 30)))
    return [np.asarray(one.value) for one in [*model.values, *model.optimizer.variables]]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_are_those_of_keras(operations, name):
    ours = steps(OPTIMIZERS[name](), layer_swap.accelerated)
    theirs = steps(OPTIMIZERS[name](), lambda model: contextlib.nullcontext())
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


def test_a_row_that_the_variable_has_not_is_refused(operations):
    one = np.ones((4, 2), "float32")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"indices\[1\] = 4 is not in \[0, 4\)"):
        operations.kerazoo_adam_sparse(0.1, 0.1, 0.1, 0.1, [one], [one, one], [one[:2]], [0, 4])
    with pytest.raises(tf.errors.InvalidArgumentError, match="fit"):
        operations.kerazoo_adam(0.1, 0.1, 0.1, 0.1, [one], [one, one[:2]], [one])


@pytest.mark.parametrize("name", ["adam", "rm_sprop", "sgd"])
def test_a_large_variable_is_updated_like_its_parts(operations, name):
    """Results of 2**20 values and more go past the cache."""
    numbers, kept = {"adam": ([0.1, 0.1, 0.01, 1e-7], 2), "rm_sprop": ([0.1, 0.9, 0.1, 0.0, 1e-7], 1),
                     "sgd": ([0.1, 0.9, 0.0], 1)}[name]  # fmt: skip
    draw = np.random.default_rng(0).random
    value, gradient, *states = (draw(2**20 + 32, "float32") for _ in range(2 + kept))
    update = getattr(operations, f"kerazoo_{name}")

    def results(part):
        values, new = update(*numbers, [value[part]], [state[part] for state in states], [gradient[part]])
        return [np.asarray(one) for one in (*values, *new)]

    parts = zip(results(slice(2**19)), results(slice(2**19, None)), strict=True)
    for whole, halves in zip(results(slice(None)), parts, strict=True):
        np.testing.assert_array_equal(whole, np.concatenate(halves))


@pytest.mark.parametrize(("rows", "xla"), [(2**16, False), (2**10, True)])
def test_a_large_embedding_takes_the_graph_where_the_kernels_are(rows, xla, monkeypatch):
    if reason := kernels.why_not():
        pytest.skip(reason)
    model = keras.Sequential([keras.Input((5,), dtype="int32"), keras.layers.Embedding(rows, 16)])
    model.compile("adam", "mse")
    data = tf.zeros((4, 5), tf.int32), tf.zeros((4, 5, 16))
    assert use_xla(model, data, model.distribute_strategy) is xla
    monkeypatch.setenv("KERAZOO_KERNELS", "0")
    assert use_xla(model, data, model.distribute_strategy)


@pytest.mark.parametrize("name", kerazoo.list_models())
def test_fifty_steps_of_every_model(name, small_data, monkeypatch):
    """In a graph, where the kernels are: XLA has arithmetic of its own."""
    if reason := kernels.why_not():
        pytest.skip(reason)
    data, losses = small_data(name, train=400), []
    options = {"dropout": 0.0, "vocab_size": int(np.max(data.x_train)) + 1}
    options = {option: options[option] for option in options if option in kerazoo.spec(name).defaults}
    for plain in "0", "1":
        monkeypatch.setenv("KERAZOO_PLAIN", plain)
        keras.utils.set_random_seed(1)
        model = kerazoo.build(name, **options)
        run = kerazoo.fit(model, data.x_train, data.y_train, batch_size=8, shuffle=False, verbose=0, jit=False)
        losses.append(run.history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-6)
