"""How far a printed formula is from the truth, and words for it."""

from __future__ import annotations

from typing import Any

from kerazoo.lazy import np


def deviation(found: Any, truth: Any) -> float:
    """Return the largest absolute difference between two arrays, relative to the largest magnitude in `truth`.

    It is infinite where the shapes differ, and absolute where `truth` is all zeros.
    """
    found, truth = np.asarray(found, np.float64), np.asarray(truth, np.float64)
    if found.shape != truth.shape:
        return float("inf")
    scale = float(np.abs(truth).max()) or 1.0
    return float(np.abs(found - truth).max()) / scale


def softmax(logits: Any) -> Any:
    """Return the softmax over the last axis, in the precision of `logits`."""
    powers = np.exp(logits - np.max(logits, -1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + e^-x)."""
    return 1 / (1 + np.exp(-x))
