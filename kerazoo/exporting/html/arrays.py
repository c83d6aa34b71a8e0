"""Arrays as JSON: in base64, as small as they go without loss, or else as the packaged weights are."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from kerazoo.lazy import np
from kerazoo.weights import pack, unpack

_LOST = 1e-6  # of the greatest number of an array: what counts as no loss


def embedded(value: Any, lossless: bool) -> Any:
    """Return `value`, of dictionaries and lists, with each array as {"dtype", "data"}, and "scale" for int8.

    Args:
        value: what becomes JSON.
        lossless: float32 where float16, or int8 with a scale a row, would lose something; else those all the same.
    """
    return _mapped(value, lambda array: _embedded(array, lossless))


def _mapped(value: Any, change: Callable[[np.ndarray], Any]) -> Any:
    if isinstance(value, dict):
        return {key: _mapped(one, change) for key, one in value.items()}
    if isinstance(value, list):
        return [_mapped(one, change) for one in value]
    return change(value) if isinstance(value, np.ndarray) else value


def _embedded(array: np.ndarray, lossless: bool) -> dict[str, str]:
    numbers, scale = pack(array)
    if lossless and np.abs(unpack(numbers, scale) - array).max() > _LOST * np.abs(array).max():
        numbers, scale = array.astype(np.float32), None
    found = {"dtype": str(numbers.dtype), "data": _base64(numbers)}
    return found if scale is None else {**found, "scale": _base64(scale)}


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()).decode()
