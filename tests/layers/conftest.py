"""What the tests of layers share."""

import keras
import pytest


@pytest.fixture(autouse=True)
def exact_products_on_gpus():
    """Keep TensorFlow from multiplying float32 with the 10 bits of TensorFloat-32."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(False)
