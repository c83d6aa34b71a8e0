"""Choose between graph and XLA for a model's loop, by measurements (`benchmarks/train.py`)."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from kerazoo.engine import internals
from kerazoo.engine.tensorflow import kernels, optimizers
from kerazoo.engine.types import Nested

# On a CPU, XLA fuses a dense network's whole step and wins; a scan it compiles badly, and convolutions nobody measured.
# So it has to be earned: a layer that is not listed takes the graph, unless it has an attribute `xla_on_cpu = True`.
_FAST_ON_CPU = frozenset(
    [
        "Activation",
        "ActivityRegularization",
        "Add",
        "Average",
        "BatchNormalization",
        "Concatenate",
        "Dense",
        "EinsumDense",
        "ELU",
        "Embedding",
        "Flatten",
        "Functional",
        "GlobalAveragePooling1D",
        "GlobalMaxPooling1D",
        "Identity",
        "InputLayer",
        "LayerNormalization",
        "LeakyReLU",
        "Maximum",
        "Minimum",
        "MultiHeadAttention",
        "Multiply",
        "Normalization",
        "PReLU",
        "ReLU",
        "Rescaling",
        "Reshape",
        "Sequential",
        "Softmax",
        "Subtract",
    ]
)

# With an embedding of 20,000 x 128 a step takes XLA 1.8 times as long as a graph with the kernels; what a smaller one
# takes was not measured.
_VALUES_THAT_DECIDE = 2**20


def use_xla(model: keras.Model, data: Nested, strategy: tf.distribute.Strategy) -> bool:
    """Whether to use XLA, decided by the layers and not by time, so that a repeated run rounds the same way.

    Args:
        model: a compiled `keras.Model`.
        data: nested tensors that it trains on; XLA has no strings.
        strategy: XLA is left off with several replicas, whose all-reduce it does not compile.
    """
    layers = internals.layers_of(model)
    if strategy.num_replicas_in_sync > 1 or not all(layer.supports_jit for layer in layers):
        return False
    if any(leaf is not None and leaf.dtype == tf.string for leaf in keras.tree.flatten(data)):
        return False
    if internals.op_determinism():
        return False  # not every deterministic operation has an XLA form
    if tf.config.list_logical_devices("GPU"):
        # A recurrent layer is a scan, poor under XLA, and would lose cuDNN.
        return not any(isinstance(layer, keras.layers.RNN) for layer in layers)
    return all(_fast_on_cpu(layer) for layer in layers) and not _kernels_win(model, layers, strategy)


def _kernels_win(model: keras.Model, layers: Sequence[keras.layers.Layer], strategy: tf.distribute.Strategy) -> bool:
    """Whether an embedding's update dominates: XLA makes its gradient dense, and takes twice as long."""
    tables = [one for one in layers if isinstance(one, keras.layers.Embedding) and one.trainable]
    values = sum(one.input_dim * one.output_dim for one in tables if one.variable_dtype == "float32")
    with strategy.scope():
        return values >= _VALUES_THAT_DECIDE and optimizers.covered(model.optimizer) and bool(kernels.operations())


def _fast_on_cpu(layer: keras.layers.Layer) -> bool:
    if hasattr(layer, "xla_on_cpu"):
        return bool(layer.xla_on_cpu)
    if type(layer) is keras.layers.Dropout:
        # `dropout` draws for XLA a hundred times as fast as Keras does there; it leaves noise shapes to Keras.
        return not layer.rate or layer.noise_shape is None
    return type(layer).__module__.startswith("keras.") and type(layer).__name__ in _FAST_ON_CPU
