"""Keras, NumPy, TensorFlow and JAX, imported when first used: `from kerazoo.lazy import keras`.

`lazy_loader.load` would do, but it enters the unloaded module in `sys.modules`, where other packages look to learn
whether Keras is in use.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerazoo.errors import UnavailableError

BACKENDS = ("tensorflow", "jax")
"""Those of Keras's backends that kerazoo works with."""

before_first_use: list[Callable[[], None]] = []
"""Called once, before the first lazy import of Keras or its backend; the command line quiets their start here."""


def installed(name: str) -> bool:
    """Tell whether the package that is imported as `name` is there, without importing it."""
    return name in sys.modules or importlib.util.find_spec(name) is not None


def require(what: str, modules: Mapping[str, str]) -> None:
    """Refuse `what` where a package that it needs is missing.

    Args:
        what: for the error.
        modules: as they are imported, each with what `pip install` is to be given.

    Raises:
        UnavailableError: one is missing; the error says how to install it.
    """
    for name, package in modules.items():
        if not installed(name):
            raise UnavailableError(f"{what} needs {name}, which is not installed: pip install {package}")


def choose_backend() -> None:
    """Have Keras, not yet imported, use JAX where TensorFlow is not installed, JAX is, and nothing else was chosen."""
    if os.environ.get("KERAS_BACKEND") or installed("tensorflow") or not installed("jax"):
        return
    import json

    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    try:
        chosen = json.loads((home / "keras.json").read_text(encoding="utf-8")).get("backend")
    except (OSError, ValueError, AttributeError):
        chosen = None
    if chosen in (None, "tensorflow"):  # which Keras itself writes there at its first start
        os.environ["KERAS_BACKEND"] = "jax"


def when_imported(name: str, call: Callable[[], None], before: Callable[[], None] | None = None) -> None:
    """Call `call` once the module `name` has been imported, now if it has been; `before` just before it is.

    (`wrapt` has this too, and takes longer to import than the whole of kerazoo.)
    """
    if name in sys.modules:
        call()
        return

    class Watcher:  # a finder of `sys.meta_path`
        def find_spec(self, wanted: str, path: Any = None, target: Any = None) -> Any:
            if wanted != name:
                return None
            sys.meta_path.remove(self)
            if before is not None:
                before()
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


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in BACKENDS:
            raise
        if name == "keras":
            asked = f"Keras is to use {error.name}"
            advice = f"install it, or set KERAS_BACKEND to one that is there ({' or '.join(BACKENDS)})"
        else:
            asked, advice = f"this needs {error.name}", f"pip install {error.name}"
        raise UnavailableError(f"{asked}, which is not installed; {advice}") from None


class LazyModule:
    """Stands for the module `name` and imports it at the first access to an attribute."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if self._name not in sys.modules and self._name != "numpy":
            while before_first_use:
                before_first_use.pop()()
        return getattr(_imported(self._name), attribute)

    def __repr__(self) -> str:
        return f"<lazy module '{self._name}'>"


if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

    jax: Any  # its types leave out the settings of `jax.config`
else:
    jax = LazyModule("jax")
    keras = LazyModule("keras")
    np = LazyModule("numpy")
    tf = LazyModule("tensorflow")
