"""From a name to a built and compiled Keras model."""

from __future__ import annotations

import contextlib
import random
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from kerazoo.errors import InputError, OverrideError, UnavailableError, first_line
from kerazoo.lazy import jax, keras, np
from kerazoo.model_file import Origin, origin_of, read_origin, set_origin
from kerazoo.options import RECIPE_OPTIONS, check_options, with_options
from kerazoo.registry import spec
from kerazoo.schema import ModelSpec, Recipe
from kerazoo.tasks import task_of
from kerazoo.weights import store
from kerazoo.weights.store import Pretrained

PRETRAINED = "pretrained"

_CUDNN_REFUSES = "Unknown output type"
"""What JAX says of a dtype that its cuDNN has not. Without it: no plain words for an LSTM in 16 bits on a GPU."""

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16", "float64")


@contextlib.contextmanager
def seeded(seed: int | None) -> Iterator[None]:
    """Seed Keras, its backend, NumPy and Python inside the block; put Python's and NumPy's generators back after."""
    if seed is None:
        yield
        return
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise InputError(f"seed={seed!r}: wanted a whole number from 0 to 4294967295")
    python, numpy = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def check_precision(precision: str | None) -> None:
    """Refuse a `precision` that is neither None nor one of `PRECISIONS`.

    Raises:
        InputError: it is not.
    """
    if precision is not None and precision not in PRECISIONS:
        raise InputError(f"precision={precision!r}: wanted one of {', '.join(PRECISIONS)}")


@contextlib.contextmanager
def dtype_policy(precision: str | None) -> Iterator[None]:
    """Build layers under the Keras dtype policy `precision` inside the block (None: whatever is set)."""
    if precision is None:
        yield
        return
    check_precision(precision)
    if precision == "float64" and keras.backend.backend() == "jax" and not jax.config.jax_enable_x64:
        raise InputError("precision='float64': JAX has no float64 until it is told to: set JAX_ENABLE_X64=1")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextlib.contextmanager
def exact_products() -> Iterator[None]:
    """Inside the block have JAX multiply float32 as float32: left alone it takes TF32 on GPUs that have it.

    Where the caller has set `jax_default_matmul_precision`, that stays. What `jax.jit` compiled outside is compiled
    anew inside. TensorFlow's switch, `tf.config.experimental.enable_tensor_float_32_execution`, is left alone.
    """
    if keras.backend.backend() != "jax" or jax.config.jax_default_matmul_precision is not None:
        yield
        return
    with jax.default_matmul_precision("highest"):
        yield


def compile_model(model: keras.Model, recipe: Recipe) -> None:
    """Compile `model` with the optimizer, loss and metrics of `recipe`.

    Raises:
        InputError: the optimizer is unknown to Keras.
    """
    try:
        optimizer = keras.optimizers.get(recipe.optimizer)
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"optimizer={recipe.optimizer!r} is unknown to Keras; try 'sgd', 'rmsprop' or 'adam'"
        ) from None
    if recipe.learning_rate is not None:
        optimizer.learning_rate = recipe.learning_rate
    try:
        loss = keras.losses.get(recipe.loss)
    except (ValueError, TypeError):
        raise InputError(f"loss={recipe.loss!r} is unknown to Keras; try 'sparse_categorical_crossentropy'") from None
    if recipe.from_logits:  # only the loss's class takes the option: "mean_squared_error" -> "MeanSquaredError"
        class_name = "".join(word.capitalize() for word in recipe.loss.split("_"))
        loss = keras.losses.get({"class_name": class_name, "config": {"from_logits": True}})
    extra_outputs = len(model.outputs) - 1  # e.g. attention weights: returned, not trained on
    if extra_outputs:
        losses, metrics = [loss] + [None] * extra_outputs, [list(recipe.metrics)] + [[]] * extra_outputs
        model.compile(optimizer=optimizer, loss=losses, metrics=metrics)
    else:
        model.compile(optimizer=optimizer, loss=loss, metrics=list(recipe.metrics))


def build(
    name: str,
    *,
    weights: str | None = None,
    compile: bool = True,  # noqa: A002 (Keras's own word)
    seed: int | None = None,
    **overrides: Any,
) -> keras.Model:
    """Build the model `name` and compile it by its recipe.

    Args:
        name: one of `kerazoo.list_models()`.
        weights: None for fresh weights; "pretrained" for those of the package, with the options and the vocabulary that
            they were trained with; or the path of a `.keras` file, likewise, or of a `.weights.h5` file.
        compile: compile with the recipe's optimizer, loss and metrics.
        seed: makes the initial weights reproducible.
        **overrides: options of the model (`kerazoo.spec(name).defaults`), or of its recipe (`optimizer`,
            `learning_rate`); beside weights, those that leave the shapes of the weights as they are.

    Returns:
        A plain `keras.Model`; `kerazoo.spec(name)` tells its inputs and outputs.

    Raises:
        UnknownModelError: there is no model of that name.
        OverrideError: an override is unknown or its value is of the wrong type (also a TypeError).
        InputError: a value is of the right type and cannot be used (also a ValueError); there are no such weights.
        UnavailableError: the package's weights are not those of its manifest.
    """
    model_spec = spec(name)
    accepted = {**model_spec.defaults, **RECIPE_OPTIONS}
    options = check_options(overrides, accepted, f"model '{name}'")
    stored = store.load(name) if weights == PRETRAINED else None
    origin = _origin_of_weights(name, weights, stored)
    model = build_from(model_spec, {**origin.options, **options}, seed=seed)
    set_origin(model, Origin(name, origin_of(model).options, origin.vocabulary, origin.classes, origin.data))
    if stored is not None:
        _set_weights(model, model_spec, stored, options)
    elif weights is not None:
        _load_weights(model, weights)
    if compile:
        compile_model(model, with_options(model_spec.recipe, options))
    return model


def build_from(model_spec: ModelSpec, options: Mapping[str, Any], *, seed: int | None = None) -> keras.Model:
    """Call the builder of `model_spec` with those of the checked `options` that it takes."""
    arguments = {option: value for option, value in options.items() if option in model_spec.defaults}
    with seeded(seed):
        try:
            model = model_spec.builder(**arguments)
        except (ValueError, TypeError) as error:
            if _CUDNN_REFUSES in str(error) and keras.backend.backend() == "jax":
                raise UnavailableError(
                    f"model '{model_spec.name}': Keras gives its LSTM to cuDNN, which under JAX takes no "
                    f"{keras.config.dtype_policy().compute_dtype}; use float32, or KERAS_BACKEND=tensorflow"
                ) from error
            if not arguments:  # the builder itself is broken: not the caller's mistake
                raise
            given = ", ".join(f"{option}={value!r}" for option, value in arguments.items())
            reason = first_line(error)
            raise OverrideError(f"model '{model_spec.name}' cannot be built with {given}: {reason}") from error
    if not isinstance(model, keras.Model):
        raise InputError(f"model '{model_spec.name}': its builder returns {type(model).__name__}; wanted a keras.Model")
    if all(model_spec.defaults[option] == value for option, value in arguments.items()):
        _check_registered(model_spec, model)
    set_origin(model, Origin(model_spec.name, dict(options)))
    return model


def _check_registered(model_spec: ModelSpec, model: keras.Model) -> None:
    """Refuse a model that, built as documented, is not what it was registered as."""
    have = model.count_params()
    wrong = f"num_params={model_spec.num_params:,}, and it has {have:,}" if have != model_spec.num_params else ""
    sides = {"inputs": (model_spec.inputs, model.inputs), "outputs": (model_spec.outputs, model.outputs)}
    for what, (said, real) in sides.items():
        shapes = [tuple(one.shape[1:]) for one in real]
        if said and [one.shape for one in said] != shapes:
            wrong = wrong or f"{what} of shapes {[one.shape for one in said]}, and has {shapes}"
    if wrong:
        raise InputError(f"model '{model_spec.name}' is registered with {wrong}; correct the registration")


def _origin_of_weights(name: str, weights: str | None, stored: Pretrained | None) -> Origin:
    """Return what a model that takes the `weights` is to be built as."""
    if stored is not None:
        return Origin(name, stored.options, stored.vocabulary, task_of(spec(name)).classes)
    if weights is None or not str(weights).endswith(".keras"):
        return Origin(name)
    origin = read_origin(weights)
    if origin.name not in (None, name):
        raise InputError(f"weights={weights!r} holds the model '{origin.name}', not '{name}'")
    return origin


def _set_weights(model: keras.Model, model_spec: ModelSpec, stored: Pretrained, overrides: Mapping[str, Any]) -> None:
    if [tuple(one.shape) for one in model.weights] == [one.shape for one in stored.weights]:
        model.set_weights(stored.weights)
        return
    trained = {**model_spec.defaults, **stored.options}
    others = {key: value for key, value in overrides.items() if key in trained and trained[key] != value}
    given = ", ".join(f"{key}={value!r}" for key, value in others.items())
    wanted = ", ".join(f"{key}={trained[key]!r}" for key in others)
    advice = "leave that out, or build without weights"
    raise OverrideError(f"the pretrained weights of '{model_spec.name}' are of {wanted}, not {given}; {advice}")


def _load_weights(model: keras.Model, path: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras warns of each mismatch before it raises
            model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        reason = first_line(error)
        raise InputError(f"weights={path!r} cannot be loaded into this model: {reason}") from error
