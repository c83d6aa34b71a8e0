"""Keras, NumPy and TensorFlow, imported when first used: `from kerazoo.lazy import keras`.

`lazy_loader.load` would do, but it enters the unloaded module in `sys.modules`, where other packages look to learn
whether Keras is in use.
"""

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

before_first_use: list[Callable[[], None]] = []
"""Called once, before the first lazy import of Keras or TensorFlow; the command line quiets TensorFlow here."""


def when_imported(name: str, call: Callable[[], None]) -> None:
    """Call `call` once the module `name` has been imported; now, if it has been.

    (`wrapt` has this too, and takes longer to import than the whole of kerazoo.)
    """
    if name in sys.modules:
        call()
        return

    class Watcher(importlib.abc.MetaPathFinder):
        def find_spec(self, wanted: str, path: Any = None, target: Any = None) -> Any:
            if wanted != name:
                return None
            sys.meta_path.remove(self)
            spec = importlib.util.find_spec(name)
            if spec is None or spec.loader is None:
                return spec
            run = spec.loader.exec_module

            def run_and_call(module: Any) -> None:
                run(module)
                call()

            spec.loader.exec_module = run_and_call  # type: ignore[method-assign]
            return spec

    sys.meta_path.insert(0, Watcher())


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
