"""Answers of a trained classifier: from texts, pictures or arrays to classes, and why."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from typing import Any

from kerazoo.errors import DataError, InputError, NotFiniteError
from kerazoo.factory import PRETRAINED
from kerazoo.inference.array_ops import softmax
from kerazoo.inference.choosing import choose
from kerazoo.inference.networks import Network, network
from kerazoo.lazy import keras, np
from kerazoo.schema import Prediction, Word
from kerazoo.tasks.items import Input, Item
from kerazoo.trained import Trained

_BATCH = 256
_ROUNDING = 1e-3  # of probabilities, in 16 bits
_LOSSES = ("sparse_categorical_crossentropy", "binary_crossentropy")


def predict(
    name: str | os.PathLike[str] | keras.Model,
    inputs: Any,
    *,
    model: keras.Model | str | os.PathLike[str] | None = None,
    weights: str | None = PRETRAINED,
    explain: bool = True,
    errors: list[DataError] | None = None,
) -> list[Prediction]:
    """Return the answer of a trained classifier to each of `inputs`.

    The package's weights and `.onnx` files are run by ONNX Runtime, without TensorFlow, Keras or JAX; other models by
    Keras.

    Args:
        name: a classifier of the zoo, e.g. "imdb_lstm", a trained Keras model, or the path of a `.keras` or an `.onnx`
            file.
        inputs: one input or an iterable of them. For a model of text: texts, rows of word ids, a `Path` of a UTF-8 file
            with one text a line, or an open binary file of that form. For a model of digits: paths of pictures, of
            directories of pictures, or of `.npy` and `.npz` files; arrays (28, 28), (N, 28, 28), (N, 784), uint8 or
            float in [0, 1], as MNIST has them; arrays (H, W) or (H, W, 3) of any other size, and Pillow's images. A
            picture is centred and scaled as MNIST was. For other models rows of numbers.
        model: beside a name: a trained model or the path of its file, in place of `weights`.
        weights: beside a name, as in `build`: "pretrained", or the path of a file.
        explain: weigh the words of a text, which takes longer: in ONNX Runtime as long as four answers a word, in
            Keras about ten times as long.
        errors: a list to which the errors of inputs that cannot be read are added, while the others are answered;
            None: the first of them is raised.

    Raises:
        UnknownModelError: there is no model of that name.
        InputError: the model does not classify, or has no such weights.
        DataError: an input cannot be read, or a text has no word that the model knows; or none can be read.
        NotFiniteError: the model answers with NaN or infinity.
    """
    return list(stream(name, inputs, model=model, weights=weights, explain=explain, errors=errors))


def stream(
    name: str | os.PathLike[str] | keras.Model,
    inputs: Any,
    *,
    model: keras.Model | str | os.PathLike[str] | None = None,
    weights: str | None = PRETRAINED,
    explain: bool = True,
    attention: bool = False,
    errors: list[DataError] | None = None,
) -> Iterator[Prediction]:
    """Yield what `predict` returns, a few hundred inputs at a time, however many there are.

    The name and the first input are looked at before the model is loaded. With `attention`, predictions of a model that
    attends carry its weights.
    """
    chosen = choose(name, model, weights)
    _check_classifies(chosen)
    if isinstance(inputs, Mapping):
        raise DataError("the inputs are a dictionary; wanted one input or a list of them")
    given = chosen.task.items(inputs)
    first = _first(given, errors)
    loaded, words = network(chosen.load(), chosen.name), chosen.task.explains
    asked = Classifier(loaded, chosen, explain and words, attention and words)
    read = _read(asked, itertools.chain([first], given), errors)
    return itertools.chain.from_iterable(map(asked.answers, _batches(read)))


def classifier(
    name: str | os.PathLike[str] | keras.Model,
    *,
    model: keras.Model | str | os.PathLike[str] | None = None,
    explain: bool = False,
) -> Classifier:
    """Return a loaded classifier, to be asked again and again; the arguments are those of `predict`.

    Raises:
        UnknownModelError: there is no model of that name.
        InputError: the model does not classify, or has no pretrained weights.
    """
    chosen = choose(name, model)
    _check_classifies(chosen)
    return Classifier(network(chosen.load(), chosen.name), chosen, explain and chosen.task.explains, False)


def _first(given: Iterator[Item], errors: list[DataError] | None) -> Item:
    """Return the first input that can be read; the errors of those before it are added to `errors`.

    Raises:
        DataError: none can, or the first cannot and there is no list for its error.
    """
    for item in given:
        if not isinstance(item.value, DataError):
            return item
        if errors is None:
            raise item.value
        errors.append(item.value)
    raise (errors or [DataError("there is nothing to predict; give at least one input")])[0]


def _check_classifies(chosen: Trained[Any]) -> None:
    if chosen.task.generates:
        raise InputError(f"the model '{chosen.name}' writes text; use kerazoo generate")
    if chosen.spec and chosen.spec.recipe.loss not in _LOSSES:
        raise InputError(f"the model '{chosen.name}' has no classes to predict; 'mnist_mlp' and 'imdb_lstm' do")


def _read(asked: Classifier, given: Iterator[Item], errors: list[DataError] | None) -> Iterator[Input]:
    """Yield the inputs that can be read; the errors of the others are added to `errors`, or the first raised."""
    count = 0
    for item in given:
        try:
            if isinstance(item.value, DataError):
                raise item.value
            yield asked.to_input(item)
            count += 1
        except DataError as error:
            if errors is None:
                raise (DataError(f"{error}; what comes after it was not read") if count else error) from None
            errors.append(error)
    if not count and errors:
        raise errors[0]


def _batches(given: Iterator[Input]) -> Iterator[list[Input]]:
    """Yield lists of up to _BATCH inputs; those before one that cannot be read come before its error."""
    batch: list[Input] = []
    try:
        for one in given:
            batch.append(one)
            if len(batch) == _BATCH:
                yield batch
                batch = []
    except DataError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


class Classifier:
    """How a loaded model is asked: what it reads of an input, and its answers to a batch of them."""

    def __init__(self, model: Network, chosen: Trained[Any], explain: bool, attention: bool):
        self.model, self.task, self.origin = model, chosen.task, model.origin
        length = self.origin.options.get("sequence_length", 100)  # where the model takes any
        shape: Any = tuple(size or length for size in model.shape) if self.task.explains else model.shape
        self.shape = shape
        self.from_logits = chosen.spec is not None and chosen.spec.recipe.from_logits
        self.explain, self.attention = explain and self.origin.vocabulary is not None, attention
        names = self.origin.classes
        self.labels = names if len(names) == model.classes else tuple(map(str, range(model.classes)))

    def to_input(self, item: Item) -> Input:
        """Return what the model takes of an input."""
        return self.task.to_input(item, self.shape, self.origin.vocabulary)

    def answers(self, batch: list[Input]) -> Iterator[Prediction]:
        """Yield a prediction for each input of a batch."""
        x = self.task.batch(batch, self.shape)
        vocabulary = self.origin.vocabulary
        reading = self.model.read(x, vocabulary.unknown) if self.explain and vocabulary else None
        outputs, weights = reading or (self.model.outputs(x), None)
        if not np.isfinite(outputs).all():
            message = "the model answers with numbers that are not finite (its training diverged?); train it anew"
            raise NotFiniteError(message)
        attended = self.model.attention(x) if self.attention else None
        for place, one in enumerate(batch):
            first = len(x[place]) - len(one.words)  # before it is padding
            shares = _probabilities(np.asarray(outputs[place], np.float64), self.from_logits)
            if shares.min() < 0 or shares.max() > 1 + _ROUNDING:
                told = f"the model answers with {np.ravel(outputs[place])[0]:g}, which is no probability"
                raise InputError(f"{told}; predict takes classifiers that end in a softmax or a sigmoid")
            best = int(shares.argmax())
            yield Prediction(
                input=one.name,
                label=self.labels[best],
                probability=float(shares[best]),
                probabilities=dict(zip(self.labels, shares.tolist(), strict=True)),
                words=self._words(one, weights[place, first:].tolist()) if weights is not None else (),
                method=self.model.method if weights is not None else "",
                pixels=self.task.shown(one),
                attention=None if attended is None else attended[place, :, first:, first:],
            )

    def _words(self, one: Input, weights: list[float]) -> tuple[Word, ...]:
        unknown = self.origin.vocabulary and self.origin.vocabulary.unknown
        weighed = zip(one.words, weights, one.row, strict=True)
        return tuple(Word(word, weight, token != unknown) for word, weight, token in weighed)


def _probabilities(output: np.ndarray, from_logits: bool) -> np.ndarray:
    if from_logits:
        output = output if len(output) > 1 else np.array([0, output[0]])  # the odds of class 1 against class 0
        return softmax(output)
    return np.array([1 - output[0], output[0]]) if len(output) == 1 else output
