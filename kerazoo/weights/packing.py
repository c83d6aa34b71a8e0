"""Weights made small for the disk: float16, or int8 with a scale for each row where there are many of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kerazoo.lazy import np

INT8_FROM = 500_000
"""Arrays of two axes and at least so many numbers, such as an embedding of words, become int8."""


def pack(weights: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Return the float `weights` by their place, "0", "1", ..., as float16, or as int8 with float32 "0.scale".

    A row of int8 numbers times its scale is the row, within half a scale: the greatest number of a row is 127 scales.
    """
    packed = {}
    for place, array in enumerate(weights):
        if array.ndim == 2 and array.size >= INT8_FROM:
            scale = np.abs(array).max(axis=1, keepdims=True).astype(np.float32) / np.float32(127)  # (rows, 1)
            packed[str(place)] = np.rint(array / np.where(scale > 0, scale, 1)).astype(np.int8)
            packed[f"{place}.scale"] = scale
        else:
            packed[str(place)] = np.asarray(array, np.float16)
    return packed


def unpack(packed: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Return the weights that `pack` packed, in their order, as float32.

    Raises:
        KeyError: an array is missing.
    """
    count = sum(name.isdecimal() for name in packed)
    weights = []
    for place in map(str, range(count)):
        array = packed[place].astype(np.float32)
        weights.append(array * packed[f"{place}.scale"] if packed[place].dtype == np.int8 else array)
    return weights
