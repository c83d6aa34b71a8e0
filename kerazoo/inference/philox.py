"""Random numbers by Philox4x32-10 (Salmon et al. 2011): the same on every backend, and those of TensorFlow under XLA.

A block of four 32-bit words is a function of a counter and a key alone, so that any number can be had by itself.
"""

from __future__ import annotations

from typing import Any

from kerazoo.inference.array_ops import ops_of
from kerazoo.lazy import np

_ROUNDS = 10
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)  # of the words 0 and 2
_STEPS = (0x9E3779B9, 0xBB67AE85)  # of the key, from round to round
_SEED_KEY = (0x3EC8F720, 0x02461E29)  # with which TensorFlow makes key and counter of a seed


def uniform(count: int, seed: Any) -> Any:
    """Return (..., count) float32 from 0 to below 1; the first of them are the same however many there are.

    They are what `tf.random.stateless_uniform((count,), seed, alg="philox")` gives when XLA compiles it.

    Args:
        count: how many for each seed.
        seed: (..., 2) int32, an array of NumPy's or a tensor.
    """
    ops = ops_of(seed)
    seed = ops.convert_to_tensor(seed, "int32")
    low = ops.cast(seed, "uint32")
    high = ops.cast(ops.right_shift(seed, 31), "uint32")  # TensorFlow extends a seed to 64 bits, with its sign
    zero = ops.zeros((), "uint32")
    of_seed = [one[..., place, None] for place in (0, 1) for one in (low, high)]  # (..., 1) each
    key0, key1, counter2, counter3 = philox(of_seed, [_word(ops, one) for one in _SEED_KEY])
    blocks = ops.convert_to_tensor(np.arange(-(-count // 4), dtype=np.uint32))  # XLA has no range of uint32
    words = philox((blocks, zero, counter2, counter3), (key0, key1))
    bits = ops.reshape(ops.stack(words, axis=-1), (*seed.shape[:-1], -1))[..., :count]
    return ops.cast(ops.right_shift(bits, _word(ops, 9)), "float32") * np.float32(2**-23)


def philox(counter: Any, key: Any) -> tuple[Any, Any, Any, Any]:
    """Return the four words, uint32, of each `counter`, four of uint32 tensors or arrays, under the `key` of two."""
    ops = ops_of(key[0])
    a, b, c, d = counter
    first, second = key
    for number in range(_ROUNDS):
        if number:
            first, second = first + _word(ops, _STEPS[0]), second + _word(ops, _STEPS[1])  # modulo 2 ** 32
        (high0, low0), (high2, low2) = _product(ops, a, _MULTIPLIERS[0]), _product(ops, c, _MULTIPLIERS[1])
        a, b = ops.bitwise_xor(ops.bitwise_xor(high2, b), first), low2
        c, d = ops.bitwise_xor(ops.bitwise_xor(high0, d), second), low0
    return a, b, c, d


def _product(ops: Any, x: Any, factor: int) -> tuple[Any, Any]:
    """Return the high and the low 32 bits of a product; in tensors by halves, since JAX has no 64 bits at first."""
    if isinstance(x, (np.ndarray, np.generic)):
        wide = x.astype(np.uint64) * np.uint64(factor)
        return (wide >> np.uint64(32)).astype(np.uint32), wide.astype(np.uint32)
    half, mask = _word(ops, 16), _word(ops, 0xFFFF)
    high, low = _word(ops, factor >> 16), _word(ops, factor & 0xFFFF)
    x_high, x_low = ops.right_shift(x, half), ops.bitwise_and(x, mask)
    middle = x_high * low + ops.right_shift(x_low * low, half)
    other = x_low * high + ops.bitwise_and(middle, mask)
    return x_high * high + ops.right_shift(middle, half) + ops.right_shift(other, half), x * _word(ops, factor)


def _word(ops: Any, number: int) -> Any:
    return ops.convert_to_tensor(np.array(number, np.uint32), "uint32")
