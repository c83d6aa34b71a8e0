"""Weights made small for the disk: float16, or int8 with a scale for each row where there are many of them."""

from __future__ import annotations

from kerazoo.lazy import np

INT8_FROM = 500_000
"""Arrays of two axes and at least so many numbers, such as an embedding of words, become int8."""


def pack(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return a float weight as float16, or as int8 with the float32 scales of its rows, (rows, 1).

    A row of int8 numbers times its scale is the row, within half a scale: the greatest number of a row is 127 scales.
    """
    if weight.ndim != 2 or weight.size < INT8_FROM:
        return np.asarray(weight, np.float16), None
    scale = np.abs(weight).max(axis=1, keepdims=True).astype(np.float32) / np.float32(127)
    return np.rint(weight / np.where(scale > 0, scale, 1)).astype(np.int8), scale


def unpack(numbers: np.ndarray, scale: np.ndarray | None) -> np.ndarray:
    """Return the weight that `pack` packed, as float32."""
    wide = numbers.astype(np.float32)
    return wide if scale is None else wide * scale
