"""The documented training of document 001 on the reviews, and the same by plain Keras and on Keras's word ids."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from kerazoo import Dataset, Setting, build, engine, experiment, spec, train
from kerazoo.lazy import keras, np
from kerazoo.studies.articles.experiments import keras_ids
from kerazoo.studies.articles.experiments.parts import Say, StepClock, data_of, rounded, told

_SETTLED = 5  # the document calls the accuracy stable; from this epoch on (the sixth) it is averaged


@experiment("imdb_lstm_training", needs=("imdb_reviews",), seeds=5, minutes=6, revision=2)
def imdb_lstm_training(setting: Setting) -> dict[str, Any]:
    """Train `imdb_lstm` as document 001, section 5.2 does, ten epochs and then five, without early stopping.

    Measured after each epoch: loss and accuracy on the 25,000 training reviews (the running mean of the epoch) and on
    the 25,000 test reviews, which the document validates on. The five epochs of `fine_tune` are, in the document, a
    second `fit` of the same compiled model on the same data: the optimizer's state is kept. Of these numbers:
    `accuracy_last`, the mean test accuracy of the last five of the ten epochs; `slope`, what the test accuracy gains an
    epoch by least squares, over the ten epochs and over these five; `below_guessing`, by how much the losses after the
    ten epochs lie below ln 2, that of answering 0.5 to every review; `fine_tuning_gain`, what the five more epochs
    gain on the test split: accuracy after less before, loss before less after.
    """
    return reviews_values(data_of("imdb_lstm", setting), seed=setting.seed, say=setting.say)


def reviews_values(
    data: Dataset,
    *,
    seed: int,
    say: Say,
    epochs: int | None = None,
    more_epochs: int | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Return the values of `imdb_lstm_training`, with the recipe's numbers of epochs by default."""
    recipe = spec("imdb_lstm").recipe
    epochs, more_epochs = epochs or recipe.epochs, more_epochs or recipe.fine_tune_epochs
    clock, progress = StepClock(), told(say, "imdb_lstm")
    hooks = [progress, clock.callback]
    result = train("imdb_lstm", data=data, epochs=epochs, seed=seed, callbacks=hooks, verbose=False, **options)
    more = engine.fit(
        result.model,
        data.x_train,
        data.y_train,
        batch_size=recipe.batch_size,
        initial_epoch=epochs,  # further permutations of the reviews, not the first ones again
        epochs=epochs + more_epochs,
        validation_data=(data.x_test, data.y_test),
        callbacks=[told(say, "imdb_lstm, five more")],
        seed=seed,
        verbose=0,
    ).history
    before, after = ({name: log[f"val_{name}"][-1] for name in ("accuracy", "loss")} for log in (result.history, more))
    per_sample = [seconds / len(data.x_train) * 1e6 for seconds in clock.seconds]
    return {
        "accuracy": rounded(result.metrics["accuracy"], 6),
        "loss": rounded(result.metrics["loss"], 6),
        **curve(result.history),
        "fine_tuning": rounded(more),
        "fine_tuning_gain": rounded(
            {"accuracy": after["accuracy"] - before["accuracy"], "loss": before["loss"] - after["loss"]}
        ),
        "us_per_sample": {
            "first": rounded(per_sample[0], 4),
            "later": rounded(float(np.mean(per_sample[1:] or per_sample)), 4),
            "note": "Training steps alone, without the validation; the first epoch includes the tracing of the graph.",
        },
    }


@experiment("imdb_lstm_plain_keras", needs=("imdb_reviews",), seeds=5, minutes=12)
def imdb_lstm_plain_keras(setting: Setting) -> dict[str, Any]:
    """Train as `imdb_lstm_training`, ten epochs, by Keras's own `fit` in place of kerazoo's engine.

    The ids, the initial weights of a seed and the recipe are the same; the order of the reviews is what Keras draws.
    """
    return plain_values(data_of("imdb_lstm", setting), seed=setting.seed, say=setting.say)


def plain_values(data: Dataset, *, seed: int, say: Say, epochs: int | None = None, **options: Any) -> dict[str, Any]:
    """Return the values of `imdb_lstm_plain_keras`."""
    recipe = spec("imdb_lstm").recipe
    model = build("imdb_lstm", seed=seed, **options)
    keras.utils.set_random_seed(seed)  # of the order
    log = model.fit(
        data.x_train,
        data.y_train,
        batch_size=recipe.batch_size,
        epochs=epochs or recipe.epochs,
        validation_data=(data.x_test, data.y_test),
        callbacks=[told(say, "imdb_lstm, plain Keras")],
        verbose=0,
    )
    return curve(log.history)


@experiment("imdb_lstm_keras_ids", needs=("imdb_reviews", "backend:tensorflow"), seeds=5, minutes=4)
def imdb_lstm_keras_ids(setting: Setting) -> dict[str, Any]:
    """Train as `imdb_lstm_training`, ten epochs, on word ids by the rule of `keras.datasets.imdb`.

    Keras's file of ids cannot be downloaded here; the ids are made anew from the same reviews' texts by what Keras
    documents of it (`keras_ids`). What differs from our own: the line breaks `<br />` stay as the word "br", which is
    among the most frequent; a word that only test reviews have is left out, not marked as unknown; ids begin at 4.
    """
    data, evidence = keras_ids.encoded(data_of("imdb_lstm", setting), setting.data_dir)
    result = train("imdb_lstm", data=data, seed=setting.seed, callbacks=[told(setting.say, "imdb_lstm")], verbose=False)
    note = (
        "Of {known_ids} ids that are known of Keras's first training review {known_ids_that_agree} come out equal, the "
        "others within {farthest_from_a_known_id}; the training reviews have {words:,} words."
    )
    return {**curve(result.history), "note": note.format(**evidence), "evidence": evidence}


def curve(history: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Return the history of a training, and what the document says of its course; `imdb_lstm_training` explains it."""
    accuracy = list(history["val_accuracy"])
    last = accuracy[_SETTLED:] or accuracy
    return {
        "history": rounded(history),
        "accuracy_last": rounded(float(np.mean(last)), 6),
        "slope": rounded({"ten_epochs": slope(accuracy), "last_five": slope(last)}),
        "below_guessing": rounded(
            {"train": math.log(2) - history["loss"][-1], "test": math.log(2) - history["val_loss"][-1]}
        ),
    }


def slope(values: Sequence[float]) -> float:
    """Return how much two or more `values` rise from one to the next, by least squares."""
    return float(np.polyfit(np.arange(len(values)), values, 1)[0])
