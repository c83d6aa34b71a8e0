"""The attention formula of document 001, section 4.1, and the worked example of its section 4.3."""

from __future__ import annotations

import math
from typing import Any

from kerazoo import Setting, experiment, layers
from kerazoo.lazy import keras, np
from kerazoo.studies.articles.experiments.comparing import deviation, softmax

_EXACT = 1e-10


@experiment("attention", needs=("backend:tensorflow",), quick=True, revision=3)
def attention(setting: Setting) -> dict[str, Any]:
    """Compare the formula with two implementations, and the worked example with the formula, in float64.

    `pointwise` is whether a position's output depends on that position alone.
    """
    random = np.random.default_rng(setting.seed)
    return {"formula": _formula(random), "pointwise": _pointwise(random), "worked_example": _worked_example()}


def attend(query: Any, key: Any, value: Any) -> Any:
    """Return softmax(QK^T / sqrt(d_k))V of (Tq, d_k), (Tk, d_k) and (Tk, d_v), one query after the other."""
    width = math.sqrt(key.shape[-1])
    return np.stack([softmax(np.array([q @ k for k in key]) / width) @ value for q in query])


def _formula(random: Any) -> dict[str, Any]:
    batch, queries, keys, width, values = 2, 5, 7, 4, 3
    q, k = random.normal(size=(batch, queries, width)), random.normal(size=(batch, keys, width))
    v = random.normal(size=(batch, keys, values))
    printed = np.stack([attend(*one) for one in zip(q, k, v, strict=True)])
    ours, weights = layers.ScaledDotProductAttention(return_weights=True, dtype="float64")(q, k, v)
    # Keras wants a head axis, and values as wide as the keys.
    wide = np.concatenate([v, np.zeros((batch, keys, width - values))], -1)
    theirs = keras.ops.dot_product_attention(*(x[:, :, None] for x in (q, k, wide)))[:, :, 0, :values]
    errors = {"zoo": deviation(printed, ours), "keras": deviation(printed, theirs)}
    rows = float(np.abs(np.asarray(weights).sum(-1) - 1).max())
    return {
        "true": max(*errors.values(), rows) <= _EXACT,
        "error": max(errors.values()),
        "note": (
            f"The zoo's layer (deviation {errors['zoo']:.1g}) and Keras's dot-product attention "
            f"({errors['keras']:.1g}) compute it, with the softmax over the keys of each query."
        ),
    }


def _pointwise(random: Any) -> dict[str, Any]:
    """Change the last of five positions, and look at the output of the first."""
    x = random.normal(size=(5, 4))
    changed = np.concatenate([x[:-1], x[-1:] + 1])
    moved = float(np.abs(attend(x, x, x)[0] - attend(changed, changed, changed)[0]).max())
    return {
        "true": moved <= _EXACT,
        "change": moved,
        "note": (
            f"Changing the last of five positions by 1 changes the first one's output by {moved:.2g}: self-attention "
            "relates every position to every other; what a Transformer does position by position is its feed-forward "
            "network."
        ),
    }


def _worked_example() -> dict[str, Any]:
    """Put three scalars each into the worked example, and into the formula under both readings of the vectors."""
    q, k, v = np.array([1.0, 2.0, 0.0]), np.array([1.0, 0.0, 1.0]), np.array([1.0, 2.0, 4.0])
    powers = np.exp(q * k)  # of each position with itself alone
    printed = float(powers @ v / powers.sum())
    positions = attend(q[:, None], k[:, None], v[:, None])[:, 0]  # three positions of one number
    whole = attend(q[None], k[None], v[None])[0]  # one position of three numbers
    errors = [deviation([printed] * 3, truth) for truth in (positions, whole)]
    queries, keys = ([f"{name}{place}={x:g}" for place, x in enumerate(of, 1)] for name, of in (("q", q), ("k", k)))
    by_formula = attend(q[:, None], k[:, None], np.eye(3))  # with V the identity the output is the weights, (3, 3)
    shown = (" ".join(f"{x:.3f}" for x in truth) for truth in (positions, whole))
    score, scores = q @ k, np.outer(q, k)
    return {
        "true": min(errors) <= _EXACT,
        "error": min(errors),
        "score": {
            "true": np.shape(score) == scores.shape,
            "note": (
                f"Three queries and three keys have {scores.size} products q_i k_j, a 3 x 3 matrix, which is to be "
                f"divided by sqrt(d_k); the example has their sum over i = j, one number ({score:g})."
            ),
        },
        "weight": {
            "true": np.size(softmax(np.array([score]))) == len(k),
            "note": (
                f"The softmax of one number is {softmax(np.array([score]))[0]:g}, whatever the number; the Score_i of "
                "the denominator are not defined. Three keys want three weights, of sum 1, for each query."
            ),
        },
        "by_formula": {"weights": by_formula, "rows": queries, "columns": keys},
        "by_output": {"weights": (powers / powers.sum())[None], "rows": ["qᵢkᵢ"], "columns": keys},
        "note": (
            f"For q = (1, 2, 0), k = (1, 0, 1), v = (1, 2, 4) the example's Output is {printed:.3f}; section 4.1 gives "
            "({}) for three positions of one number and ({}) for one position of three. ".format(*shown)
            + f"Score is one number, {float(q @ k):g}, not divided by sqrt(d_k): its softmax is 1 and it has no "
            "Score_i; Output weighs each position by its own query and key alone."
        ),
    }
