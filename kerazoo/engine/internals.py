"""Every private name of Keras and TensorFlow that kerazoo uses, each with what stops working if it is removed.

`KERAZOO_PLAIN=1` takes Keras's own way everywhere, which needs none of those that the compiled loops do. What a class
inherits from (`Layerwise` is a Keras optimizer) is not counted here.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from kerazoo.engine.types import Array, Nested
from kerazoo.lazy import keras

XLA_PTX_CALL = "__gpu$xla.gpu.ptx"
"""XLA's call of a kernel given as PTX. Without it: an LSTM on a GPU under JAX takes cuDNN."""


def layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """All layers of `model`, itself included, from the outside in. Without it: no choice of compiler or faster LSTM."""
    return list(model._flatten_layers())


def loss_tracker(model: keras.Model) -> Any:
    """An object that is another one after each `compile`. Without it: a compiled loop could outlive its loss."""
    return getattr(model, "_loss_tracker", None)


def symbolic_build(model: keras.Model, batch: Nested) -> None:
    """Make all variables of model, loss, metrics and optimizer from symbolic batches. Without it: no exact resume."""
    model._symbolic_build(data_batch=batch)


def takes_training(model: keras.Model) -> bool:
    """Whether the model's `call` has the argument `training`. Without it: models of one's own could not be called."""
    return bool(model._call_has_training_arg)


def compute_loss(
    model: keras.Model, x: Nested, y: Nested, predictions: Nested, sample_weight: Nested, training: bool
) -> Array:
    """The loss, whether a model's own `compute_loss` takes `training` or not. Without it: only those that do."""
    return model._compute_loss(x=x, y=y, y_pred=predictions, sample_weight=sample_weight, training=training)


def result_or_logs(model: keras.Model, logs: Any) -> Any:
    """The model's metrics, or what its own step gave. Without it: own train steps report nothing."""
    return model._get_metrics_result_or_logs(logs)


def compile_options(model: keras.Model) -> dict[str, Any]:
    """The arguments of the last `compile`. Without it: `jit_compile` of the user's is not known, and `auto` assumed."""
    config = getattr(model, "_compile_config", None)
    return getattr(config, "config", None) or {}


def wanted_initial_epoch(model: keras.Model) -> int | None:
    """The epoch that `BackupAndRestore` has set to begin with, or None. Without it: that callback starts afresh."""
    epoch: int | None = getattr(model, "_initial_epoch", None)
    return epoch


def other_optimizers(model: keras.Model) -> list[str]:
    """The names of the attributes of `model` that hold further optimizers, as those of a GAN do."""
    own = getattr(model, "optimizer", None)
    return [
        k for k, v in vars(model).items() if isinstance(v, keras.optimizers.Optimizer) and v is not own and k[0] != "_"
    ]


def known_to(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """The variables that the optimizer was built with. Without it: no unfreezing on JAX, no going on in `fine_tune`."""
    return list(getattr(optimizer, "inner_optimizer", optimizer)._trainable_variables)


def rate_or_schedule(optimizer: keras.optimizers.Optimizer) -> Any:
    """The learning rate as it was given: a schedule, or a variable. Without it: no new rate in place of a schedule."""
    return getattr(optimizer, "inner_optimizer", optimizer)._learning_rate


def in_multi_worker_mode(strategy: Any) -> bool:
    """Whether a `tf.distribute` strategy runs on several hosts. Without it: they could wait for each other forever."""
    return bool(strategy.extended._in_multi_worker_mode())


def inside_xla() -> bool:
    """Whether the TensorFlow operations being traced are for XLA. Without it: the faster layers would be in its way."""
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    return not tf.executing_eagerly() and control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def op_determinism() -> bool:
    """Whether TensorFlow was asked for deterministic operations; it has a public setter only.

    Without it: the environment variable alone is read, and XLA might refuse an operation.
    """
    try:
        from tensorflow.python.framework.config import is_op_determinism_enabled
    except ImportError:
        return os.environ.get("TF_DETERMINISTIC_OPS") in ("1", "true")
    return bool(is_op_determinism_enabled())


def sources_of(layer: keras.layers.Layer) -> set[keras.layers.Layer]:
    """The operations whose output the layer has been given in functional models. Without it: no table of an LSTM."""
    nodes = getattr(layer, "_inbound_nodes", ())
    return {node.arguments.keras_tensors[0]._keras_history.operation for node in nodes}


def policy_of(layer: keras.layers.Layer) -> keras.DTypePolicy:
    """The layer's own dtype policy object. Without it: a prediction could outlive a change of precision."""
    return layer._dtype_policy


def line_of(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers from the only input of a functional model to its only output. Without it: no generation.

    Empty where there is no such line.
    """
    if len(getattr(model, "inputs", None) or ()) != 1 or len(model.outputs) != 1:
        return []
    layers, tensor = [], model.outputs[0]
    while tensor is not model.inputs[0]:
        layer, node, _ = tensor._keras_history
        sources = layer._inbound_nodes[node].input_tensors
        if len(sources) != 1:
            return []
        layers.append(layer)
        tensor = sources[0]
    return layers[::-1]


class Call(NamedTuple):
    """An operation of a functional model and its arguments, symbolic tensors among them, and the tensors it gives."""

    operation: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: list[Any]


def calls_of(model: keras.Model) -> list[Call]:
    """The operations of a functional or Sequential model in their order. Without it: ONNX by Keras's exporter alone."""
    by_depth = getattr(getattr(model, "_functional", model), "_nodes_by_depth", {})
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth] if not node.is_input]
    return [Call(one.operation, one.arguments.args, one.arguments.kwargs, one.outputs) for one in nodes]


def max_epochs() -> int | None:
    """Keras's own cap on epochs for debugging (KERAS_MAX_EPOCHS), or None. Without it: the cap has no effect."""
    most: int | None = getattr(keras.config, "max_epochs", lambda: None)()
    return most


def max_steps_per_epoch() -> int | None:
    """Keras's own cap on steps (KERAS_MAX_STEPS_PER_EPOCH), or None. Without it: the cap has no effect."""
    most: int | None = getattr(keras.config, "max_steps_per_epoch", lambda: None)()
    return most


def set_value(variable: keras.Variable, array: Array) -> None:
    """Put an array of the right shape and dtype into a variable on JAX. Without it: `assign`, which converts first."""
    variable._value = array


def update_metrics(
    model: keras.Model, metrics: Any, loss: Array, x: Nested, y: Nested, predictions: Nested, sample_weight: Nested
) -> Any:
    """On JAX, the logs and the new metrics of one step. Without it: no gradual unfreezing on JAX."""
    return model._update_metrics_variables(metrics, loss, x, y, predictions, sample_weight)


def states_of(optimizer: keras.optimizers.Optimizer, variable: keras.Variable) -> list[keras.Variable]:
    """What Adam, RMSprop or SGD keeps of a variable, in a fixed order. Without it: no fused updates."""
    place = optimizer._get_variable_index(variable)
    names = (
        ("_momentums", "_velocities") if hasattr(optimizer, "beta_1") else ("_velocities", "_momentums", "momentums")
    )
    return [states[place] for name in names if (states := getattr(optimizer, name, ()))]
