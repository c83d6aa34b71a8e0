"""What the engine asks of TensorFlow: which models it can loop over, their data on the device, and the loops."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from kerazoo.engine import internals
from kerazoo.engine.backend import overridden
from kerazoo.engine.tensorflow import arrays
from kerazoo.engine.tensorflow.loops import Loops, loops_of  # noqa: F401 (part of what a backend offers)
from kerazoo.engine.tensorflow.predicting import predict  # noqa: F401
from kerazoo.engine.types import Nested, Tensor

_STEPS_OF_WORKERS = 50  # of one compiled call on several hosts


def obstacle(model: keras.Model) -> str | None:
    """The reason for which `model` needs Keras's own loop, whatever the data, or None."""
    if model.run_eagerly:
        return "the model was compiled with run_eagerly=True"
    if own := overridden(model, ("make_train_function", "make_test_function", "evaluate")):
        return f"the model has a {own[0]} of its own"
    own = overridden(model, ("train_step", "test_step", "compute_metrics"))
    if own and model.distribute_strategy.num_replicas_in_sync > 1:
        return f"the model has a {own[0]} of its own and several replicas"
    return None


def scope(model: keras.Model) -> Any:
    """The context in which the model's variables and data are made."""
    return model.distribute_strategy.scope()


def place(model: keras.Model, data: Nested) -> Nested:
    """Copy nested arrays (N, ...) to the model's devices."""
    return arrays.place(data, model.distribute_strategy)


def place_order(model: keras.Model, order: npt.NDArray[np.int32]) -> Tensor:
    """Copy the order of the examples, int32 (N,), to the device."""
    return tf.constant(order)


def build(model: keras.Model, data: Nested) -> None:
    """Create all variables of model, metrics and optimizer, so that state can be restored before a step."""
    internals.symbolic_build(model, arrays.spec(data, model.distribute_strategy))


def several_hosts(model: keras.Model) -> bool:
    """Whether other processes take part in each step."""
    return internals.in_multi_worker_mode(model.distribute_strategy)


def steps_per_call(model: keras.Model) -> int | None:
    """The number of steps in a compiled call, or None to choose it by time.

    By the clock each of several hosts would choose its own number, and wait forever for the others at its end.
    """
    return _STEPS_OF_WORKERS if several_hosts(model) else None


def writes(model: keras.Model) -> bool:
    """Whether this process writes checkpoints."""
    return bool(model.distribute_strategy.extended.should_checkpoint)


def least_test_batch(model: keras.Model) -> int:
    """The fewest examples that a batch to evaluate may have: one for every replica."""
    return int(model.distribute_strategy.num_replicas_in_sync)


def describe(model: keras.Model, loops: Loops) -> str:
    """Describe in a few words how the loops run."""
    replicas = model.distribute_strategy.num_replicas_in_sync
    return f"TensorFlow, {'XLA' if loops.jit else 'graph'}" + (f", {replicas} replicas" if replicas > 1 else "")


def data_obstacle(data: Nested) -> None:
    """The reason for which the arrays cannot go to the device, or None."""
    return


def predicts_itself(model: keras.Model) -> bool:
    """Whether `model.predict` does something that the compiled predictions do not."""
    return (
        bool(overridden(model, ("predict", "predict_step", "make_predict_function")))
        or model.run_eagerly
        or model.distribute_strategy.num_replicas_in_sync > 1
    )
