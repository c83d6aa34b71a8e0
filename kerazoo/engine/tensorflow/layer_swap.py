"""Swap layers for their faster forms on a CPU under TensorFlow."""

import contextlib
from collections.abc import Iterator

import keras

from kerazoo.engine import internals
from kerazoo.engine.layer_swap import swapped
from kerazoo.engine.tensorflow import dropout, lstm, optimizers

_FASTER = {
    keras.layers.LSTM: lstm.LSTM,
    keras.layers.Embedding: lstm.Embedding,
    keras.layers.Dropout: dropout.Dropout,
    **optimizers.FASTER,
}


def accelerated(model: keras.Model) -> contextlib.AbstractContextManager[None]:
    """Within the context, a model's layers and optimizer have their faster forms, where there are such."""
    return swapped(model, _FASTER)


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
