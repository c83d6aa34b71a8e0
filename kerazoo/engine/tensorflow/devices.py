"""Which device the operations being traced will run on."""

import keras
import tensorflow as tf


def on_cpu_tensorflow() -> bool:
    """Whether TensorFlow runs on a CPU, where the layers of this package are faster than Keras's."""
    return keras.backend.backend() == "tensorflow" and not tf.config.list_logical_devices("GPU")
