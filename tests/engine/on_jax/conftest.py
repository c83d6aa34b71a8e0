"""What is here is about the loops on JAX."""

import keras
import pytest


def pytest_collection_modifyitems(items):
    if keras.backend.backend() != "jax":
        for item in items:
            if "engine/on_jax" in str(item.path):
                item.add_marker(pytest.mark.skip(reason="the backend is not JAX; KERAS_BACKEND=jax runs this"))
