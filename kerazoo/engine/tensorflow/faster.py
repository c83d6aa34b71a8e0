"""Let a model's plain Keras layers compute in their faster CPU form while a `tf.function` is traced.

The function keeps the faster form. Before and after the trace, and so whenever a model is saved, copied or shown, its
layers are Keras's own; weights and names are the same throughout.
"""

import contextlib
import threading
from collections.abc import Iterator

import keras

from kerazoo.engine import internals
from kerazoo.engine.tensorflow import dropout, lstm

_TRACING = threading.RLock()  # two threads that trace one model would switch its layers under each other's feet
_FASTER = {
    keras.layers.LSTM: lstm.LSTM,
    keras.layers.Embedding: lstm.Embedding,
    keras.layers.Dropout: dropout.Dropout,
}


@contextlib.contextmanager
def accelerated(model: keras.Model) -> Iterator[None]:
    """Give the layers of a model that have a faster form its class, within the context."""
    with _TRACING:
        switched = [layer for layer in internals.layers_of(model) if type(layer) in _FASTER]
        try:
            for layer in switched:
                object.__setattr__(layer, "__class__", _FASTER[type(layer)])  # past Keras's attribute tracking
            yield
        finally:
            for layer in switched:
                object.__setattr__(layer, "__class__", type(layer).__base__)


@contextlib.contextmanager
def tabulated(model: keras.Model) -> Iterator[None]:
    """`accelerated`, and LSTMs project the whole vocabulary once instead of the tokens of each batch; for inference.

    Meant around the loop over batches inside a `tf.function`: the tables hold the weights of the moment, and exist only
    within the context.
    """
    with accelerated(model):
        layers = []
        try:
            for layer in internals.layers_of(model):
                if table := lstm.project_vocabulary(layer):
                    object.__setattr__(layer, "_table", table)
                    layers.append(layer)
            yield
        finally:
            for layer in layers:
                layer.__dict__.pop("_table", None)
