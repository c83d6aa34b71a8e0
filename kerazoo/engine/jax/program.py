"""What the engine asks of JAX: which models it can loop over, their data on the device, and the loops."""

import contextlib
from typing import Any

import jax
import keras
import numpy as np
import numpy.typing as npt
from jax import Array

from kerazoo.engine import internals
from kerazoo.engine.arrays import mapped
from kerazoo.engine.backend import overridden
from kerazoo.engine.jax.loops import Loops, loops_of  # noqa: F401 (part of what a backend offers)
from kerazoo.engine.jax.predicting import predict  # noqa: F401
from kerazoo.engine.types import Nested


def obstacle(model: keras.Model) -> str | None:
    """The reason for which `model` needs Keras's own loop, whatever the data, or None."""
    if model.run_eagerly:
        return "the model was compiled with run_eagerly=True"
    if not model.jit_compile:
        return "the model was compiled with jit_compile=False, or has a layer that cannot be jitted"
    if own := overridden(model, ("make_train_function", "make_test_function", "evaluate")):
        return f"the model has a {own[0]} of its own"
    if model.optimizer is None:
        return "the model has no optimizer"
    return None


def data_obstacle(data: Nested) -> str | None:
    """The reason for which the arrays cannot go to the device, or None: JAX has numbers only."""
    kinds = {np.dtype(keras.backend.standardize_dtype(leaf.dtype)).kind for leaf in _leaves(data) if not _is_text(leaf)}
    return "JAX has no strings" if any(map(_is_text, _leaves(data))) or kinds - set("biufcV") else None


def _leaves(data: Nested) -> list[Any]:
    return [leaf for leaf in keras.tree.flatten(data) if leaf is not None]


def _is_text(leaf: Any) -> bool:
    return getattr(getattr(leaf, "dtype", None), "kind", "f") in "USOT"


def scope(model: keras.Model) -> contextlib.AbstractContextManager[None]:
    """The context in which the model's variables and data are made."""
    return contextlib.nullcontext()


def place(model: keras.Model, data: Nested) -> Nested:
    """Copy nested arrays (N, ...) to every device of the model, so that no step fetches rows from another one."""
    everywhere = _replicated()
    return mapped(lambda array: jax.device_put(np.asarray(array), everywhere), data)


def place_order(model: keras.Model, order: npt.NDArray[np.int32]) -> Array:
    """Copy the order of the examples, int32 (N,), to the device(s)."""
    placed: Array = jax.device_put(order, _replicated())
    return placed


def _replicated() -> Any:
    """The sharding that puts a copy on each device of the current `keras.distribution`; None for the default device."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        return None
    mesh = distribution.device_mesh
    layout = keras.distribution.TensorLayout([], mesh)
    return layout.backend_layout


def build(model: keras.Model, data: Nested) -> None:
    """Create all variables of model, metrics and optimizer, so that state can be restored before a step."""
    internals.symbolic_build(model, mapped(_symbolic, data))


def _symbolic(array: Any) -> keras.KerasTensor:
    dtype = keras.backend.standardize_dtype(array.dtype)
    return keras.KerasTensor((None, *array.shape[1:]), keras.config.floatx() if "float" in dtype else dtype)


def steps_per_call(model: keras.Model) -> None:
    """The number of steps in a compiled call, or None to choose it by time."""
    return


def writes(model: keras.Model) -> bool:
    """Whether this process writes checkpoints."""
    return jax.process_index() == 0


def least_test_batch(model: keras.Model) -> int:
    """The fewest examples that a batch to evaluate may have."""
    return 1


def describe(model: keras.Model, loops: Loops) -> str:
    """Describe in a few words how the loops run."""
    distribution = keras.distribution.distribution()
    devices = "" if distribution is None else f", {distribution.device_mesh.devices.size} devices"
    return f"JAX on {jax.default_backend()}{devices}"


def predicts_itself(model: keras.Model) -> bool:
    """Whether `model.predict` does something that the compiled predictions do not."""
    return (
        bool(overridden(model, ("predict", "predict_step", "make_predict_function")))
        or model.run_eagerly
        or keras.distribution.distribution() is not None
    )
