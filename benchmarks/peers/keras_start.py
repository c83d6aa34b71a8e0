"""Starting Keras on the backend that the environment names, without what TensorFlow prints meanwhile."""

import importlib.util
import os


def start() -> None:
    """Import Keras, and TensorFlow where it is installed.

    Raises:
        ModuleNotFoundError: the backend, or Keras, is not installed.
    """
    backend = os.environ["KERAS_BACKEND"]
    for package in (backend, "keras"):
        if importlib.util.find_spec(package) is None:
            raise ModuleNotFoundError(f"No module named '{package}'", name=package)
    from kerazoo import quiet

    if hasattr(quiet, "start_keras"):
        quiet.start_keras()
    elif importlib.util.find_spec("tensorflow") is not None:
        quiet.start_tensorflow()
    import keras

    assert keras.backend.backend() == backend
