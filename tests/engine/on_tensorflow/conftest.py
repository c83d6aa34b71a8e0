"""What is here is about the loops on TensorFlow."""

import keras
import pytest

if keras.backend.backend() != "tensorflow":
    collect_ignore_glob = ["test_*.py"]


def pytest_collection_modifyitems(items):
    for item in items:
        if "engine/on_tensorflow" in str(item.path):
            item.add_marker(pytest.mark.tensorflow)
