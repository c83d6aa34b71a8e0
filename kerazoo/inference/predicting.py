"""Answers of a trained classifier: from texts, pictures or arrays to classes, and why."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from kerazoo import engine
from kerazoo.data import Vocabulary, imdb
from kerazoo.data.vocabulary import pad_front
from kerazoo.errors import DataError, InputError, NotFiniteError
from kerazoo.factory import PRETRAINED, build, exact_products
from kerazoo.inference.inputs import Item, items
from kerazoo.inference.kept import pretrained
from kerazoo.lazy import keras, np
from kerazoo.model_file import load_model, origin_of
from kerazoo.registry import spec
from kerazoo.schema import ModelSpec, Prediction, Word

_BATCH = 256
_LOSSES = ("sparse_categorical_crossentropy", "binary_crossentropy")
_CHARACTERS_A_WORD = 64  # of a long text only so much is split as its last words can take


def predict(
    name: str,
    inputs: Any,
    *,
    model: keras.Model | str | os.PathLike[str] | None = None,
    weights: str | None = PRETRAINED,
    explain: bool = True,
) -> list[Prediction]:
    """Return the answer of a trained classifier to each of `inputs`.

    Args:
        name: a classifier of the zoo, e.g. "imdb_lstm".
        inputs: one input or an iterable of them. For a model of text: texts, rows of word ids, a `Path` of a UTF-8 file
            with one text a line, or an open binary file of that form. For a model of digits: paths of pictures, of
            directories of pictures, or of `.npy` and `.npz` files; arrays (28, 28), (N, 28, 28), (N, 784), uint8 or
            float in [0, 1], as MNIST has them; arrays (H, W) or (H, W, 3) of any other size, and Pillow's images. A
            picture is centred and scaled as MNIST was. For other models rows of numbers.
        model: a trained model or the path of its `.keras` file, in place of `weights`.
        weights: as in `build`: "pretrained", or the path of a file.
        explain: weigh the words of a text, which takes about ten times as long.

    Raises:
        UnknownModelError: there is no model of that name.
        InputError: the model does not classify, or has no such weights.
        DataError: an input cannot be read, or a text has no word that the model knows.
        NotFiniteError: the model answers with NaN or infinity.
    """
    return list(stream(name, inputs, model=model, weights=weights, explain=explain))


def stream(
    name: str,
    inputs: Any,
    *,
    model: keras.Model | str | os.PathLike[str] | None = None,
    weights: str | None = PRETRAINED,
    explain: bool = True,
    attention: bool = False,
) -> Iterator[Prediction]:
    """Yield what `predict` returns, a few hundred inputs at a time, however many there are.

    The name and the first input are looked at before the model is built. With `attention`, predictions of a model that
    attends carry its weights.
    """
    model_spec = spec(name)
    _check_classifies(model_spec)
    given = items(model_spec.dataset, inputs)
    given = itertools.chain([next(given)], given)
    trained = _trained(name, model, weights)
    of_text = model_spec.dataset == "imdb"
    read, answer = _of_texts(trained, explain, attention) if of_text else _of_numbers(trained)
    labels = _labels(trained)
    batches = _batches(map(read, given))
    return itertools.chain.from_iterable(_named(answer(batch), labels, model_spec) for batch in batches)


def _check_classifies(model_spec: ModelSpec) -> None:
    if model_spec.dataset == "text":
        raise InputError(f"the model '{model_spec.name}' writes text; use kerazoo generate")
    if model_spec.recipe.loss not in _LOSSES:
        raise InputError(f"the model '{model_spec.name}' has no classes to predict; 'mnist_mlp' and 'imdb_lstm' do")


def _trained(name: str, model: Any, weights: str | None) -> keras.Model:
    if isinstance(model, (str, os.PathLike)):
        return load_model(model, name)
    if model is not None:
        return model
    if weights is None:
        raise InputError("weights=None: wanted 'pretrained' or the path of a file; fresh weights know nothing")
    if str(weights).endswith(".keras"):
        return load_model(weights, name)
    return pretrained(name) if weights == PRETRAINED else build(name, weights=weights, compile=False)


class _Input(NamedTuple):
    """One input as the model takes it: its name, its numbers, and of a text the words that they stand for."""

    name: str
    row: Any
    words: Sequence[str] = ()


def _batches(given: Iterator[_Input]) -> Iterator[list[_Input]]:
    """Yield lists of up to _BATCH inputs; those before one that cannot be read come before its error."""
    batch: list[_Input] = []
    count = 0
    try:
        for item in given:
            batch.append(item)
            count += 1
            if len(batch) == _BATCH:
                yield batch
                batch = []
    except DataError as error:
        if batch:
            yield batch
        if count:
            raise DataError(f"{error}; what comes after it was not read") from None
        raise
    if batch:
        yield batch


@dataclasses.dataclass(frozen=True)
class _Answer:
    """What came out for one input."""

    of: _Input
    output: np.ndarray
    words: tuple[Word, ...] = ()
    attention: Any = None


_Reads = Callable[[Item], _Input]
_Answers = Callable[[list[_Input]], Iterable[_Answer]]


def _of_numbers(model: keras.Model) -> tuple[_Reads, _Answers]:
    """Return what checks rows of numbers, and what predicts them."""
    wanted = tuple(model.inputs[0].shape[1:])

    def read(item: Item) -> _Input:
        if np.shape(item.value) != wanted:
            raise DataError(f"{item.name} has shape {np.shape(item.value)}; wanted {wanted}")
        if not np.isfinite(item.value).all():
            raise DataError(f"{item.name} holds NaN or infinity; wanted finite numbers")
        return _Input(item.name, np.asarray(item.value, np.float32))

    def answer(batch: list[_Input]) -> Iterable[_Answer]:
        outputs = _predicted(model, np.stack([one.row for one in batch]))
        return (_Answer(one, output) for one, output in zip(batch, outputs, strict=True))

    return read, answer


def _predicted(model: keras.Model, x: np.ndarray) -> np.ndarray:
    with exact_products():
        outputs = engine.predict(model, x)
    _check_finite(outputs)
    return outputs


def _check_finite(outputs: np.ndarray) -> None:
    if not np.isfinite(outputs).all():
        message = "the model answers with numbers that are not finite (its training diverged?); train it anew"
        raise NotFiniteError(message)


def _of_texts(model: keras.Model, explain: bool, attention: bool) -> tuple[_Reads, _Answers]:
    """Return what reads the last words of a text, and what predicts them."""
    from kerazoo.inference import attribution

    vocabulary = origin_of(model).vocabulary
    if vocabulary is None:
        raise InputError("the model carries no vocabulary; load a file that kerazoo.save_model or kerazoo.train wrote")
    length = model.inputs[0].shape[1] or origin_of(model).options.get("sequence_length", 100)
    reader = attribution.reader_of(model, vocabulary.unknown) if explain else None

    def answer(batch: list[_Input]) -> Iterator[_Answer]:
        ids = pad_front([one.row for one in batch], length)
        if reader is None:
            outputs, weights = _predicted(model, ids), np.zeros(ids.shape, np.float32)
        else:
            outputs, weights = reader.read(ids)
            _check_finite(outputs)
        attended = attribution.attention_of(model, ids) if attention else None
        for place, one in enumerate(batch):
            first = length - len(one.row)
            weighed = zip(one.words, weights[place, first:].tolist(), one.row, strict=True)
            words = tuple(Word(word, weight, token != vocabulary.unknown) for word, weight, token in weighed)
            seen = None if attended is None else attended[place, :, first:, first:]
            yield _Answer(one, outputs[place], words if reader else (), seen)

    return lambda item: _last_words(item, vocabulary, length), answer


def _last_words(item: Item, vocabulary: Vocabulary, length: int) -> _Input:
    """Return what the model reads of a text or a row of ids: the last `length` words."""
    if not isinstance(item.value, str):
        row = imdb.as_tokens([item.value], len(item.value), len(vocabulary), None)[0]
        row = row[np.flatnonzero(row)[0] :] if row.any() else row[:0]  # without its padding
        tokens = [vocabulary.tokens[one] for one in row[-length:]]
    else:
        text, most = item.value.rstrip(), _CHARACTERS_A_WORD * length
        # From the first whole word of the end: a book takes no longer than a page.
        tail = text if len(text) <= most else text[-most:].split(None, 1)[-1]
        tokens = vocabulary.split(tail)[-length:]
    ids = vocabulary.ids_of(tokens).tolist()
    if all(one == vocabulary.unknown for one in ids):
        raise DataError(f"{item.name!r} has no word that the model knows; wanted a text like those it was trained on")
    return _Input(item.name, ids, tokens)


def _labels(model: keras.Model) -> Sequence[str]:
    count = max(2, model.outputs[0].shape[-1])
    labels = origin_of(model).classes
    return labels if len(labels) == count else tuple(map(str, range(count)))


def _named(answers: Iterable[_Answer], labels: Sequence[str], model_spec: ModelSpec) -> Iterator[Prediction]:
    for one in answers:
        shares = _probabilities(np.asarray(one.output, np.float64), model_spec.recipe.from_logits)
        best = int(shares.argmax())
        yield Prediction(
            input=one.of.name,
            label=labels[best],
            probability=float(shares[best]),
            probabilities=dict(zip(labels, shares.tolist(), strict=True)),
            words=one.words,
            pixels=np.reshape(one.of.row, (28, 28)) if model_spec.dataset == "mnist" else None,
            attention=one.attention,
        )


def _probabilities(output: np.ndarray, from_logits: bool) -> np.ndarray:
    if from_logits:
        output = output if len(output) > 1 else np.array([0, output[0]])  # the odds of class 1 against class 0
        powers = np.exp(output - output.max())
        return powers / powers.sum()
    return np.array([1 - output[0], output[0]]) if len(output) == 1 else output
