"""What a page is given of a model: its kind, its layers, its words and classes."""

from __future__ import annotations

from typing import Any

from kerazoo.data import Vocabulary
from kerazoo.errors import InputError
from kerazoo.exporting.html.assembling import Layer
from kerazoo.exporting.html.layers import layers_of
from kerazoo.exporting.html.packaged import layers_of_arrays
from kerazoo.lazy import keras
from kerazoo.model_file import Origin, origin_of
from kerazoo.registry import list_models, spec
from kerazoo.tasks import Digits, Task, task_of
from kerazoo.weights import load

_PIXELS = 784  # of a digit
_LENGTH = 100  # words that are read where a model takes any number
_UNITS = ("char", "token", "word", "character")  # those that need no dictionary


def content_of(model: keras.Model, name: str) -> dict[str, Any]:
    """Return what the page knows of a model, as its JavaScript reads it; `name` is what it is called."""
    origin = origin_of(model)
    layers = layers_of(model)  # first: a model of another form may have no second axis
    length = model.inputs[0].shape[1] or origin.options.get("sequence_length", _LENGTH)
    return _content(name, layers, origin, length)


def content_of_packaged(name: str) -> dict[str, Any]:
    """Return the same of the model `name` of the zoo with its packaged weights, without Keras.

    Raises:
        UnknownModelError: no model has the name.
        InputError: it has no packaged weights.
    """
    known, stored = spec(name), load(name)
    origin = Origin(name, {**known.defaults, **stored.options}, stored.vocabulary, task_of(known).classes)
    return _content(name, layers_of_arrays(name, stored), origin, origin.options.get("sequence_length", _LENGTH))


def _content(name: str, layers: list[Layer], origin: Origin, length: int) -> dict[str, Any]:
    vocabulary = origin.vocabulary
    kind = _kind(name, layers, vocabulary)
    content: dict[str, Any] = {"name": name, "kind": kind, "layers": layers}
    if kind != "writing":
        content["classes"] = _classes(name, layers, origin)
    if kind != "digits" and vocabulary is not None:
        words = {"unit": vocabulary.unit, "tokens": list(vocabulary.tokens), "unknown": vocabulary.unknown}
        content |= {"vocabulary": words, "length": length}
    return content


def _kind(name: str, layers: list[Layer], vocabulary: Vocabulary | None) -> str:
    """Return which page fits a model: "digits", "reviews" or "writing"."""
    task = task_of(spec(name)) if name in list_models() else Task("")
    if layers[0]["kind"] == "dense":
        size = len(layers[0]["kernel"])
        if size == _PIXELS and (isinstance(task, Digits) or not task.name):
            return "digits"
        takes = f"rows of {size} numbers" if size != _PIXELS else task.takes
        raise InputError(f"the model '{name}' takes {takes}: there is nothing to draw or to write, so it has no page")
    if vocabulary is None:
        raise InputError(f"the model '{name}' carries no vocabulary; load a file that kerazoo wrote, and export that")
    if vocabulary.unit not in _UNITS:
        raise InputError(f"the words of '{name}' are found by jieba, which a page has not; train it with another unit")
    if len(vocabulary) > len(layers[0]["table"]):
        raise InputError(f"the vocabulary of '{name}' has {len(vocabulary)} tokens, more than its embedding has rows")
    if vocabulary.padded:
        return "reviews"
    if (layers[-1]["activation"], layers[-1]["kernel"].shape[1]) != ("softmax", len(vocabulary)):
        raise InputError(f"the model '{name}' does not end in a softmax over the {len(vocabulary)} tokens it may write")
    return "writing"


def _classes(name: str, layers: list[Layer], origin: Origin) -> list[str]:
    """Return the classes by their names, or else by numbers."""
    last, units = layers[-1]["activation"], layers[-1]["kernel"].shape[1]
    if last != ("sigmoid" if units == 1 else "softmax"):
        raise InputError(f"the model '{name}' ends in {units} units with {last}, not in a softmax or one sigmoid")
    count = max(2, units)
    return list(origin.classes if len(origin.classes) == count else map(str, range(count)))
