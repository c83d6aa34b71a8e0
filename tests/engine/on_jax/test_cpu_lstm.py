"""The LSTM in C as JAX calls it, against plain JAX; skipped where the C library is not built."""

import functools

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from kerazoo import kernels  # noqa: E402
from kerazoo.engine.jax import cpu_lstm  # noqa: E402
from kerazoo.engine.jax.lstm import _recur as plain  # noqa: E402


@pytest.fixture(autouse=True)
def built():
    try:
        kernels.functions()
    except LookupError as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize(
    ("batch", "steps", "inputs", "units"), [(1, 1, 1, 1), (3, 5, 4, 7), (33, 4, 40, 32), (9, 20, 16, 33)]
)
def test_outputs_and_gradients_are_those_of_plain_jax(batch, steps, inputs, units):
    assert cpu_lstm.works()
    draw = np.random.default_rng(batch).standard_normal
    weights = (inputs, 4 * units), (units, 4 * units), (4 * units,)
    shapes = (steps, batch, inputs), *weights, (batch, units), (batch, units)
    given = [jax.numpy.asarray(0.5 * draw(shape), "float32") for shape in shapes]
    scales = [draw(shape).astype("float32") for shape in ((steps, batch, units), (batch, units), (batch, units))]

    def total(recur, *given):
        return sum((made * scale).sum() for made, scale in zip(recur(*given), scales, strict=True))

    for got, wanted in zip(cpu_lstm.recur(*given), plain(*given), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=2e-6)
    one, other = (
        jax.jit(jax.grad(functools.partial(total, recur), argnums=range(6)))(*given)
        for recur in (cpu_lstm.recur, plain)
    )
    for got, wanted in zip(one, other, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_turned_off_it_is_not_used(monkeypatch):
    monkeypatch.setenv("KERAZOO_KERNELS", "0")
    assert not cpu_lstm.works()
    with pytest.raises(LookupError, match="KERAZOO_KERNELS=0 turns them off"):
        kernels.functions()
    monkeypatch.delenv("KERAZOO_KERNELS")
    assert cpu_lstm.works()
