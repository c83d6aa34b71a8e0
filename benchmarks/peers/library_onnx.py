"""ONNX Runtime for a contender: it runs on the CPU, with the threads that the environment names."""

import importlib.metadata
from typing import Any, NoReturn

from kerazoo.inference.session import threads
from peers import Unavailable, keras_start


def set_up(device: dict[str, Any], threads: int) -> None:
    """Start Keras, which makes the file.

    Raises:
        Unavailable: the benchmark is of a GPU.
    """
    if device["kind"] == "gpu":
        raise Unavailable("not measured: kerazoo's sessions run on the CPU")
    keras_start.start()


def set_precision(precision: str) -> None:
    """Take float32.

    Raises:
        Unavailable: it is another.
    """
    if precision != "float32":
        raise Unavailable("not measured: the files are float32")


def about() -> dict[str, Any]:
    """Return versions and threads."""
    versions = {name: importlib.metadata.version(name) for name in ("onnxruntime", "onnx", "numpy")}
    return {"versions": versions, "threads": threads()}


def tf32() -> str:
    """Tell that there is no GPU."""
    return "not measured: no GPU"


def cudnn(side: Any) -> str:
    """Tell that there is no GPU."""
    return "not measured: no GPU"


def product(precision: str, size: int, count: int) -> NoReturn:
    """Leave the matrix product to the others.

    Raises:
        Unavailable: always.
    """
    raise Unavailable("not measured: the other libraries measure it")


def forget_peak() -> None:
    """Do nothing: there is no GPU."""


def gpu_peak_mib() -> str:
    """Tell that there is no GPU."""
    return "not measured: no GPU"
