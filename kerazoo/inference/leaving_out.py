"""Which words weighed, without gradients: what the answer's log-odds lose where a word becomes an unknown one.

The text is answered once for each of its words (leave-one-out; Robnik-Sikonja and Kononenko 2008).
"""

from __future__ import annotations

from kerazoo.inference.session import Session
from kerazoo.lazy import np

_ROWS = 128  # answered at once
_LEAST = 1e-7  # a probability whose logarithm is taken, where the model gives no values before its last activation


def weights(session: Session, ids: np.ndarray, unknown: int) -> np.ndarray:
    """Return the (N, T) weights of the words of (N, T) int32 `ids`; `unknown` is the id of the unknown word."""
    return np.stack([_of_text(session, row, unknown) for row in ids])


def _of_text(session: Session, row: np.ndarray, unknown: int) -> np.ndarray:
    places = np.flatnonzero((row != 0) & (row != unknown))
    rows = np.repeat(row[None], len(places) + 1, axis=0)  # the first is the text itself
    rows[np.arange(len(places)) + 1, places] = unknown
    logits = np.concatenate([_logits(session, rows[first : first + _ROWS]) for first in range(0, len(rows), _ROWS)])
    odds = _log_odds(logits, int(logits[0].argmax()))
    found = np.zeros(len(row), np.float32)
    found[places] = odds[0] - odds[1:]
    return found


def _logits(session: Session, ids: np.ndarray) -> np.ndarray:
    """Return (N, classes) values before the softmax; a single sigmoid's with a 0 for the other class."""
    if session.gives("logits"):
        (logits,) = session(ids, "logits")
    else:
        shares = np.clip(session(ids)[0].astype(np.float64), _LEAST, 1 - _LEAST)
        logits = np.log(shares) - (np.log1p(-shares) if shares.shape[1] == 1 else 0)
    return np.pad(logits, ((0, 0), (1, 0))) if logits.shape[1] == 1 else logits


def _log_odds(logits: np.ndarray, best: int) -> np.ndarray:
    others = np.delete(logits, best, axis=1)
    most = others.max(axis=1, keepdims=True)
    return logits[:, best] - most[:, 0] - np.log(np.exp(others - most).sum(axis=1))
