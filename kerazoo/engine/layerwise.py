"""An optimizer with a learning rate and a count of steps for each group of variables.

Scaling gradients would not do: Adam and RMSprop divide by the gradient's own size, so that the scale cancels out. And
one count of steps for all would be wrong where a group joins later: Adam's moments of that group, zero until then, go
uncorrected, and its first updates come out several times too large.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras
from keras import ops


def fresh(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """A new optimizer with the configuration of `optimizer`, without its state, groups and loss scaling."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if isinstance(optimizer, Layerwise):
        return optimizer.plain()
    return type(optimizer).from_config(optimizer.get_config())


@keras.saving.register_keras_serializable("kerazoo")
class Layerwise(keras.optimizers.Optimizer):
    """Trains each group of variables with its own copy of an optimizer, at `learning_rate` times the group's factor.

    The learning rate, which may be set or be a schedule, is that of the factor 1. A group of which no variable has a
    gradient in a step takes no step. The norm of `global_clipnorm` is that of all gradients together.

    Args:
        optimizer: what each group gets a fresh copy of.
        groups: a list of variable paths (`keras.Variable.path`) for each group.
        factors: of the learning rate, one a group.
    """

    def __init__(
        self,
        optimizer: keras.optimizers.Optimizer,
        groups: Sequence[Iterable[str]],
        factors: Iterable[float],
        name: str = "layerwise",
    ) -> None:
        config = optimizer.get_config()
        overall = {"global_clipnorm": config["global_clipnorm"], "loss_scale_factor": config["loss_scale_factor"]}
        rate = config["learning_rate"]
        super().__init__(keras.saving.deserialize_keras_object(rate) if isinstance(rate, dict) else rate, **overall)
        self.name = name
        self.kind, self.settings = type(optimizer), config
        self.groups, self.factors = [list(paths) for paths in groups], list(factors)
        own = {**config, "global_clipnorm": None, "loss_scale_factor": None, "learning_rate": 0.0}
        self.optimizers = [self.kind.from_config({**own, "name": f"{name}_{group}"}) for group in range(len(groups))]

    def plain(self) -> keras.optimizers.Optimizer:
        """A new optimizer of the groups' class, for all variables, at the learning rate of factor 1."""
        return self.kind.from_config({**self.settings, "learning_rate": super().get_config()["learning_rate"]})

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Make the state for `variables`; one that no group names belongs to the last group."""
        super().build(variables)
        group_of = {path: group for group, paths in enumerate(self.groups) for path in paths}
        self.group_of = [group_of.get(variable.path, len(self.groups) - 1) for variable in variables]
        for group, optimizer in enumerate(self.optimizers):
            optimizer.build([one for one, its in zip(variables, self.group_of, strict=True) if its == group])

    @property
    def variables(self) -> list[keras.Variable]:
        """The state: the iterations and learning rate, then each group's."""
        return [*self._variables, *(one for optimizer in self.optimizers for one in optimizer.variables)]

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[keras.Variable] | None = None) -> None:
        """Update the variables, each group by its own optimizer."""
        variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        if not self.built:
            self.build(variables)
        self._check_variables_are_known(variables)
        grads, variables = self._filter_empty_gradients(grads, variables)
        if self.loss_scale_factor is not None:
            grads = [grad / self.loss_scale_factor for grad in grads]
        grads = self._clip_gradients(grads)
        rate = ops.convert_to_tensor(self.learning_rate)
        for group, (optimizer, factor) in enumerate(zip(self.optimizers, self.factors, strict=True)):
            pairs = zip(grads, variables, strict=True)
            own = [pair for pair in pairs if self.group_of[self._get_variable_index(pair[1])] == group]
            if own:
                optimizer.learning_rate = rate * factor
                optimizer.apply(*zip(*own, strict=True))
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Sequence[keras.Variable]) -> None:
        """Replace weights by their averages (`use_ema`) in the groups that were trained."""
        for optimizer in self.optimizers:
            if int(optimizer.iterations) > 0:
                optimizer.finalize_variable_values(optimizer._trainable_variables)

    def save_own_variables(self, store: Any) -> None:
        """Store the iterations and learning rate; Keras stores each group's optimizer by itself."""
        for place, variable in enumerate(self._variables):
            store[str(place)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Load what `save_own_variables` stored."""
        for place, variable in enumerate(self._variables):
            variable.assign(store[str(place)])

    def get_config(self) -> dict[str, Any]:
        """What the optimizer was made from, at its present learning rate."""
        return {
            "optimizer": keras.saving.serialize_keras_object(self.plain()),
            "groups": self.groups,
            "factors": self.factors,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Layerwise:
        """Make the optimizer that `get_config` described."""
        optimizer = keras.saving.deserialize_keras_object(config["optimizer"], custom_objects=custom_objects)
        return cls(optimizer, config["groups"], config["factors"], config["name"])
