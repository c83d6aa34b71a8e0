"""Attention by the formula, in float64 NumPy, and inputs and masks to try it on."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

few = settings(max_examples=15, deadline=None, database=None)


def reference(query, key, value, mask=None):
    """Return softmax(Q K^T / sqrt(d_k)) V and its weights in float64, one query at a time; (..., T, d) arrays."""
    query, key, value = (np.asarray(x, "float64") for x in (query, key, value))
    shape = (*query.shape[:-1], key.shape[-2])
    mask = np.broadcast_to(True if mask is None else mask, shape)
    weights = np.zeros(shape)
    for row in np.ndindex(shape[:-1]):
        seen = np.flatnonzero(mask[row])
        if len(seen):
            scores = key[row[:-1]][seen] @ query[row] / np.sqrt(query.shape[-1])
            powers = np.exp(scores - scores.max())
            weights[(*row, seen)] = powers / powers.sum()
    return weights @ value, weights


def joint_mask(case, causal):
    """Return the masks of a case in one, (B, 1, Tq, Tk) bool."""
    mask = np.ones((case["batch"], 1, case["tq"], case["tk"]), bool)
    if causal:
        mask &= np.tri(case["tq"], case["tk"], dtype=bool)
    if case["key_mask"] is not None:
        mask &= case["key_mask"][:, None, None].astype(bool)
    if case["mask"] is not None:
        mask &= case["mask"][:, None].astype(bool)
    return mask


def heads(x, h):
    """Cut (B, T, h * d) into (B, h, T, d)."""
    return x.reshape(*x.shape[:2], h, -1).swapaxes(1, 2)


@st.composite
def cases(draw):
    """Draw sizes, inputs (B, T, h * d) and masks."""
    size = st.integers(1, 5)
    batch, tq, tk, h, d, dv = (draw(size) for _ in range(6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    density, dtype = draw(st.sampled_from([0.2, 0.8])), draw(st.sampled_from(["bool", "int32"]))
    return {
        "batch": batch,
        "tq": tq,
        "tk": tk,
        "h": h,
        "query": rng.normal(size=(batch, tq, h * d)).astype("float32"),
        "key": rng.normal(size=(batch, tk, h * d)).astype("float32"),
        "value": rng.normal(size=(batch, tk, h * dv)).astype("float32"),
        "key_mask": (rng.random((batch, tk)) < density).astype(dtype) if draw(st.booleans()) else None,
        "mask": (rng.random((batch, tq, tk)) < density).astype(dtype) if draw(st.booleans()) else None,
    }


def inputs(case):
    """Return the tensors of a case, by the name of the argument."""
    return {name: case[name] for name in ("query", "key", "value", "key_mask", "mask")}
