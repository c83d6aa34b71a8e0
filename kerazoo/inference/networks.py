"""A classifier as it is asked, in ONNX Runtime or in Keras: its answers, the weights of the words, its attention."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from kerazoo import engine
from kerazoo.data.fitting import told_apart
from kerazoo.errors import InputError
from kerazoo.factory import exact_products
from kerazoo.inference import weighing
from kerazoo.inference.session import Session
from kerazoo.lazy import keras, np
from kerazoo.model_file import Origin, origin_of


class Reading(NamedTuple):
    """What a classifier makes of N rows of T ids: its answers, and (N, T) weights of the words for the likeliest."""

    outputs: np.ndarray
    weights: np.ndarray


class Network(Protocol):
    """A loaded classifier.

    Attributes:
        origin: what is known of it.
        shape: of an input, without the batch; None is an axis of any size.
        classes: how many it tells apart.
        method: how it weighs words.
    """

    origin: Origin
    shape: tuple[int | None, ...]
    classes: int
    method: str

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Return what the model answers to a batch, (N, outputs)."""

    def read(self, ids: np.ndarray, unknown: int) -> Reading | None:
        """Return the answers to (N, T) ids, and the words' weights; None where it cannot weigh them."""

    def attention(self, ids: np.ndarray) -> np.ndarray | None:
        """Return the weights (N, heads, T, T) of the first attention; None without one."""


def network(model: Session | keras.Model, name: str) -> Network:
    """Return a loaded model as a classifier; `name` calls it in an error.

    Raises:
        InputError: it has several inputs, or no output.
    """
    if len(getattr(model, "inputs", None) or ()) != 1 or len(getattr(model, "outputs", None) or ()) < 1:
        raise InputError(f"the model '{name}' has not one input and an output; call its predict")
    return InSession(model) if isinstance(model, Session) else InKeras(model)


class InSession:
    """A classifier in ONNX Runtime."""

    method = "integrated gradients by differences"

    def __init__(self, session: Session) -> None:
        self._session, self.origin = session, session.origin
        self.shape, self.classes = session.inputs[0].shape[1:], told_apart(session)

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Return what the model answers to a batch, (N, outputs)."""
        return self._session.answers(x)

    def read(self, ids: np.ndarray, unknown: int) -> Reading | None:
        """Return the answers to (N, T) ids, and the words' weights; None where it cannot weigh them."""
        if not weighing.can_weigh(self._session):
            return None
        return Reading(self.outputs(ids), weighing.weights(self._session, ids, unknown))

    def attention(self, ids: np.ndarray) -> np.ndarray | None:
        """Return the weights (N, heads, T, T) of the first attention; None without one."""
        if not self._session.gives("attention"):
            return None
        given = {self._session.inputs[0].name: ids, "attention_for": np.arange(len(ids))}
        return self._session.run(given, ["attention"])[0]


class InKeras:
    """A classifier in Keras."""

    method = "integrated gradients"

    def __init__(self, model: keras.Model) -> None:
        self._model, self.origin = model, origin_of(model)
        self.shape, self.classes = tuple(model.inputs[0].shape[1:]), told_apart(model)

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Return what the model answers to a batch, (N, outputs)."""
        with exact_products():
            return engine.predict(self._model, x)

    def read(self, ids: np.ndarray, unknown: int) -> Reading | None:
        """Return the answers to (N, T) ids, and the words' weights; None where it cannot weigh them."""
        from kerazoo.inference import attribution

        reader = attribution.reader_of(self._model, unknown)
        return None if reader is None else reader.read(ids)

    def attention(self, ids: np.ndarray) -> np.ndarray | None:
        """Return the weights (N, heads, T, T) of the first attention; None without one."""
        from kerazoo.inference import attribution

        return attribution.attention_of(self._model, ids)
