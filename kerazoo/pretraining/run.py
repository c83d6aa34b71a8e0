"""Training the packaged weights from nothing: `kerazoo pretrain NAME`.

The epoch that is kept is the best on validation data: a random tenth of the training split, or the data set's own
validation split. The test split chooses nothing: it is measured at the end, on the weights as they were trained and as
they come back from the disk, and what was made small may lose a thousandth of the accuracy. Only then are they written.
"""

from __future__ import annotations

import dataclasses
import math
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from kerazoo import engine, weights
from kerazoo.data import Dataset
from kerazoo.errors import InputError, KerazooError
from kerazoo.exporting.onnx_graph import to_onnx
from kerazoo.factory import build, build_from, compile_model, seeded
from kerazoo.files import try_writing
from kerazoo.lazy import keras, np
from kerazoo.ledger.statistics import binomial_interval
from kerazoo.model_file import Origin, set_origin
from kerazoo.options import with_options
from kerazoo.pretraining.excerpts import excerpts
from kerazoo.pretraining.moving import move
from kerazoo.pretraining.opinions import OPINIONS
from kerazoo.pretraining.recipes import RECIPES, PretrainingRecipe
from kerazoo.registry import spec
from kerazoo.tasks import task_of
from kerazoo.training.environment import environment

_HELD_OUT = 0.1
_AT_LEAST = 2**22  # bytes of the disk, for a vocabulary and the manifest
_MOST_LOST = 0.001  # of the accuracy, by making the weights small


def pretrain(
    name: str,
    out: str | os.PathLike[str],
    *,
    data_dir: str | os.PathLike[str] | None = None,
    recipe: PretrainingRecipe | None = None,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Train the model `name` on its real data and write its weights to the directory `out`.

    Args:
        name: a model that has a recipe in `RECIPES`.
        out: a directory of weights; its other models stay as they are.
        data_dir: a directory in TFDS layout.
        recipe: another recipe than the model's in `RECIPES`.
        say: called with a line for each epoch.

    Returns:
        The entry in the directory's manifest.

    Raises:
        InputError: there is no recipe for the model, or `out` can be no directory of weights.
        UnavailableError: the real data cannot be had, or the manifest in `out` cannot be read.
        KerazooError: the weights as stored are worse than those that were trained; nothing is written.
    """
    out = Path(out)
    check([] if recipe else [name], out)
    recipe = recipe or RECIPES[name]
    model_spec = spec(name)
    data = task_of(model_spec).dataset(None, recipe.options, data_dir=data_dir, source="tfds")
    held = "the data set's own validation split"
    if data.x_val is None:
        data, held = data.hold_out(_HELD_OUT, seed=recipe.seed), "a random tenth of the training split"
    options = {**data.model_options, **recipe.options}
    with seeded(recipe.seed):
        model = build_from(model_spec, options)
        rate = {"optimizer": recipe.optimizer, "learning_rate": recipe.learning_rate}
        compile_model(model, with_options(model_spec.recipe, rate))
        history, best = _train(model, data, recipe, say)
    full = engine.evaluate(model, data.x_test, data.y_test, batch_size=512)
    facts = {
        "parameters": model.count_params(),
        "options": options,
        "recipe": dataclasses.asdict(recipe),
        "chosen": {"epoch": best + 1, "by": f"val_{recipe.chosen_by}", "on": held, "examples": data.sizes["val"]},
        "history": history,
        "data": {"name": data.name, "version": data.version, "source": data.source, **data.sizes},
        "environment": {key: value for key, value in environment().items() if key in ("versions", "backend", "cpu")},
    }
    set_origin(model, Origin(name, options, data.vocabulary, task_of(model_spec).classes))
    file = to_onnx(model, small=True).SerializeToString(deterministic=True)
    with tempfile.TemporaryDirectory() as directory:
        weights.save(name, file, facts, Path(directory))
        stored = _as_stored(name, Path(directory))
    tested = engine.evaluate(stored, data.x_test, data.y_test, batch_size=512)
    if abs(tested["accuracy"] - full["accuracy"]) > _MOST_LOST:
        raise KerazooError(f"{name}: accuracy {full['accuracy']:.4f}, and {tested['accuracy']:.4f} as stored: too far")
    low, high = binomial_interval(tested["accuracy"], data.sizes["test"])
    measured = {"examples": data.sizes["test"], **tested, "accuracy_interval": [low, high], "float32": full}
    measured |= _opinions(stored, data) if recipe.excerpts else {}
    say(f"{name}: epoch {best + 1}, test accuracy {tested['accuracy']:.4f} (float32 {full['accuracy']:.4f})")
    return weights.save(name, file, {**facts, "test": measured}, out)


def check(names: Iterable[str], out: Path) -> None:
    """Refuse, before any training, what `pretrain` would refuse of `names` and `out`.

    Raises:
        InputError: there is no recipe for a model, or `out` can be no directory of weights.
        UnavailableError: the manifest in `out` cannot be read.
    """
    space = _AT_LEAST
    for name in names:
        space += 4 * spec(name).num_params  # an unknown name is told as everywhere
        if name not in RECIPES:
            raise InputError(f"the model '{name}' has no recipe to pretrain it by. There are for: {', '.join(RECIPES)}")
    try:
        if out.exists() and not out.is_dir():
            raise InputError(f"'{out}' is a file; wanted a directory, or where one can be made")
        try_writing(out, space)
    except OSError as error:
        wanted = "wanted a directory, or where one can be made"
        raise InputError(f"'{out}' cannot be written: {error.strerror}; {wanted}") from None
    weights.manifest(out)


def _train(
    model: keras.Model, data: Dataset, recipe: PretrainingRecipe, say: Callable[[str], None]
) -> tuple[dict[str, list[float]], int]:
    """Train `model` and leave the weights of the best epoch in it; returns the history and that epoch."""
    generator = np.random.default_rng(recipe.seed)
    history: dict[str, list[float]] = {}
    best, kept = -1, []
    for epoch in range(recipe.epochs):
        if recipe.cosine:
            model.optimizer.learning_rate = recipe.learning_rate * (1 + math.cos(math.pi * epoch / recipe.epochs)) / 2
        engine.fit(
            model,
            *_examples(data, recipe, generator),
            batch_size=recipe.batch_size,
            initial_epoch=epoch,
            epochs=epoch + 1,
            seed=recipe.seed,
            verbose=0,
        )
        logs = {key: values[-1] for key, values in model.history.history.items()}
        found = engine.evaluate(model, data.x_val, data.y_val, batch_size=512)
        for key, value in {**logs, **{f"val_{key}": value for key, value in found.items()}}.items():
            history.setdefault(key, []).append(round(float(value), 5))
        told = "  ".join(f"{key} {values[-1]:.4f}" for key, values in history.items())
        say(f"{model.name}  epoch {epoch + 1}/{recipe.epochs}  {told}")
        sign = -1 if recipe.chosen_by == "loss" else 1
        values = history[f"val_{recipe.chosen_by}"]
        if sign * values[-1] > max((sign * value for value in values[:-1]), default=-math.inf):
            best, kept = epoch, model.get_weights()
    model.set_weights(kept)
    return history, best


def _examples(data: Dataset, recipe: PretrainingRecipe, generator: np.random.Generator) -> tuple[Any, Any]:
    """Return the inputs and targets of one epoch."""
    if recipe.moved:
        return move(data.x_train, generator), data.y_train
    if recipe.excerpts:
        return np.concatenate([data.x_train, excerpts(data.x_train, generator)]), np.tile(data.y_train, 2)
    return data.x_train, data.y_train


def _opinions(model: keras.Model, data: Dataset) -> dict[str, Any]:
    """Return how many of the short opinions a classifier of reviews answers rightly."""
    texts, labels = zip(*OPINIONS, strict=True)
    vocabulary: Any = data.vocabulary
    rows = vocabulary.encode_rows(texts, data.x_train.shape[1])
    right = (np.ravel(engine.predict(model, rows)) > 0.5) == np.array(labels)
    return {"opinions": {"right": int(right.sum()), "of": len(texts)}}


def _as_stored(name: str, directory: Path) -> keras.Model:
    stored = weights.load(name, directory)
    model = build(name, **stored.options)
    model.set_weights(stored.weights)
    return model
