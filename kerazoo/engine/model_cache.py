"""Compiled functions, cached on the model that they were compiled for until it changes."""

import operator
from collections.abc import Callable
from typing import Any, TypeVar

import keras

from kerazoo.engine import internals

Made = TypeVar("Made")


def cached(
    model: keras.Model, name: str, make: Callable[[], Made], parts: list[Any], choices: tuple[Any, ...] = ()
) -> Made:
    """What `make()` gave, as long as `parts` are the very same objects and `choices` are equal.

    The parts are held, so that no later object can have taken the identity of one that is gone.
    """
    held = model.__dict__.get(name)
    if held is None or held[0] != choices or len(held[1]) != len(parts) or not all(map(operator.is_, held[1], parts)):
        held = choices, parts, make()
        # Past Keras's attribute tracking, which would make the functions part of a saved model.
        object.__setattr__(model, name, held)
    made: Made = held[2]
    return made


def training_parts(model: keras.Model) -> list[Any]:
    """What a training loop has compiled in: others after a new `compile`, a layer (un)frozen, or another penalty."""
    trained = model.trainable_variables
    return [internals.loss_tracker(model), model.optimizer, *trained, *(one.regularizer for one in trained)]


def prediction_parts(model: keras.Model) -> list[Any]:
    """What predictions have compiled in: others after a new `compile`, another layer or another dtype policy."""
    layers = internals.layers_of(model)
    return [internals.loss_tracker(model), *layers, *map(internals.policy_of, layers), *model.variables]
