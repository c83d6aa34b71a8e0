"""The LSTM in C against a float64 one in NumPy: results, and every gradient by finite differences of the latter."""

import threading

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.tensorflow
V = 9
NO_TOKENS = np.zeros((0, 0), "int32")
DIFFERENTIATED = ("inputs", "kernel", "recurrent", "bias", "h", "c")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def reference(inputs, kernel, recurrent, bias, h, c, backwards):
    """(B, T, D) to (B, T, H) and the last h and c, in the dtype given."""
    outputs = []
    for x in np.moveaxis(inputs[:, ::-1] if backwards else inputs, 1, 0):
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, 1), h, c


def make(rng, batch, steps, width, units, bias=True):
    """Float64 arguments of `reference` that float32 holds exactly."""
    shapes = (
        (batch, steps, width),
        (width, 4 * units),
        (units, 4 * units),
        (4 * units,),
        (batch, units),
        (batch, units),
    )
    arrays = [(rng.normal(size=shape) * 0.6).astype("float32").astype("float64") for shape in shapes]
    if not bias:
        arrays[3] = np.zeros(4 * units)
    return dict(zip(DIFFERENTIATED, arrays, strict=True))


def run(operations, a, *, backwards, bias, sequences=True, table=None, tokens=NO_TOKENS, weights=None):
    """Results and gradients by the kernels, of results weighed by `weights`."""
    f = {name: array.astype("float32") for name, array in a.items()}
    f["bias"] = f["bias"] if bias else f["bias"][:0]
    source = f["inputs"] if table is None else table
    read = [source, tokens, *(f[name] for name in DIFFERENTIATED[1:])]
    options = {"backwards": backwards, "sequences": sequences}
    *results, gates, cells, hidden, lookup = operations.kerazoo_lstm(*read, **options)
    kept = gates, cells, hidden, lookup
    *gradients, _ = operations.kerazoo_lstm_gradient(*read, *kept, *(w.astype("float32") for w in weights), **options)
    return results, dict(zip(DIFFERENTIATED, gradients, strict=True))


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batch=st.integers(1, 60),
    steps=st.integers(1, 6),
    width=st.integers(1, 40),
    units=st.integers(1, 40),
    backwards=st.booleans(),
    bias=st.booleans(),
    lookup=st.booleans(),
    sequences=st.booleans(),
    seed=st.integers(0, 99),
)
def test_results_and_gradients(operations, batch, steps, width, units, backwards, bias, lookup, sequences, seed):
    rng = np.random.default_rng(seed)
    a = make(rng, batch, steps, width, units, bias)
    source = {}
    if lookup:
        table = rng.normal(size=(V, width)).astype("float32")
        tokens = rng.integers(0, V, (batch, steps)).astype("int32")
        a["inputs"], source = table[tokens].astype("float64"), {"table": table, "tokens": tokens}
    expected = reference(**a, backwards=backwards)
    weights = [rng.normal(size=one.shape) for one in expected]
    weights[0] = weights[0] if sequences else weights[0] * 0
    results, gradients = run(
        operations, a, backwards=backwards, bias=bias, sequences=sequences, weights=weights, **source
    )
    for got, wanted in zip(results, expected, strict=True):
        if np.size(got):
            np.testing.assert_allclose(got, wanted, atol=5e-6)

    def loss(moved):
        return sum(float(np.sum(w * y)) for w, y in zip(weights, reference(**moved, backwards=backwards), strict=True))

    for name in DIFFERENTIATED if bias else set(DIFFERENTIATED) - {"bias"}:
        direction = rng.normal(size=a[name].shape)
        step = 1e-5 * direction
        difference = (loss(a | {name: a[name] + step}) - loss(a | {name: a[name] - step})) / 2e-5
        gradient = np.asarray(gradients[name], "float64")
        assert gradient.shape == direction.shape
        size = np.linalg.norm(gradient) * np.linalg.norm(direction)
        assert abs(np.sum(gradient * direction) - difference) <= 1e-5 * size + 1e-6, name


@pytest.mark.parametrize("token", [-1, V, 2**31 - 1])
def test_a_token_that_the_table_has_not_is_refused(operations, token):
    a = make(np.random.default_rng(0), 2, 3, 4, 5)
    tokens = np.array([[0, 1, 2], [3, token, 4]], "int32")
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"indices\[1,1\] = {token} is not in \[0, {V}\)"):
        operations.kerazoo_lstm(
            np.zeros((V, 4), "float32"),
            tokens,
            *(a[name].astype("float32") for name in DIFFERENTIATED[1:]),
            backwards=False,
            sequences=False,
        )


@pytest.mark.parametrize("name", ["kernel", "recurrent", "bias", "h", "c"])
def test_shapes_that_do_not_fit_are_refused(operations, name):
    a = make(np.random.default_rng(0), 2, 3, 4, 5)
    a[name] = a[name][:-1]
    with pytest.raises(tf.errors.InvalidArgumentError):
        run(operations, a, backwards=False, bias=True, weights=[np.zeros(1)] * 3)


def test_numbers_that_are_not_finite_stay_so(operations):
    a = make(np.random.default_rng(0), 3, 2, 4, 5)
    a["inputs"][1, 0, 0] = np.nan
    (outputs, h, _), _ = run(operations, a, backwards=False, bias=True, weights=reference(**a, backwards=False))
    assert np.isnan(outputs[1]).any() and np.isnan(h[1]).any()
    assert np.isfinite(outputs[0]).all() and np.isfinite(outputs[2]).all()


def test_two_threads_at_once(operations):
    """Each gets, bit by bit, what it gets alone, whoever has the pool."""
    models = [make(np.random.default_rng(seed), 40, 5, 16, 32) for seed in range(2)]
    weights = [reference(**a, backwards=False) for a in models]
    alone = [run(operations, a, backwards=False, bias=True, weights=w) for a, w in zip(models, weights, strict=True)]
    wrong = []

    def work(k):
        for _ in range(30):
            got = run(operations, models[k], backwards=False, bias=True, weights=weights[k])
            pairs = zip(tf.nest.flatten(got), tf.nest.flatten(alone[k]), strict=True)
            wrong.extend(k for one, other in pairs if not np.array_equal(one, other))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
