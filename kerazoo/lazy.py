"""Keras, NumPy and TensorFlow, imported when first used: `from kerazoo.lazy import keras`.

`lazy_loader.load` would do, but it enters the unloaded module in `sys.modules`, where other packages look to learn
whether Keras is in use.
"""

import importlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

before_first_use: list[Callable[[], None]] = []
"""Called once, before the first lazy import of Keras or TensorFlow; the command line quiets TensorFlow here."""


class LazyModule:
    """Stands for the module `name` and imports it at the first access to an attribute."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if self._name not in sys.modules and self._name != "numpy":
            while before_first_use:
                before_first_use.pop()()
        return getattr(importlib.import_module(self._name), attribute)

    def __repr__(self) -> str:
        return f"<lazy module '{self._name}'>"


if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf
else:
    keras = LazyModule("keras")
    np = LazyModule("numpy")
    tf = LazyModule("tensorflow")
