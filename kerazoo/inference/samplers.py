"""From logits to the next token: temperature, then top-k, then top-p, then a draw.

Each is a pure function of (B, V) float32 logits (log-probabilities do as well), an array of NumPy's or a tensor, that
every backend compiles, with numbers or scalar tensors as settings; a token that is filtered out has a logit of minus
infinity. The filters mean what
they mean elsewhere: top-k after Fan et al. (2018), top-p ("nucleus") after Holtzman et al. (2020).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from kerazoo.errors import InputError
from kerazoo.inference.array_ops import ops_of
from kerazoo.lazy import np
from kerazoo.options import whole_number

_COLDEST = 1e-37  # below it a float32 has no reciprocal: the draw is the most likely token anyway


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn; checked when made.

    `temperature` 0 always takes the most likely token; `top_k` and `top_p` of None leave all tokens.

    Raises:
        InputError: a value cannot be used.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        if not (_is_real(self.temperature) and self.temperature >= 0):
            wanted = "wanted a number of at least 0 that float32 holds; 0 always takes the most likely token"
            raise InputError(f"temperature={self.temperature!r}: {wanted}")
        if self.top_k is not None:
            whole_number("top_k", self.top_k)
        if self.top_p is not None and not (_is_real(self.top_p) and 0 < self.top_p <= 1):
            raise InputError(f"top_p={self.top_p!r}: wanted a probability above 0 and up to 1, e.g. 0.9")

    @property
    def greedy(self) -> bool:
        """Whether nothing is left to chance."""
        return self.temperature < _COLDEST or self.top_k == 1

    @property
    def filters(self) -> Filters:
        """What the compiled form of the draw depends on: not each value."""
        if self.greedy:
            return Filters(greedy=True)
        most = None if self.top_k is None else 1 << (int(self.top_k) - 1).bit_length()
        return Filters(most=most, top_p=self.top_p is not None and self.top_p < 1)


class Filters(NamedTuple):
    """Which steps a draw has; `most` is `top_k` rounded up to a power of two, None for no such filter."""

    greedy: bool = False
    most: int | None = None
    top_p: bool = False


def _is_real(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool) and _finite(value)


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value) and value < float(np.finfo(np.float32).max)
    except OverflowError:  # a whole number that no float holds
        return False


def greedy(logits: Any) -> Any:
    """Return the most likely tokens, (B,) int32; of equal ones the first."""
    return ops_of(logits).argmax(logits, axis=-1)


def with_temperature(logits: Any, temperature: Any) -> Any:
    """Return the (B, V) logits of the distribution made sharper (below 1) or flatter (above 1)."""
    # The greatest becomes 0, so that no temperature makes infinities of all.
    return (logits - ops_of(logits).max(logits, axis=-1, keepdims=True)) / temperature


def top_k(logits: Any, k: Any, most: int | None = None) -> Any:
    """Return the (B, V) logits of the `k` most likely tokens alone; of equal ones the first.

    (Hugging Face's filter keeps all that equal the k-th, and so may keep more.)

    Args:
        logits: (B, V) float32.
        k: how many, from 1; a tensor does not compile anew for each number.
        most: a Python number that `k` will not exceed; the less it is, the less is sorted.
    """
    values, tokens = _ranked(logits, most)
    return _first(logits, ops_of(logits).full(logits.shape[:1], k, "int32"), values, tokens)


def top_p(logits: Any, p: Any, most: int | None = None) -> Any:
    """Return the (B, V) logits of the smallest set of tokens whose probability is at least `p`: never none.

    Args:
        logits: (B, V) float32.
        p: a probability above 0 and up to 1.
        most: how many tokens a filter before this one has left, at most; the less, the less is sorted.
    """
    ops = ops_of(logits)
    values, tokens = _ranked(logits, most)
    reached = ops.cumsum(ops.softmax(values), axis=-1)
    before = ops.pad(reached[:, :-1], ((0, 0), (1, 0)))  # (B, V): what the more likely ones have together
    count = ops.sum(ops.cast(before < p, "int32"), axis=-1)
    return ops.where(ops.convert_to_tensor(p, "float32") < 1, _first(logits, count, values, tokens), logits)


def draw(logits: Any, shares: Any) -> Any:
    """Draw (B,) int32 tokens, each row by itself, from softmax(logits), by inversion of the cumulative distribution.

    Args:
        logits: (B, V) float32; at least one of a row is finite.
        shares: (B,) float32, a random number from 0 to below 1 for each row, as `philox.uniform` gives.
    """
    # One number a row: noise for each of V tokens (Gumbel-max) takes longer than all the rest of a step.
    ops = ops_of(logits)
    weights = ops.exp(logits - ops.max(logits, axis=-1, keepdims=True))
    # The sums may be formed in any order and so may rise, by rounding, at a token of weight 0: that one never counts.
    reached = ops.where(weights > 0, ops.cumsum(weights, axis=-1), 0.0)  # (B, V)
    return greedy(ops.cast(reached > shares[:, None] * ops.max(reached, axis=-1, keepdims=True), "int8"))


def sample(
    logits: Any, shares: Any, temperature: Any = 1.0, k: Any = None, p: Any = None, most: int | None = None
) -> Any:
    """Draw (B,) int32 tokens from (B, V) logits by temperature, top-k and top-p, in that order; None is no filter.

    `shares` are those of `draw`, `most` that of `top_k`.
    """
    logits = with_temperature(logits, temperature)
    logits = logits if k is None else top_k(logits, k, most)
    logits = logits if p is None else top_p(logits, p, most if k is not None else None)
    return draw(logits, shares)


def _ranked(logits: Any, most: int | None) -> tuple[Any, Any]:
    """The `most` greatest logits in falling order, and their tokens, (B, most); of equal ones the lower first."""
    size = logits.shape[-1]
    return ops_of(logits).top_k(logits, size if most is None else min(most, size))


def _first(logits: Any, count: Any, values: Any, tokens: Any) -> Any:
    """Keep the first (B,) `count` of the ranked `values` and `tokens`; without a scatter, which XLA runs slowly."""
    ops = ops_of(logits)
    last = ops.clip(count, 1, values.shape[-1])[:, None] - 1  # (B, 1)
    value, token = ops.take_along_axis(values, last, axis=1), ops.take_along_axis(tokens, last, axis=1)
    tied = ops.logical_and(logits == value, ops.arange(logits.shape[-1], dtype="int32") <= token)
    return ops.where(ops.logical_or(logits > value, tied), logits, -np.inf)
