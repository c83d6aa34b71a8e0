"""The fast LSTM against Keras's: results, gradients, saved files, and when it steps aside."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerazoo.engine.tensorflow import layer_swap, recurrence
from kerazoo.engine.tensorflow import lstm as fast

RNG = np.random.default_rng(0)
VARIANTS = {
    "last": {},
    "sequences": {"return_sequences": True},
    "state": {"return_state": True},
    "sequences_state": {"return_sequences": True, "return_state": True},
    "backwards": {"go_backwards": True, "return_sequences": True},
    "no_bias": {"use_bias": False},
    "float64": {"dtype": "float64", "return_sequences": True, "return_state": True},
}


def _pair(units=5, shape=(None, 12, 3), **options):
    """A Keras layer and a fast one with the same random weights, biases too."""
    layers = keras.layers.LSTM(units, **options), fast.LSTM(units, **options)
    for layer in layers:
        layer.build(shape)
    weights = [RNG.normal(size=w.shape) * 0.5 for w in layers[0].get_weights()]
    for layer in layers:
        layer.set_weights(weights)
    return layers


def _run(layer, x, state=None, spec=None, training=True):
    """Outputs and the gradients of a sum that weighs each output differently."""
    weights = [w.value for w in layer.trainable_variables]

    @tf.function(input_signature=spec and [spec])
    def run(x):
        with tf.GradientTape() as tape:
            inputs = [x, *(state or [])]
            tape.watch(inputs)
            outputs = tf.nest.flatten(layer(x, initial_state=inputs[1:] or None, training=training))
            # A weight for each position, so that no two gradients may be swapped unnoticed.
            loss = tf.add_n(
                [tf.reduce_sum(tf.sin(tf.cast(tf.range(tf.size(o)), o.dtype)) * tf.reshape(o, [-1])) for o in outputs]
            )
        return outputs, tape.gradient(loss, inputs + weights)

    return run(x)


def _assert_same(a, b, tolerance):
    for one, other in zip(tf.nest.flatten(a), tf.nest.flatten(b), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@functools.cache
def _of_keras(variant, batch, known):
    """A fast layer, inputs, their signature, and what Keras's layer makes of them: for both fast paths."""
    slow, quick = _pair(**VARIANTS[variant])
    x = tf.constant(RNG.normal(size=(batch, 12, 3)), slow.compute_dtype)
    spec = tf.TensorSpec((batch if known else None, 12, 3), slow.compute_dtype)
    return quick, x, spec, _run(slow, x, spec=spec)


@pytest.mark.parametrize(
    ("variant", "batch", "known", "training"),
    [
        ("last", 1, True, True),
        ("last", 4, True, False),  # the compiled loop
        *((variant, 5, False, True) for variant in VARIANTS),
        ("sequences_state", 4, True, False),
    ],
)
def test_same_outputs_and_gradients(variant, batch, known, training, fast_path):
    quick, x, spec, wanted = _of_keras(variant, batch, known)
    tolerance = 1e-10 if x.dtype == "float64" else 2e-5
    _assert_same(_run(quick, x, spec=spec, training=training), wanted, tolerance)
    assert fast_path


@functools.cache
def _of_keras_from_a_state(dtype):
    """A fast layer, inputs, an initial state, and what Keras's layer makes of them."""
    slow, quick = _pair(dtype=dtype, return_sequences=True, return_state=True)
    x = tf.constant(RNG.normal(size=(3, 12, 3)), dtype)
    state = [tf.constant(RNG.normal(size=(3, 5)), dtype) for _ in range(2)]
    return quick, x, state, _run(slow, x, state)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_initial_state_and_its_gradient(dtype, fast_path):
    quick, x, state, wanted = _of_keras_from_a_state(dtype)
    _assert_same(_run(quick, x, state), wanted, 1e-10 if dtype == "float64" else 2e-5)
    assert fast_path


def test_gradient_against_autodiff_and_differences_in_float64():
    """The hand-written gradient equals both autodiff of the same steps and central differences."""
    projected, recurrent = (tf.constant(RNG.normal(size=s)) for s in ((7 * 2, 8), (2, 8)))
    h, c = (tf.constant(RNG.normal(size=(2, 2))) for _ in range(2))

    def ours(projected, recurrent, h, c):
        outputs, last_h, last_c = recurrence.recur(projected, None, recurrent, h, c, steps=7, return_sequences=True)
        return tf.reduce_sum(tf.sin(outputs)) + tf.reduce_sum(last_h * last_c)

    def plain(projected, recurrent, h, c):
        outputs = []
        for z in tf.split(projected, 7):
            i, g, f, o = tf.split(z + h @ recurrent, 4, axis=1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            h = tf.sigmoid(o) * tf.tanh(c)
            outputs.append(h)
        return tf.reduce_sum(tf.sin(tf.stack(outputs))) + tf.reduce_sum(h * c)

    inputs = [projected, recurrent, h, c]
    grads = []
    for function in (ours, plain):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = function(*inputs)
        grads.append(tape.gradient(value, inputs))
    _assert_same(*grads, 1e-12)
    analytic, numeric = tf.test.compute_gradient(tf.function(ours), inputs)
    _assert_same(analytic, numeric, 1e-6)


def _model(embedding, lstm, **options):
    keras.backend.clear_session()
    keras.utils.set_random_seed(3)
    layers = [keras.Input((9,), dtype="int32"), embedding(50, 4), lstm(6, **options)]
    return keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid")])


def _run_model(model, tokens, training):
    """Outputs and the gradients of the sum of their squares."""

    @tf.function
    def run(tokens):
        with tf.GradientTape() as tape:
            y = model(tokens, training=training)
            loss = tf.reduce_sum(y * y)
        return y, [tf.convert_to_tensor(g) for g in tape.gradient(loss, [v.value for v in model.trainable_variables])]

    return run(tokens)


@functools.cache
def _embedded_by_keras(batch, training, **options):
    """Tokens, and what Keras's layers make of them."""
    tokens = tf.constant(RNG.integers(0, 50, (batch, 9)), "int32")
    return tokens, _run_model(_model(keras.layers.Embedding, keras.layers.LSTM, **options), tokens, training)


@pytest.mark.parametrize(
    ("options", "training", "batch"),
    [
        ({}, True, 1),
        ({}, False, 200),  # more positions than distinct tokens are padded to
        ({"go_backwards": True}, True, 8),
        ({"go_backwards": True}, False, 200),
        ({"use_bias": False}, True, 8),
    ],
)
def test_embedding_in_front_is_fused(options, training, batch, fast_path):
    tokens, wanted = _embedded_by_keras(batch, training, **options)
    quick = _model(fast.Embedding, fast.LSTM, **options)
    _assert_same(_run_model(quick, tokens, training), wanted, 2e-6)
    assert fast_path


def test_table_of_the_whole_vocabulary(fast_path):
    model = _model(keras.layers.Embedding, keras.layers.LSTM)
    tokens = tf.constant(RNG.integers(-50, 50, (8, 9)), "int32")  # negative ones count from the end, as in Keras
    expected = model(tokens, training=False)

    @tf.function
    def run(tokens):
        with layer_swap.tabulated(model):
            assert model.layers[1]._table[1].shape == (50, 24)
            return model(tokens, training=False)

    np.testing.assert_allclose(run(tokens), expected, atol=1e-6)
    assert fast_path
    assert type(model.layers[1]) is keras.layers.LSTM
    assert "_table" not in vars(model.layers[1])
    with pytest.raises(tf.errors.InvalidArgumentError):
        run(tokens + 50)


@pytest.mark.parametrize(
    "options, call",
    [
        ({"activation": "relu"}, {}),
        ({"recurrent_activation": "hard_sigmoid"}, {}),
        ({"unroll": True}, {}),
        ({"dropout": 0.5, "seed": 1}, {"training": True}),
        ({"recurrent_dropout": 0.5, "seed": 1}, {"training": True}),
        ({"dtype": "mixed_float16"}, {}),
        ({"dtype": "bfloat16", "recurrent_initializer": "zeros"}, {}),
        ({}, {"mask": np.arange(4)[None] < np.array([[3], [4]])}),
    ],
)
def test_leaves_the_rest_to_keras(options, call, fast_path):
    slow, quick = _pair(**options)
    x = tf.constant(RNG.normal(size=(2, 4, 3)), slow.compute_dtype)
    np.testing.assert_array_equal(quick(x, **call), slow(x, **call))
    assert not fast_path


def test_stateful_is_left_to_keras(fast_path):
    slow, quick = _pair(shape=(2, 4, 3), stateful=True)
    x = tf.constant(RNG.normal(size=(2, 4, 3)), tf.float32)
    for _ in range(2):
        np.testing.assert_array_equal(quick(x), slow(x))
    assert not fast_path


def test_unknown_or_long_time_is_left_to_keras(fast_path):
    slow, quick = _pair(shape=(None, None, 3))
    run = tf.function(quick, input_signature=[tf.TensorSpec((None, None, 3))])
    x = tf.constant(RNG.normal(size=(2, 4, 3)), tf.float32)
    np.testing.assert_allclose(run(x), slow(x), atol=1e-6)
    quick(tf.zeros((1, fast.MAX_STEPS + 1, 3)))
    assert not fast_path


def test_inside_xla_is_left_to_keras(fast_path):
    slow, quick = _pair()
    x = tf.constant(RNG.normal(size=(2, 4, 3)), tf.float32)
    np.testing.assert_allclose(tf.function(quick, jit_compile=True)(x), slow(x), atol=1e-5)
    assert not fast_path


def test_gpu_is_left_to_keras(monkeypatch, fast_path):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: ["one"] if kind == "GPU" else [])
    assert not fast.LSTM(3)._can_be_fast(tf.zeros((1, 2, 3)), None, False)


def test_accelerated_switches_within_the_context_only(fast_path):
    model = _model(keras.layers.Embedding, keras.layers.LSTM)
    tokens = RNG.integers(0, 50, (4, 9))
    before, config = model(tokens).numpy(), model.get_config()
    with pytest.raises(KeyError), layer_swap.accelerated(model), layer_swap.accelerated(model):
        assert [type(layer) for layer in model.layers[:2]] == [fast.Embedding, fast.LSTM]
        np.testing.assert_allclose(model(tokens), before, atol=1e-6)
        raise KeyError
    assert fast_path
    assert [type(layer) for layer in model.layers[:2]] == [keras.layers.Embedding, keras.layers.LSTM]
    assert model.get_config() == config


def test_own_subclasses_are_left_alone(fast_path):
    class Own(keras.layers.LSTM):
        pass

    model = _model(keras.layers.Embedding, Own)
    with layer_swap.accelerated(model):
        assert type(model.layers[1]) is Own


def test_bidirectional(fast_path):
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.Bidirectional(keras.layers.LSTM(3))])
    x = tf.constant(RNG.normal(size=(2, 4, 3)), tf.float32)
    before = model(x)
    with layer_swap.accelerated(model):
        np.testing.assert_allclose(model(x), before, atol=1e-6)
    assert len(fast_path) == 2


def test_second_derivative_is_refused_not_wrong():
    _, quick = _pair()
    x = tf.constant(RNG.normal(size=(2, 4, 3)), tf.float32)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.reduce_sum(quick(x))
        first = inner.gradient(y, x)
    with pytest.raises(LookupError):
        outer.gradient(first, x)
