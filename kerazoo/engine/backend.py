"""Which implementation of the compiled loop serves the backend that Keras runs on.

Each backend's package has one module `program` with the same names: `obstacle`, `place`, `place_order`, `build`,
`scope`, `loops_of`, `Loops` and `predict`; `tensorflow.program` says what they are.
"""

import importlib
import os

import keras

COMPILED = ("tensorflow", "jax")


def program():
    """The module that runs Keras's present backend, or None where only Keras's own loop does."""
    name = keras.backend.backend()
    return importlib.import_module(f"kerazoo.engine.{name}.program") if name in COMPILED else None


def plain_wanted():
    """Whether the environment variable KERAZOO_PLAIN asks for Keras's own path everywhere."""
    return os.environ.get("KERAZOO_PLAIN", "0") not in ("", "0")
