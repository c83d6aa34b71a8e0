"""One way to name a trained model, in every function: a name of the zoo, a Keras model, or a `.keras` file."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from kerazoo.errors import InputError, NotFiniteError
from kerazoo.factory import PRETRAINED, build
from kerazoo.hub import SCHEME
from kerazoo.lazy import keras, np
from kerazoo.model_file import Origin, load_model, origin_of, read_origin
from kerazoo.registry import list_models, spec
from kerazoo.schema import ModelSpec
from kerazoo.tasks import Task, task_of

Loaded = TypeVar("Loaded")


class Trained(NamedTuple, Generic[Loaded]):
    """A model that was named, not yet loaded: what the zoo knows of it (None: nothing), its task, and what loads it."""

    name: str
    spec: ModelSpec | None
    task: Task
    load: Callable[[], Loaded]


def trained(
    given: Any,
    model: Any = None,
    weights: str | os.PathLike[str] | None = PRETRAINED,
    *,
    compiled: bool = False,
) -> Trained[keras.Model]:
    """Return the model that `given` names, not yet loaded.

    Args:
        given: a name of the zoo, a Keras model, or the path of a `.keras` file (or `hf://...`: see `load_model`).
        model: beside a name: the model or the file, in place of `weights`.
        weights: beside a name: "pretrained", or the path of a file, as in `build`.
        compiled: build a compiled model, to train or measure.

    Raises:
        UnknownModelError: no model has the name.
        InputError: it is none of these, or there are no such weights.
        ModelFileError: a file is missing, damaged, or known to be another model.
    """
    if not isinstance(given, str) or given.endswith((".keras", ".onnx")) or given.startswith(SCHEME):
        if model is not None or weights != PRETRAINED:
            raise InputError(f"two models are given, {given!r} and {model or weights!r}; give one of them")
        return _by_itself(given)
    model_spec = spec(given)
    return Trained(given, model_spec, task_of(model_spec), _loader(given, model, weights, compiled))


def _by_itself(given: Any) -> Trained[keras.Model]:
    """Return a model or a file, of which it is itself known what it is."""
    is_file = isinstance(given, (str, os.PathLike))
    if not is_file and not hasattr(given, "layers"):
        raise InputError(f"model {given!r}: wanted a name of the zoo, a keras.Model, or the path of a .keras file")
    origin: Origin = read_origin(given) if is_file else origin_of(given)
    known = spec(origin.name) if origin.name in list_models() else None  # its registration may be elsewhere
    name = origin.name or (os.fspath(given) if is_file else given.name)
    return Trained(name, known, task_of(known), lambda: _finite(load_model(given) if is_file else given))


def _finite(model: keras.Model) -> keras.Model:
    """Return the model, whose weights are finite: a ReLU may hide NaN from the answers.

    Raises:
        NotFiniteError: they are not.
    """
    for weight in model.weights:
        if "float" in weight.dtype and not np.isfinite(np.asarray(keras.ops.convert_to_tensor(weight))).all():
            told = f"the weights '{weight.path}' of the model '{model.name}' are not finite (its training diverged?)"
            raise NotFiniteError(f"{told}; train it anew")
    return model


def _loader(name: str, model: Any, weights: Any, compiled: bool) -> Callable[[], keras.Model]:
    if model == PRETRAINED or (model is None and weights == PRETRAINED):
        return lambda: build(name, weights=PRETRAINED, compile=compiled)
    if isinstance(model, (str, os.PathLike)):
        read_origin(model)  # a file that is not there is told at once
        return lambda: _finite(load_model(model, name))
    if model is not None:
        return lambda: _finite(model)
    if weights is None:
        raise InputError("weights=None: wanted 'pretrained' or the path of a file; fresh weights know nothing")
    if str(weights).endswith(".keras"):
        return lambda: _finite(load_model(weights, name))
    return lambda: _finite(build(name, weights=os.fspath(weights), compile=compiled))
