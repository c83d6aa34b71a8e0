"""The compiled loop's implementation for the backend that Keras runs on.

Each backend's package has one module `program` with the same names: `obstacle`, `data_obstacle`, `predicts_itself`,
`scope`, `place`, `place_order`, `build`, `loops_of`, `steps_per_call`, `least_test_batch`, `writes`, `describe` and
`predict`; `tensorflow.program` says what they are.
"""

import importlib
import os
from collections.abc import Sequence
from types import ModuleType

import keras

COMPILED = ("tensorflow", "jax")


def program() -> ModuleType | None:
    """The `program` module of Keras's present backend, or None where there is none."""
    name = keras.backend.backend()
    return importlib.import_module(f"kerazoo.engine.{name}.program") if name in COMPILED else None


def overridden(model: keras.Model, names: Sequence[str]) -> list[str]:
    """The methods among `names` that the class of `model` overrides."""
    return [name for name in names if getattr(type(model), name) is not getattr(keras.Model, name)]


def plain_wanted() -> bool:
    """Whether the environment variable KERAZOO_PLAIN asks for Keras's own code everywhere."""
    return os.environ.get("KERAZOO_PLAIN", "0") not in ("", "0")
