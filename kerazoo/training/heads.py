"""A trained model with a new last layer, for other classes than those that it was trained to tell apart."""

from __future__ import annotations

from typing import Any

from kerazoo.engine import internals
from kerazoo.errors import InputError
from kerazoo.lazy import keras


def check_head(model: keras.Model, num_classes: int) -> None:
    """Refuse a model whose last layer cannot be replaced by one for `num_classes` classes.

    Raises:
        InputError: not a classifier, or not a graph of layers that ends in a Dense layer.
    """
    outputs: Any = getattr(model, "outputs", None) or ()
    last = model.layers[-1]
    if len(outputs) != 1 or not isinstance(last, keras.layers.Dense) or getattr(last, "output", None) is not outputs[0]:
        message = f"num_classes={num_classes}: the last layer of '{model.name}' is no Dense layer that can be replaced"
        raise InputError(f"{message}; give a Sequential or functional model with one output")
    if "crossentropy" not in _name(_loss(model)):
        loss = _name(_loss(model)) or "a loss without a name"
        raise InputError(f"num_classes={num_classes}: the model is no classifier; it was compiled with {loss}")


def with_new_head(model: keras.Model, num_classes: int) -> keras.Model:
    """Return a copy of `model`, weights and all, with a fresh last layer for `num_classes` classes, compiled likewise.

    A single sigmoid unit stays one for two classes, and becomes a softmax with sparse cross-entropy for more; so do
    logits. The names of the layers stay; the optimizer starts afresh.
    """
    from kerazoo.engine.layerwise import fresh

    loss = _loss(model)
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    old = copy.layers[-1]
    single = old.units == 1
    config = {**old.get_config(), "units": 1 if single and num_classes == 2 else num_classes, "trainable": True}
    compiled: dict[str, Any] = dict(internals.compile_options(model))
    if single and num_classes > 2:
        logits = _from_logits(loss)
        config["activation"] = "linear" if logits else "softmax"
        compiled["loss"] = keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
        compiled["metrics"] = ["accuracy"]
        compiled["weighted_metrics"] = None
    head = keras.layers.Dense.from_config(config)
    new = keras.Model(copy.inputs, head(old.input), name=model.name)
    new.compile(**{**_fresh(compiled), "optimizer": fresh(model.optimizer)})
    return new


def _loss(model: keras.Model) -> Any:
    """Return the loss as it was given to `compile`; of a list of one, the one."""
    loss = internals.compile_options(model)["loss"]
    return loss[0] if isinstance(loss, (list, tuple)) and len(loss) == 1 else loss


def _name(loss: Any) -> str:
    function = keras.losses.get(loss) if isinstance(loss, str) else loss
    return str(getattr(function, "name", None) or getattr(function, "__name__", ""))


def _from_logits(loss: Any) -> bool:
    return isinstance(loss, keras.losses.Loss) and bool(loss.get_config().get("from_logits"))


def _fresh(compiled: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `compile` with metrics of the new model's own: a metric has state."""

    def copy(one: Any) -> Any:
        return type(one).from_config(one.get_config()) if isinstance(one, keras.metrics.Metric) else one

    metrics = {name: keras.tree.map_structure(copy, compiled[name]) for name in ("metrics", "weighted_metrics")}
    return {**compiled, **metrics}
