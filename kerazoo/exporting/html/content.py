"""What a page is given of a model: its kind, its layers, its words and classes."""

from __future__ import annotations

from typing import Any

from kerazoo.data import Vocabulary
from kerazoo.data.fitting import told_apart
from kerazoo.errors import InputError
from kerazoo.exporting.html.layers import Layer, layers_of
from kerazoo.lazy import keras
from kerazoo.model_file import Origin, origin_of
from kerazoo.registry import list_models, spec
from kerazoo.tasks import Digits, Task, task_of

_PIXELS = 784  # of a digit
_LENGTH = 100  # words that are read where a model takes any number
_UNITS = ("char", "token", "word", "character")  # those that need no dictionary


def content_of(model: keras.Model, name: str) -> dict[str, Any]:
    """Return what the page knows of the model, as its JavaScript reads it."""
    layers, origin = layers_of(model), origin_of(model)
    kind = _kind(model, name, layers, origin.vocabulary)
    content: dict[str, Any] = {"name": name, "kind": kind, "layers": layers}
    if kind != "writing":
        content["classes"] = _classes(model, name, layers, origin)
    if origin.vocabulary is not None and kind != "digits":
        vocabulary = origin.vocabulary
        content["vocabulary"] = {
            "unit": vocabulary.unit,
            "tokens": vocabulary.tokens,
            "unknown": vocabulary.unknown,
        }
        content["length"] = model.inputs[0].shape[1] or origin.options.get("sequence_length", _LENGTH)
    return content


def _kind(model: keras.Model, name: str, layers: list[Layer], vocabulary: Vocabulary | None) -> str:
    """Return which page fits a model: "digits", "reviews" or "writing"."""
    task = task_of(spec(name)) if name in list_models() else Task("")
    if layers[0]["kind"] == "dense":
        if tuple(model.inputs[0].shape[1:]) == (_PIXELS,) and (isinstance(task, Digits) or not task.name):
            return "digits"
        takes = task.takes if task.name else f"rows of {model.inputs[0].shape[-1]} numbers"
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


def _classes(model: keras.Model, name: str, layers: list[Layer], origin: Origin) -> list[str]:
    """Return the classes by their names, or else by numbers."""
    last, units = layers[-1]["activation"], layers[-1]["kernel"].shape[1]
    if last != ("sigmoid" if units == 1 else "softmax"):
        raise InputError(f"the model '{name}' ends in {units} units with {last}, not in a softmax or one sigmoid")
    count = told_apart(model)
    return list(origin.classes if len(origin.classes) == count else map(str, range(count)))
