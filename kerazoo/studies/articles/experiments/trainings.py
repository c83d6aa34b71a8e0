"""The documented trainings of digits, text and the toy, by the documents' own recipes on the whole real data."""

from __future__ import annotations

import base64
import io
import math
import re
from typing import Any

from kerazoo import Dataset, Setting, engine, experiment, load_data, spec, train
from kerazoo.lazy import keras, np
from kerazoo.studies.articles.experiments.parts import Say, data_of, rounded, told

_LOGGED = 100  # document 000 prints a line every so many epochs
_PRINTED_INPUTS = ((0, 1), (1, 1))  # document 000, section 5.4
_HARDEST = 16
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@experiment("toy_mlp_training", seeds=20, quick=True, minutes=0.1, revision=2)
def toy_mlp_training(setting: Setting) -> dict[str, Any]:
    """Train `toy_mlp` as document 000, section 5.2 does: SGD 0.01, the four samples at once, 1000 epochs.

    Measured: the loss on each line of the log, before that epoch's update as in the document; the softmax of the
    outputs for the two inputs that section 5.4 prints. Only the initial weights differ between seeds; they are
    Keras's (Glorot uniform, biases of zero), where PyTorch draws the second layer's weights from a narrower uniform
    distribution, and the biases from a uniform one too.
    """
    return toy_values(load_data("toy_mlp"), seed=setting.seed, epochs=spec("toy_mlp").recipe.epochs)


def toy_values(data: Dataset, *, seed: int, epochs: int) -> dict[str, Any]:
    """Return the values of `toy_mlp_training` after so many epochs, a multiple of 100."""
    result = train("toy_mlp", data=data, epochs=epochs, seed=seed, verbose=False)
    log = result.history["loss"][_LOGGED - 1 :: _LOGGED]
    logits = result.model(np.array(_PRINTED_INPUTS, np.float32))
    rows = np.asarray(keras.ops.softmax(logits))
    return {
        "log_lines": len(log),
        "falls": rounded(log[0] - log[-1]),
        "loss": rounded(log[-1]),
        "p_01": rounded(rows[0]),
        "p_11": rounded(rows[1]),
        "note": (
            "The program prints logits, not probabilities; the softmax of them is compared. The initial weights are "
            "Keras's (Glorot uniform, biases of zero); PyTorch draws the second layer's weights from a narrower "
            "uniform distribution, and the biases at random."
        ),
        "evidence": {"loss": rounded(log), "logits": rounded(np.asarray(logits))},
    }


@experiment("mnist_mlp_training", needs=("mnist",), seeds=20, minutes=0.6)
def mnist_mlp_training(setting: Setting) -> dict[str, Any]:
    """Train `mnist_mlp` by the recipe of document 003, section 4 and measure it on the 10,000 test digits."""
    return digits_values("mnist_mlp", data_of("mnist_mlp", setting), seed=setting.seed, say=setting.say)


@experiment("mnist_mlp_dropout_training", needs=("mnist",), seeds=20, minutes=1.2)
def mnist_mlp_dropout_training(setting: Setting) -> dict[str, Any]:
    """Train `mnist_mlp_dropout` by the recipe of document 004, section 5.2 and measure it on the 10,000 test digits."""
    return digits_values("mnist_mlp_dropout", data_of("mnist_mlp_dropout", setting), seed=setting.seed, say=setting.say)


def digits_values(name: str, data: Dataset, *, seed: int, say: Say, epochs: int | None = None) -> dict[str, Any]:
    """Return test accuracy and loss and the history of a digit classifier; for the seed 0 also what it mistakes."""
    result = train(name, data=data, epochs=epochs, seed=seed, callbacks=[told(say, name)], verbose=False)
    values = {**rounded(result.metrics, 6), "history": rounded(result.history)}
    if seed == 0:
        values["evidence"] = mistakes(engine.predict(result.model, data.x_test), data.x_test, data.y_test)
    return values


def mistakes(probabilities: Any, x: Any, labels: Any) -> dict[str, Any]:
    """Return the confusion matrix of a digit classifier, and the digits that it finds hardest.

    Args:
        probabilities: (N, 10) float, the classifier's outputs.
        x: (N, 784) float in [0, 1], the pictures.
        labels: (N,) int, the true digits.

    Returns:
        `confusion_matrix`, 10 rows by true digit of 10 counts by predicted digit, and `hardest`, those 16 whose true
        digit gets the least `probability`; `confidence` is that of the predicted digit, `png` the picture in base64.
    """
    predicted = probabilities.argmax(-1)
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (labels, predicted), 1)
    given = probabilities[np.arange(len(labels)), labels]  # (N,), to the true digit
    hardest = [
        {
            "index": int(place),
            "label": int(labels[place]),
            "predicted": int(predicted[place]),
            "probability": rounded(float(given[place]), 3),
            "confidence": rounded(float(probabilities[place].max()), 4),
            "png": _png(x[place]),
        }
        for place in np.argsort(given, kind="stable")[:_HARDEST]
    ]
    return {"confusion_matrix": matrix.tolist(), "hardest": hardest}


def _png(pixels: Any) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8).reshape(28, 28)).save(file, "png", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


@experiment("textgen_lstm_training", needs=("tiny_shakespeare",), seeds=5, minutes=14, revision=2)
def textgen_lstm_training(setting: Setting) -> dict[str, Any]:
    """Train `textgen_lstm` by the recipe of document 002, section 5.2 on characters, measure it and let it write.

    Measured: loss (nats a character), perplexity and accuracy on every character of the test text; the share of the
    words in 2000 generated characters (temperature 1, the experiment's seed) that occur in the training text. To
    compare: the same share for the test text itself and for its characters in random order (`above_chance` is the
    generated text's share less that), and the loss of guessing by the frequencies of the characters.
    """
    data = data_of("textgen_lstm", setting)
    words: Any = data_of("textgen_lstm", setting, unit="word", max_vocabulary=1_000_000).vocabulary
    return text_values(data, set(words.tokens), seed=setting.seed, say=setting.say)


def text_values(
    data: Dataset, known: set[str], *, seed: int, say: Say, epochs: int | None = None, length: int = 2000
) -> dict[str, Any]:
    """Return the values of `textgen_lstm_training`; `known` are the words of the training text."""
    from kerazoo import generate

    vocabulary: Any = data.vocabulary
    following: Any = data.y_test  # windows begin at every character: the test text itself, but for its beginning
    progress = told(say, "textgen_lstm")
    result = train("textgen_lstm", data=data, epochs=epochs, seed=seed, callbacks=[progress], verbose=False)
    text = generate(result.model, length=length, temperature=1.0, seed=seed)
    real = vocabulary.decode(following)
    shuffled = vocabulary.decode(np.random.default_rng(seed).permutation(following))
    shares = {name: word_share(of, known) for name, of in {"text": text, "real": real, "shuffled": shuffled}.items()}
    return {
        "loss": rounded(result.metrics["loss"], 6),
        "perplexity": rounded(math.exp(result.metrics["loss"]), 6),
        "accuracy": rounded(result.metrics["accuracy"], 6),
        "word_share": rounded(shares["text"]),
        "above_chance": rounded(shares["text"] - shares["shuffled"]),
        "below_real_text": rounded(shares["real"] - shares["text"]),
        "sample": text[:300],
        "history": rounded(result.history),
        "evidence": {
            "words": len(_WORD.findall(text)),
            "word_share_of_test_text": rounded(shares["real"]),
            "word_share_of_shuffled_test_text": rounded(shares["shuffled"]),
            "loss_of_character_frequencies": rounded(_loss_of_frequencies(data.y_train, following)),
        },
    }


def word_share(text: str, known: set[str]) -> float:
    """Return the share of the words of `text` that are among `known`; 0.0 where there is no word.

    A word is a run of letters, with apostrophes inside; case counts.
    """
    words = _WORD.findall(text)
    return sum(word in known for word in words) / len(words) if words else 0.0


def _loss_of_frequencies(train_ids: Any, test_ids: Any) -> float:
    """Return the loss, in nats a character, of guessing each test character by its frequency in the training text."""
    counts = 1 + np.bincount(train_ids, minlength=int(max(train_ids.max(), test_ids.max())) + 1)  # no frequency is 0
    return float(-np.log(counts / counts.sum())[test_ids].mean())
