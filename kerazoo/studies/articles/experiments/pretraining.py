"""Whether pretraining and then fine-tuning helps where few examples are labelled (document 001, sections 3.1, 3.3)."""

from __future__ import annotations

from typing import Any

from kerazoo import Dataset, Setting, build, engine, experiment, fine_tune, spec
from kerazoo.lazy import keras, np
from kerazoo.studies.articles.experiments.parts import Say, data_of, fitted, rounded
from kerazoo.studies.articles.experiments.transfer import digits, inherit

_LABELLED = 500
_HIDDEN = 0.3  # share of the pixels that the denoising autoencoder does not see
_WINDOW = 24  # words that the language model reads before the one it predicts


@experiment("pretrain_finetune", needs=("mnist",), seeds=20, minutes=0.4, revision=2)
def pretrain_finetune(setting: Setting) -> dict[str, Any]:
    """Measure what three kinds of pretraining gain on digits, before fine-tuning with few labels.

    The task is to tell the digits 5 to 9 with 500 labelled training pictures of them, drawn by the seed. Groups:
    `mnist_mlp` from random weights, and with hidden layers pretrained in one of three ways, then fine-tuned in all
    layers. With labels: on another task, the digits 0 to 4 (all their training pictures, two epochs). Without: to
    tell by how many right angles a picture is turned (20,000 training pictures of all digits, each in four positions,
    two epochs); and to draw a picture of which 30 % of the pixels are hidden (a denoising autoencoder; the same
    pictures, each hidden in two ways, four epochs). Held equal: the labelled pictures, their order, the head's initial
    weights, Adam at 0.001, 20 epochs of batches of 32. Effects, paired within a seed: accuracy on the test pictures of
    5 to 9, pretrained minus scratch.
    """
    return pretrain_values(data_of("mnist_mlp", setting), seed=setting.seed, say=setting.say)


def pretrain_values(
    data: Dataset, *, seed: int, say: Say, epochs: int = 2, labelled: int = _LABELLED, unlabelled: int = 20_000
) -> dict[str, Any]:
    """Return the values of `pretrain_finetune`."""
    draw = np.random.default_rng(seed)
    second, test = digits(data.x_train, data.y_train, 5), digits(data.x_test, data.y_test, 5)
    few = draw.choice(len(second[0]), size=labelled, replace=False)
    seen = data.x_train[draw.choice(len(data.x_train), size=unlabelled, replace=False)]
    recipe: dict[str, Any] = {"batch_size": spec("mnist_mlp").recipe.batch_size, "seed": seed}

    def classifier(task: tuple[Any, Any], classes: int) -> keras.Model:
        return fitted(build("mnist_mlp", seed=seed, num_classes=classes), *task, epochs=epochs, **recipe)

    def autoencoder() -> keras.Model:
        net = build("mnist_mlp", seed=seed)
        drawn = keras.layers.Dense(
            net.input_shape[-1], "sigmoid", kernel_initializer=keras.initializers.GlorotUniform(seed)
        )
        model = keras.Model(net.input, drawn(net.layers[-2].output))
        model.compile("adam", "binary_crossentropy")
        fitted(model, *hidden(seen, draw), epochs=2 * epochs, **recipe)  # as many updates as for the turns
        return net

    known = {
        "scratch": None,
        "with_labels": classifier(digits(data.x_train, data.y_train, 0), 5),
        "turned": classifier(turns(seen), 4),
        "denoised": autoencoder(),
    }
    accuracy = {}
    for name, old in known.items():
        model = build("mnist_mlp", seed=seed + 1000, num_classes=5)  # as in `transfer_time`: the same head for all
        if old is not None:
            inherit(model, old)
        fine_tune(model, (second[0][few], second[1][few]), epochs=20, verbose=False, **recipe)
        accuracy[name] = engine.evaluate(model, *test, batch_size=1000)["accuracy"]
        say(f"{name}: test accuracy {accuracy[name]:.4f}")
    return gains(accuracy, f"With {labelled} labelled pictures.")


def gains(accuracy: dict[str, float], note: str) -> dict[str, Any]:
    """Return what each pretraining gains in test accuracy against "scratch"."""
    gain = {name: rounded(each - accuracy["scratch"]) for name, each in accuracy.items() if name != "scratch"}
    return {"gain": gain, "note": note, "evidence": {"test_accuracy": rounded(accuracy)}}


def turns(pictures: Any) -> tuple[Any, Any]:
    """Return (N, 784) pictures in their four positions as (4 N, 784), and by how many right angles each is turned."""
    square = pictures.reshape(-1, 28, 28)
    turned = [np.rot90(square, angles, axes=(1, 2)).reshape(-1, 784) for angles in range(4)]
    return np.concatenate(turned), np.repeat(np.arange(4, dtype=np.int32), len(pictures))


def hidden(pictures: Any, random: Any) -> tuple[Any, Any]:
    """Return (N, 784) pictures twice, with other pixels at 0 each time, as (2 N, 784), and the same whole."""
    whole = np.tile(pictures, (2, 1))
    return np.where(random.random(whole.shape, np.float32) < _HIDDEN, np.float32(0), whole), whole


@experiment("pretrain_reviews", needs=("imdb_reviews",), seeds=5, minutes=3)
def pretrain_reviews(setting: Setting) -> dict[str, Any]:
    """Measure what a language model's pretraining gains on reviews, before fine-tuning with few labels.

    The task is to classify reviews with 500 labelled training reviews, drawn by the seed. Groups: `imdb_lstm` from
    random weights, and with the embedding and the LSTM of a `textgen_lstm` (document 002's generator, on words) that
    learned to predict the word after 24: four windows of each training review of 100 words or more, without labels,
    two epochs of batches of 64. Both are fine-tuned in all layers. Held equal: the labelled reviews, their order, the
    last layer's initial weights, Adam at 0.001, ten epochs of batches of 32. Effect, paired within a seed: accuracy on
    the 25,000 test reviews after the ten epochs, pretrained minus scratch.
    """
    return language_values(data_of("imdb_lstm", setting), seed=setting.seed, say=setting.say)


def language_values(
    data: Dataset, *, seed: int, say: Say, epochs: int = 2, labelled: int = _LABELLED, **options: Any
) -> dict[str, Any]:
    """Return the values of `pretrain_reviews`; `options` are those of both models."""
    size = {"vocab_size": spec("imdb_lstm").defaults["vocab_size"], **options}
    language = build("textgen_lstm", seed=seed, **size)
    words = windows(data.x_train)
    fitted(language, *words, batch_size=spec("textgen_lstm").recipe.batch_size, epochs=epochs, seed=seed)
    few = np.random.default_rng(seed).choice(len(data.x_train), size=labelled, replace=False)
    accuracy = {}
    for name, old in {"scratch": None, "language_model": language}.items():
        model = build("imdb_lstm", seed=seed + 1000, **size)
        if old is not None:
            inherit(model, old)
        fine_tune(model, (data.x_train[few], data.y_train[few]), epochs=10, seed=seed, batch_size=32, verbose=False)
        accuracy[name] = engine.evaluate(model, data.x_test, data.y_test, batch_size=1000)["accuracy"]
        say(f"{name}: test accuracy {accuracy[name]:.4f}")
    return gains(accuracy, f"With {labelled} labelled reviews; the language model saw {len(words[0]):,} windows.")


def windows(reviews: Any) -> tuple[Any, Any]:
    """Return windows of 24 ids as (M, 24), and the id after each, of those (N, T) reviews that have no padding."""
    full = reviews[reviews[:, 0] != 0]
    cut = full[:, : full.shape[1] // (_WINDOW + 1) * (_WINDOW + 1)].reshape(-1, _WINDOW + 1)
    return cut[:, :-1], cut[:, -1]
