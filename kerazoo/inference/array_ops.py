"""Operations on arrays of NumPy's under the names of `keras.ops`, so that one function serves both."""

from __future__ import annotations

from typing import Any

from kerazoo.lazy import keras, np


def softmax(x: np.ndarray) -> np.ndarray:
    """Return the softmax of an array of NumPy's over its last axis."""
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


class _NumPy:
    """The names that NumPy has otherwise, or not; it gives all others itself."""

    softmax = staticmethod(softmax)

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        setattr(self, name, found)
        return found

    def cast(self, x: Any, dtype: str) -> Any:
        """Return `x` in another dtype."""
        return np.asarray(x).astype(dtype)

    def convert_to_tensor(self, x: Any, dtype: str | None = None) -> Any:
        """Return `x` as an array."""
        return np.asarray(x, dtype)

    def top_k(self, x: Any, k: int) -> tuple[Any, Any]:
        """Return the `k` greatest of each row in falling order and their places; of equal ones the first."""
        places = np.argsort(-x, axis=-1, kind="stable")[..., :k]
        return np.take_along_axis(x, places, axis=-1), places


_NUMPY = _NumPy()


def ops_of(x: Any) -> Any:
    """Return the operations for `x`: those above for an array of NumPy's, else `keras.ops`."""
    return _NUMPY if isinstance(x, np.ndarray) else keras.ops
