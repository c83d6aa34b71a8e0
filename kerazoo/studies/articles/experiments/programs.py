"""The five printed programs: their calls with their shapes and data types, on a few random examples.

Each is written anew in the fewest lines that make the same calls in the same order, and run for a few steps; what the
documents' own data sets would be is drawn at random in their types. `fixed` names the repairs that are made.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from kerazoo import Setting, experiment
from kerazoo.lazy import keras, np, tf
from kerazoo.studies.articles.experiments.repairing import QUIET, Repair, names, run_repaired

Fixed = Collection[str]
_FEW = 32  # examples: one or two batches


@experiment("program_000", needs=("module:torch",), quick=True)
def program_000(setting: Setting) -> dict[str, Any]:
    """Run document 000's program (section 5.2) in PyTorch, whole: it is small."""
    import torch

    torch.manual_seed(setting.seed)
    dtype = "Tensors of whole numbers are int64; "
    return run_repaired(
        _perceptron,
        (
            Repair("inputs", "x_train as float32", dtype + "a linear layer takes the dtype of its float32 weights."),
            Repair("targets", "y_train as float32", dtype + "rows of class probabilities have to be floats."),
            Repair("test", "x_test as float32", dtype + "as for x_train."),
        ),
    )


def _perceptron(fixed: Fixed) -> dict[str, Any]:
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 2))
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.01)
    x_train = torch.tensor([[1, 0], [0, 1], [1, 1], [1, 0]], dtype=torch.float32 if "inputs" in fixed else None)
    y_train = torch.tensor([[1, 0], [0, 1], [1, 0], [1, 0]], dtype=torch.float32 if "targets" in fixed else None)
    log = []
    for epoch in range(1000):
        optimizer.zero_grad()
        outputs = model(x_train)
        loss = criterion(outputs, y_train)
        loss.backward()
        optimizer.step()
        if (epoch + 1) % 100 == 0:
            log.append(loss.item())
    x_test = torch.tensor([[0, 1], [1, 1]], dtype=torch.float32 if "test" in fixed else None)
    outputs = model(x_test)
    rows = [[round(value, 4) for value in row] for row in outputs.tolist()]
    return {
        "evidence": {"loss": [round(loss, 4) for loss in log], "printed": rows},
        "note": f"It then logs {len(log)} losses, from {log[0]:.4f} to {log[-1]:.4f}, and prints the logits {rows}.",
    }


@experiment("program_001", needs=("backend:tensorflow",), quick=True)
def program_001(setting: Setting) -> dict[str, Any]:
    """Run document 001's program (section 5.2) on reviews of the type that `imdb.load_data()` returns."""
    tf.random.set_seed(setting.seed)
    return run_repaired(
        _reviews,
        (
            Repair(
                "tokenizer",
                "leave the Tokenizer out",
                "imdb.load_data() gives lists of word ids, not text: there is nothing left to tokenise.",
            ),
            Repair(
                "num_words",
                "imdb.load_data(num_words=20000)",
                "By default every word keeps its id, and the Embedding has rows for 20000 (a CPU refuses larger ids; a "
                "GPU reads zeros for them, as TensorFlow documents).",
            ),
        ),
    )


def _reviews(fixed: Fixed) -> dict[str, Any]:
    from tensorflow.keras.layers import LSTM, Dense, Embedding
    from tensorflow.keras.models import Model
    from tensorflow.keras.preprocessing.sequence import pad_sequences

    x_train, x_test = (_imdb_reviews(seed, 20_000 if "num_words" in fixed else None) for seed in (0, 1))
    y_train, y_test = np.arange(_FEW) % 2, np.arange(_FEW) % 2
    if "tokenizer" not in fixed:
        tokenizer = tf.keras.preprocessing.text.Tokenizer()
        tokenizer.fit_on_texts(x_train)
        x_train, x_test = tokenizer.texts_to_sequences(x_train), tokenizer.texts_to_sequences(x_test)
    x_train, x_test = pad_sequences(x_train, maxlen=100), pad_sequences(x_test, maxlen=100)
    inputs = tf.keras.layers.Input(shape=(100,))
    embeddings = Embedding(input_dim=20000, output_dim=128)(inputs)
    model = Model(inputs=inputs, outputs=Dense(1, activation="sigmoid")(LSTM(128)(embeddings)))
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=10, batch_size=32, validation_data=(x_test, y_test), **QUIET)
    model.fit(x_train, y_train, epochs=5, batch_size=32, validation_data=(x_test, y_test), **QUIET)
    homes = {"tf.keras": tf.keras.preprocessing, "keras": keras.preprocessing}
    there = [name for name, home in homes.items() if "text" in dir(home)]
    return {"evidence": {"tokenizer_in": there}, "note": f"Tokenizer itself still exists in {' and '.join(there)}."}


def _imdb_reviews(seed: int, num_words: int | None) -> Any:
    """Return reviews as `imdb.load_data` does: an object array of lists of ids, with 1 at the start, 2 for others."""
    random = np.random.default_rng(seed)
    reviews = np.empty(_FEW, object)
    for place in range(_FEW):
        words = 4 + random.zipf(1.2, size=int(random.integers(50, 300))) % 80_000  # frequent words have small ids
        reviews[place] = [1, *(int(word) if num_words is None or word < num_words else 2 for word in words)]
    return reviews


@experiment("program_002", needs=("backend:tensorflow",), quick=True)
def program_002(setting: Setting) -> dict[str, Any]:
    """Run document 002's program (section 5.2) with one more of its undefined names defined each time."""
    tf.random.set_seed(setting.seed)
    reasons = {
        "vocab_size": ("the number of tokens of the training text", "Nothing defines it."),
        "embedding_size": ("the width of the embedding", "Nothing defines it."),
        "x_train": ("windows of token ids, (N, T)", "The document prepares no data."),
        "y_train": ("the token after each window, one-hot, (N, vocab_size)", "The loss is categorical_crossentropy."),
        "x_test": ("windows of token ids, (N, T)", "The document prepares no data."),
        "decode": ("a function from predictions to text", "Neither Keras nor the document has one."),
    }
    return run_repaired(
        _generator, [Repair(name, f"define {name}: {what}", why) for name, (what, why) in reasons.items()]
    )


def _generator(fixed: Fixed) -> dict[str, Any]:
    from tensorflow.keras.layers import LSTM, Dense, Embedding
    from tensorflow.keras.models import Sequential

    random, letters = np.random.default_rng(0), "abcdefgh"
    definitions = {
        "vocab_size": len(letters),
        "embedding_size": 16,
        "x_train": random.integers(len(letters), size=(_FEW, 10)),
        "y_train": np.eye(len(letters))[random.integers(len(letters), size=_FEW)],
        "x_test": random.integers(len(letters), size=(5, 10)),
        "decode": lambda rows: "".join(letters[place] for place in rows.argmax(-1)),
    }
    named = names({name: value for name, value in definitions.items() if name in fixed})
    model = Sequential()
    model.add(Embedding(input_dim=named("vocab_size"), output_dim=named("embedding_size")))
    model.add(LSTM(units=128, activation="tanh"))
    model.add(Dense(units=named("vocab_size"), activation="softmax"))
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    model.fit(named("x_train"), named("y_train"), epochs=10, batch_size=64, **QUIET)
    generated_text = model.predict(named("x_test"), **QUIET)
    decoded_text = named("decode")(generated_text)
    windows, size = generated_text.shape
    return {
        "evidence": {"predicted_shape": [windows, size], "decoded_tokens": len(decoded_text)},
        "note": (
            f"What predict returns is no text: for {windows} windows it is {windows} distributions over the next "
            f"token, so decode can give one token a window ({len(decoded_text)} here), none of which follows another. "
            "To generate, each token has to be drawn and appended to the window before the next prediction."
        ),
    }


@experiment("program_003", needs=("backend:tensorflow",), quick=True)
def program_003(setting: Setting) -> dict[str, Any]:
    """Run document 003's program (section 4) on digits of the shape and type that `mnist.load_data()` returns."""
    tf.random.set_seed(setting.seed)
    return run_repaired(
        _digits,
        (
            Repair(
                "shape",
                "reshape both splits to (-1, 784)",
                "The digits are 28 x 28, the first layer takes vectors of 784; a Flatten layer would do as well.",
            ),
        ),
    )


def _digits(fixed: Fixed) -> dict[str, Any]:
    from tensorflow.keras import Sequential
    from tensorflow.keras.layers import Dense
    from tensorflow.keras.utils import to_categorical

    (x_train, y_train), (x_test, y_test) = _mnist_digits(), _mnist_digits()
    x_train, x_test = x_train / 255.0, x_test / 255.0
    y_train, y_test = to_categorical(y_train), to_categorical(y_test)
    if "shape" in fixed:
        x_train, x_test = x_train.reshape(-1, 784), x_test.reshape(-1, 784)
    layers = [Dense(256, activation="relu", input_shape=(784,)), Dense(128, activation="relu")]
    model = Sequential([*layers, Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=10, batch_size=32, **QUIET)
    loss, accuracy = model.evaluate(x_test, y_test, **QUIET)
    return {"evidence": {"evaluate_returns": [type(loss).__name__, type(accuracy).__name__]}}


def _mnist_digits() -> tuple[Any, Any]:
    """Return a split as `mnist.load_data` does: uint8 pictures (N, 28, 28) and labels (N,), every digit among them."""
    pictures = np.random.default_rng(0).integers(256, size=(_FEW, 28, 28), dtype=np.uint8)
    return pictures, np.arange(_FEW, dtype=np.uint8) % 10


@experiment("program_004", needs=("backend:tensorflow",), quick=True)
def program_004(setting: Setting) -> dict[str, Any]:
    """Run document 004's program (section 5.2) on digits of the shape and type that `mnist.load_data()` returns."""
    tf.random.set_seed(setting.seed)
    return run_repaired(_digits_with_dropout)


def _digits_with_dropout(fixed: Fixed) -> dict[str, Any]:
    from tensorflow.keras.layers import Activation, Dense, Dropout  # noqa: F401, the program imports Activation unused
    from tensorflow.keras.models import Sequential
    from tensorflow.keras.optimizers import RMSprop  # noqa: F401, as unused
    from tensorflow.keras.utils import to_categorical

    (x_train, y_train), (x_test, y_test) = _mnist_digits(), _mnist_digits()
    x_train = x_train.reshape(_FEW, 784).astype("float32") / 255  # the document writes MNIST's 60000 and 10000
    x_test = x_test.reshape(_FEW, 784).astype("float32") / 255
    y_train, y_test = to_categorical(y_train, 10), to_categorical(y_test, 10)
    model = Sequential()
    model.add(Dense(512, input_shape=(784,), activation="relu"))
    for layer in (Dropout(0.2), Dense(512, activation="relu"), Dropout(0.2), Dense(10, activation="softmax")):
        model.add(layer)
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=64, epochs=20, validation_data=(x_test, y_test), **QUIET)
    loss_and_metrics = model.evaluate(x_test, y_test, batch_size=100, **QUIET)
    return {
        "evidence": {"evaluate_returns": [type(number).__name__ for number in loss_and_metrics]},
    }
