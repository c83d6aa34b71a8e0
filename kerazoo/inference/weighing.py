"""Which words weighed, without gradients of a framework: integrated gradients by differences.

As `attribution` does in Keras, the slope of the answer's log-odds is averaged on the way from a text of unknown words
to the text; the slope by a word is the difference that a small step of this word alone makes. An ONNX file that kerazoo
writes of a text classifier has an input for it, "share": how far each word is on its way.
"""

from __future__ import annotations

from kerazoo.inference.session import Session
from kerazoo.lazy import np

_STEPS = 4  # of the way, as in `attribution`; with two, one in six of the five heaviest words is another
_STEP = 0.05  # of a word alone, of the whole way
_ROWS = 128  # answered at once


def can_weigh(session: Session) -> bool:
    """Tell whether a session has what is needed."""
    return session.takes("share") and session.gives("logits")


def weights(session: Session, ids: np.ndarray, unknown: int) -> np.ndarray:
    """Return the (N, T) weights of the words of (N, T) int32 `ids`; `unknown` is the id of the unknown word."""
    return np.stack([_of_text(session, row, unknown) for row in ids])


def _of_text(session: Session, row: np.ndarray, unknown: int) -> np.ndarray:
    (logits,) = session(row[None], "logits")
    best = int(_of_classes(logits)[0].argmax())
    places = np.flatnonzero((row != 0) & (row != unknown))
    found = np.zeros(len(row), np.float32)
    for step in range(_STEPS):
        shares = np.ones((len(places) + 1, len(row)), np.float32)  # the first row is the point on the way
        shares[:, places] = (step + 0.5) / _STEPS
        shares[np.arange(len(places)) + 1, places] += _STEP
        odds = np.concatenate(
            [_log_odds(session, row, shares[first : first + _ROWS], best) for first in range(0, len(shares), _ROWS)]
        )
        found[places] += (odds[1:] - odds[0]) / (_STEP * _STEPS)
    return found


def _log_odds(session: Session, row: np.ndarray, shares: np.ndarray, best: int) -> np.ndarray:
    """Return the (N,) log-odds of the class `best` for (N, T) `shares` of one text's words."""
    given = {session.inputs[0].name: np.repeat(row[None], len(shares), axis=0), "share": shares}
    logits = _of_classes(session.run(given, ["logits"])[0])
    others = np.delete(logits, best, axis=1)
    most = others.max(axis=1, keepdims=True)
    return logits[:, best] - most[:, 0] - np.log(np.exp(others - most).sum(axis=1))


def _of_classes(logits: np.ndarray) -> np.ndarray:
    """Return (N, classes) logits; a single sigmoid's with a 0 for the other class."""
    return np.pad(logits, ((0, 0), (1, 0))) if logits.shape[1] == 1 else logits
