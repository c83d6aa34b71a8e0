"""Reading a prompt and writing tokens in ONNX Runtime: a call for many tokens, the states of the LSTMs carried on.

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
        InputError: the model does not write text.
    """

    def __init__(self, session: Session) -> None:
        if not session.gives("written"):
            wanted = "wanted one that kerazoo wrote of a text generator, such as 'textgen_lstm'"
            raise InputError(f"the model '{session.name}' has no output 'written' to write text with; {wanted}")
        self._session, self._tokens = session, session.inputs[0].name
        self._after = [f"{one.name}.next" for one in session.states]
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
            read = self._session.run({self._tokens: tokens[rows, :length], **given}, self._after)
            for name, state in zip(states, read, strict=True):
                after[name][:, rows] = state
        return after

    def write(
        self, _: None, states: Any, tokens: Any, how: samplers.Sampling, seed: int, position: int, count: int
    ) -> tuple[np.ndarray, Any, Any]:
        """Write `count` tokens after (B,) `tokens`, of which a text has `position` already.

        Returns:
            (B, count) int32 tokens, and the states and last tokens to go on with.
        """
        given = {self._tokens: np.asarray(tokens)[:, None], **states}
        if how.greedy:  # the first of the likeliest
            given |= {"draws": np.zeros((count, len(tokens))), "temperature": 0}
        else:
            places = np.arange(position, position + count, dtype=np.int32)
            seeds = np.stack([np.full(count, seed, np.uint32).view(np.int32), places], axis=1)
            filters = {"top_k": how.top_k, "top_p": how.top_p}
            given |= {"draws": uniform(len(tokens), seeds), "temperature": how.temperature}
            given |= {name: value for name, value in filters.items() if value is not None}
        written, logits, *after = self._session.run(given, ["written", "logits", *self._after])
        if not all(np.isfinite(one).all() for one in (logits, *after)):  # the states carry on what is not
            told = "the model has weights that are NaN or infinite: its training has diverged; train it anew"
            raise NotFiniteError(told)
        return written, dict(zip(states, after, strict=True)), written[:, -1]
