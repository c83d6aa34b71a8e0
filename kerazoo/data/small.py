"""The data sets that need no file: the four samples of document 000, and a made-up task for attention."""

from __future__ import annotations

from kerazoo.data.dataset import Dataset
from kerazoo.lazy import np


def load_toy() -> Dataset:
    """Return the four samples that document 000, section 5.2 trains on, and tests on here: (4, 2) and (4,)."""
    x = np.array([[1, 0], [0, 1], [1, 1], [1, 0]], np.float32)
    y = np.array([0, 1, 0, 0], np.int32)
    return Dataset("toy", "document 000", "document", x, y, x.copy(), y.copy())


def load_recall(*, dim: int = 32, causal: bool = False, num_examples: int = 4_096, length: int = 16) -> Dataset:
    """Return sequences and what a fixed attention with hidden weights makes of them: (N, length, dim) float32 each.

    The targets are softmax(QK^T / sqrt(d_k))V with Q, K and V drawn once from the seed 0, so an attention block can
    reach a loss of zero, and nothing without attention can.
    """
    random = np.random.default_rng(0)
    query, key, value = (random.normal(0, (3 if i < 2 else 1) / dim**0.5, (dim, dim)) for i in range(3))
    x = random.normal(size=(num_examples, length, dim))
    score = (x @ query) @ (x @ key).swapaxes(1, 2) / dim**0.5  # (N, T, T)
    if causal:
        score = np.where(np.tri(length, dtype=bool), score, -np.inf)
    weight = np.exp(score - score.max(-1, keepdims=True))
    y = weight / weight.sum(-1, keepdims=True) @ (x @ value)  # (N, T, dim)
    x, y = x.astype(np.float32), y.astype(np.float32)
    cut = num_examples * 7 // 8
    return Dataset("recall", "1", "generated", x[:cut], y[:cut], x[cut:], y[cut:])
