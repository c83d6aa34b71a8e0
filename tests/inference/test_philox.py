"""Random numbers that are the same on every backend."""

import keras
import numpy as np
import pytest

from kerazoo.inference.compiling import compiled
from kerazoo.inference.philox import philox, uniform

SEEDS = [[0, 0], [5, 7], [-3, 100], [-(2**31), 2**31 - 1]]


def words(numbers):
    return [keras.ops.convert_to_tensor(np.uint32(number), "uint32") for number in numbers]


@pytest.mark.parametrize(
    ("number", "wanted"),  # the test vectors that its authors published
    [(0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"), (0xFFFFFFFF, "408f276d 41c83b0e a20bc7c6 6d5451fd")],
)
def test_the_words_are_those_of_the_algorithm(number, wanted):
    found = philox(words([number] * 4), words([number] * 2))
    assert " ".join(f"{int(word):08x}" for word in found) == wanted


@pytest.mark.parametrize("form", [keras.ops.convert_to_tensor, np.asarray], ids=["tensor", "array"])
def test_the_numbers_are_these_on_every_backend_and_in_numpy(form):
    found = keras.ops.convert_to_numpy(uniform(3, form(np.array(SEEDS[1:3], np.int32))))
    wanted = [
        [0.41820383071899414, 0.8283745050430298, 0.007139444351196289],
        [0.7211278676986694, 0.8303260803222656, 0.5807508230209351],
    ]
    assert found.tolist() == wanted


@pytest.mark.tensorflow
@pytest.mark.parametrize("count", [1, 3, 4, 13])
def test_the_numbers_are_tensorflows_under_xla(count):
    tf = pytest.importorskip("tensorflow")
    draw = tf.function(lambda seed: tf.random.stateless_uniform((count,), seed, alg="philox"), jit_compile=True)
    own = compiled(lambda seed: uniform(count, seed))
    together = uniform(count, np.array(SEEDS, np.int32))
    for seed, row in zip(SEEDS, together, strict=True):
        assert np.array_equal(row, draw(tf.constant(seed)).numpy())
        assert np.array_equal(row, own(tf.constant(seed)).numpy())
