"""Starting Keras on the backend that the environment names."""

import os
from importlib.util import find_spec


def start() -> None:
    """Import Keras and its backend, without what they print meanwhile.

    Raises:
        ModuleNotFoundError: one of them is not installed.
    """
    backend = os.environ["KERAS_BACKEND"]
    for package in (backend, "keras"):
        if find_spec(package) is None:
            raise ModuleNotFoundError(f"No module named '{package}'", name=package)
    from kerazoo.quiet import start_keras

    start_keras()
