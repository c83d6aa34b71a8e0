"""Reading a prompt and writing tokens in ONNX Runtime: a call a token, the states of the LSTMs carried on.

Symbols: B texts at once, V tokens in the vocabulary, H units.
"""

from __future__ import annotations

from typing import Any

from kerazoo.errors import InputError, NotFiniteError
from kerazoo.inference import samplers
from kerazoo.inference.philox import uniform
from kerazoo.inference.session import Session
from kerazoo.lazy import np


class Stepper:
    """Reads and writes tokens as `kerazoo.inference.decoding.Decoder` does, with a session in the place of weights.

    Raises:
        InputError: the model takes and returns no states.
    """

    def __init__(self, session: Session) -> None:
        if not session.states or not session.gives("logits") or len(session.inputs) != 1:
            wanted = "wanted one that kerazoo wrote of a text generator, such as 'textgen_lstm'"
            raise InputError(f"the model '{session.name}' has no states to write text with; {wanted}")
        self._session, self._tokens = session, session.inputs[0].name
        self._wanted = ["logits", *(f"{one.name}.next" for one in session.states)]
        self.vocab_size = session.outputs[0].shape[-1] or 0

    def weights(self) -> None:
        """Return nothing: the session has the weights."""

    def start(self, batch: int) -> dict[str, np.ndarray]:
        """Return the states before the first token, zeros (1, B, H)."""
        return {one.name: np.zeros((1, batch, one.shape[2] or 0), np.float32) for one in self._session.states}

    def read(self, _: None, states: Any, tokens: np.ndarray, lengths: np.ndarray) -> Any:
        """Return the states after each row has read its first `lengths` of `tokens`; rows of a length together."""
        after = {name: state.copy() for name, state in states.items()}
        for length in np.unique(lengths[lengths > 0]):
            rows = lengths == length
            given = {name: state[:, rows] for name, state in states.items()}
            for name, state in self._step(tokens[rows, :length], given)[1].items():
                after[name][:, rows] = state
        return after

    def write(
        self, _: None, states: Any, tokens: Any, how: samplers.Sampling, seed: int, position: int, count: int
    ) -> tuple[np.ndarray, Any, Any]:
        """Write `count` tokens after (B,) `tokens`, of which a text has `position` already.

        Returns:
            (B, count) int32 tokens, and the states and last tokens to go on with.
        """
        written = np.empty((len(tokens), count), np.int32)
        filters, choose = how.filters, samplers.greedy
        if not filters.greedy:
            places = np.arange(position, position + count, dtype=np.int32)
            seeds = np.stack([np.full(count, seed, np.uint32).view(np.int32), places], axis=1)
            shares = uniform(len(tokens), seeds)  # (count, B)
            settings = how.temperature, how.top_k and min(how.top_k, self.vocab_size), how.top_p, filters.most
        for place in range(count):
            logits, states = self._step(np.asarray(tokens)[:, None], states)
            tokens = choose(logits) if filters.greedy else samplers.sample(logits, shares[place], *settings)
            written[:, place] = tokens
        if not np.isfinite(logits).all():  # the states carry them on, so that the last tell of all
            told = "the model has weights that are NaN or infinite: its training has diverged; train it anew"
            raise NotFiniteError(told)
        return written, states, tokens

    def _step(self, tokens: np.ndarray, states: Any) -> tuple[np.ndarray, Any]:
        """Read (B, T) `tokens`: the (B, V) logits of what follows, and the states."""
        logits, *after = self._session.run({self._tokens: tokens, **states}, self._wanted)
        return logits if logits.ndim == 2 else logits[:, -1], dict(zip(states, after, strict=True))
