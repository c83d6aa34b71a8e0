"""Where operations that are being traced will run."""

import keras
import tensorflow as tf


def on_cpu_tensorflow() -> bool:
    """Whether TensorFlow computes, and on a CPU: where the faster layers of this package are faster."""
    return keras.backend.backend() == "tensorflow" and not tf.config.list_logical_devices("GPU")
