"""Where operations that are being traced will run."""

import keras
import tensorflow as tf


def on_cpu_tensorflow() -> bool:
    """Whether TensorFlow computes, and on a CPU: where the faster layers of this package are faster."""
    return keras.backend.backend() == "tensorflow" and not tf.config.list_logical_devices("GPU")


def inside_xla() -> bool:
    """Whether the operations that are being traced are for XLA."""
    # Not public, but the only way to ask.
    from tensorflow.python.ops import control_flow_util

    return not tf.executing_eagerly() and control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())
