"""How the layers of a trained model are trained further: which, when, how fast, and with which penalties.

Gradual unfreezing and discriminative learning rates are those of Howard & Ruder 2018 (ULMFiT), section 3.2 and 3.3.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kerazoo.engine import internals
from kerazoo.errors import InputError
from kerazoo.lazy import keras
from kerazoo.options import check_positive, whole_number


def flags_of(*layers: Any) -> list[tuple[Any, bool]]:
    """Return the layers and all inside them, from the outside in, each with whether it is trainable."""
    return [(one, one.trainable) for layer in layers for one in internals.layers_of(layer)]


def put_back(flags: Sequence[tuple[Any, bool]]) -> None:
    """Make the layers of `flags_of` trainable as they were; setting one sets those in it, which come after it."""
    for layer, trainable in flags:
        if layer.trainable != trainable:
            layer.trainable = trainable


@dataclass(frozen=True)
class Tuning:
    """The options of `fine_tune` that say how layers are trained; checked when made.

    Raises:
        InputError: a value cannot be used.
    """

    learning_rate: float | None = None
    unfreeze_every: int | None = None
    layer_decay: float | None = None
    weight_decay: float | None = None
    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        if self.learning_rate is not None:
            check_positive("learning_rate", self.learning_rate)
        if self.unfreeze_every is not None:
            object.__setattr__(self, "unfreeze_every", whole_number("unfreeze_every", self.unfreeze_every))
        if self.layer_decay is not None:
            check_positive("layer_decay", self.layer_decay, most=1)
        if self.weight_decay is not None:
            check_positive("weight_decay", self.weight_decay, or_zero=True)
        check_positive("l1", self.l1, or_zero=True)
        check_positive("l2", self.l2, or_zero=True)
        for name in ("learning_rate", "layer_decay", "weight_decay", "l1", "l2"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, float(value))  # NumPy's numbers are none for JSON

    def prepare(self, model: keras.Model, chosen: Sequence[Any] | None) -> list[Any]:
        """Freeze all but the `chosen` layers (None: train what is trainable now) and see to the optimizer.

        It goes on with its state where it knows the variables and trains them in the same way, and else starts afresh.

        Returns:
            The layers that will be trained, from the input on.

        Raises:
            InputError: no layer is trainable; all are as they were.
        """
        before = flags_of(*model.layers)
        if chosen is not None:
            for layer in model.layers:
                layer.trainable = any(layer is one for one in chosen)
        layers = [layer for layer in model.layers if layer.trainable_weights]
        if not layers:
            put_back(before)
            raise InputError("no layer of the model is trainable; name some with trainable_layers")
        if chosen is None and self._goes_on(model):
            if self.learning_rate is not None:
                model.optimizer.learning_rate = self.learning_rate
            return layers
        strategy = getattr(model, "distribute_strategy", None)
        with strategy.scope() if strategy else contextlib.nullcontext():
            model.compile(**{**internals.compile_options(model), "optimizer": self._optimizer(model.optimizer, layers)})
            model.optimizer.build(model.trainable_variables)  # at once with all that will ever be trained
        return layers

    @property
    def _by_layer(self) -> bool:
        return self.layer_decay is not None or self.unfreeze_every is not None

    def _goes_on(self, model: keras.Model) -> bool:
        """Tell whether the optimizer can do what is asked for as it is, a new learning rate aside."""
        from kerazoo.engine.layerwise import Layerwise

        bare = getattr(model.optimizer, "inner_optimizer", model.optimizer)
        known = {id(one) for one in internals.known_to(model.optimizer)}
        if bare.built and not known.issuperset(map(id, model.trainable_variables)):
            return False
        schedule = keras.optimizers.schedules.LearningRateSchedule
        scheduled = isinstance(internals.rate_or_schedule(model.optimizer), schedule)
        new = self._by_layer or self.weight_decay is not None or (scheduled and self.learning_rate is not None)
        return not new and not isinstance(bare, Layerwise)

    def _optimizer(self, before: Any, layers: Sequence[Any]) -> Any:
        """Return a fresh optimizer like `before`, with the options of this one."""
        from kerazoo.engine.layerwise import Layerwise, fresh

        plain = fresh(before)
        new = {"learning_rate": self.learning_rate, "weight_decay": self.weight_decay}
        given = {name: value for name, value in new.items() if value is not None}
        plain = type(plain).from_config({**plain.get_config(), **given})
        if not self._by_layer:
            return plain
        decay = 1.0 if self.layer_decay is None else self.layer_decay
        factors = [decay**depth for depth in reversed(range(len(layers)))]
        return Layerwise(plain, [[one.path for one in layer.trainable_weights] for layer in layers], factors)

    def callbacks(self, layers: Sequence[Any]) -> tuple[Any, ...]:
        """Return what has to happen between the epochs of training `layers`."""
        if self.unfreeze_every is None:
            return ()
        from kerazoo.training.callbacks import GradualUnfreezing

        return (GradualUnfreezing(layers, self.unfreeze_every),)

    @contextlib.contextmanager
    def while_training(self, model: keras.Model, layers: Sequence[Any]) -> Iterator[None]:
        """Inside the block, add `l1` times the sum of |w| and `l2` times that of w^2 over all kernels to the loss.

        After it the penalties are gone and the `layers` trainable as before, whether the training came to its end or
        not.
        """
        flags = flags_of(*layers)
        kernels = [one for layer in layers for one in layer.trainable_weights if one.name.endswith("kernel")]
        before = [one.regularizer for one in kernels]
        penalty = keras.regularizers.L1L2(self.l1, self.l2) if self.l1 or self.l2 else None
        try:
            for one in kernels if penalty else ():
                one.regularizer = penalty
            yield
        finally:
            for one, regularizer in zip(kernels, before, strict=True):
                one.regularizer = regularizer
            put_back(flags)
            model.train_function = model.test_function = None  # Keras's own, which were compiled with the penalties
