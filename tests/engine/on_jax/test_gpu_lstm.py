"""The LSTM of GPUs without one: its kernels, compiled for the CPU, and what is around them, against plain JAX."""

import ctypes
import functools
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from kerazoo.engine.jax import cuda, gpu_lstm, self_check  # noqa: E402
from kerazoo.engine.jax.lstm import _recur as plain  # noqa: E402

HERE = Path(__file__).parent
SOURCE = Path(cuda.__file__).with_name("lstm.cu")
CASES = [  # B, T, D, H, of which in registers
    (3, 5, 4, 8, 8),
    (2, 1, 3, 16, 16),
    (1, 4, 7, 24, 12),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A function: the kernels as a library of the CPU, for one shape."""
    if not shutil.which("g++"):
        pytest.skip("g++ is not there")
    folder = tmp_path_factory.mktemp("kernels")

    @functools.cache
    def build(batch, steps, units, kept, training):
        arguments = {name: [f"p{i}" for i in range(count)] for name, count in (("forward", 9), ("backward", 10))}
        calls = [
            f'extern "C" void run_{name}({", ".join("float* " + one for one in given)})'
            f"{{ launch(BATCH, THREADS, [=] {{ lstm_{name}({', '.join(given)}); }}); }}"
            for name, given in arguments.items()
        ]
        file = folder / f"{batch}_{steps}_{units}_{kept}_{training}.cpp"
        file.write_text("\n".join((f'#include "{HERE}/cuda_shim.h"', f'#include "{SOURCE}"', *calls)))
        constants = {"H": units, "STEPS": steps, "BATCH": batch, "TRAINING": int(training), "KEPT": kept}
        macros = [f"-D{name}={value}" for name, value in constants.items()]
        library = file.with_suffix(".so")
        subprocess.run(["g++", "-std=c++20", "-O1", "-w", "-shared", "-fPIC", "-pthread", *macros, file, "-o", library],
                       check=True)  # fmt: skip
        return ctypes.CDLL(str(library))

    return build


@pytest.fixture
def on_cpu(built, monkeypatch):
    """`gpu_lstm` with its kernels run on the CPU; a function to say how many weights a thread keeps."""
    kept = {}

    def call(name, shapes, steps, batch, units, training, *arrays):
        library = built(batch, steps, units, kept["kept"], training)
        function = getattr(library, name.replace("lstm_", "run_"))

        def run(*given):
            made = [np.full(shape, np.nan, "float32") for shape in shapes]
            given = [np.ascontiguousarray(one, "float32") for one in given]
            function(*(ctypes.c_void_p(one.ctypes.data) for one in (*given, *made)))
            return tuple(made)

        return jax.pure_callback(run, tuple(jax.ShapeDtypeStruct(shape, "float32") for shape in shapes), *arrays)

    monkeypatch.setattr(gpu_lstm, "_call", call)
    return lambda number: kept.update(kept=number)


def arguments(batch, steps, inputs, units, dtype="float32"):
    draw = np.random.default_rng(batch + steps).standard_normal
    shapes = (
        (steps, batch, inputs),
        (inputs, 4 * units),
        (units, 4 * units),
        (4 * units,),
        (batch, units),
        (batch, units),
    )
    return [jax.numpy.asarray(0.5 * draw(shape), dtype) for shape in shapes]


def total(recur, weights, *given):
    """One number that every output and state counts in."""
    return sum((made.astype("float32") * weight).sum() for made, weight in zip(recur(*given), weights, strict=True))


@pytest.mark.parametrize(("batch", "steps", "inputs", "units", "kept"), CASES)
def test_outputs_and_gradients_are_those_of_plain_jax(on_cpu, batch, steps, inputs, units, kept):
    on_cpu(kept)
    given = arguments(batch, steps, inputs, units)
    draw = np.random.default_rng(7).standard_normal
    weights = [draw(shape).astype("float32") for shape in ((steps, batch, units), (batch, units), (batch, units))]
    for got, wanted in zip(gpu_lstm.recur(*given), plain(*given), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
    one, other = (jax.grad(functools.partial(total, recur, weights), argnums=range(6))(*given)
                  for recur in (gpu_lstm.recur, plain))  # fmt: skip
    for got, wanted in zip(one, other, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=2e-6)


def test_bfloat16_keeps_its_sums_in_float32(on_cpu):
    on_cpu(8)
    given = arguments(3, 5, 4, 8)
    short = [one.astype("bfloat16") for one in given]
    wanted = plain(*(one.astype("float32") for one in short))
    for got, right in zip(gpu_lstm.recur(*short), wanted, strict=True):
        assert got.dtype == "bfloat16"
        np.testing.assert_allclose(got.astype("float32"), right, rtol=2e-2, atol=1e-2)


def test_without_a_gpu_the_kernel_is_not_taken(caplog):
    with caplog.at_level("INFO", logger="kerazoo.engine"):
        self_check.passes.cache_clear()
        assert not gpu_lstm.fits(128, 32, 100)
    assert "an LSTM takes cuDNN: " in caplog.text
    assert not gpu_lstm.fits(100, 32, 100) and not gpu_lstm.fits(256, 32, 100) and not gpu_lstm.fits(128, 4096, 100)
