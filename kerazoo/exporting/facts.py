"""What travels in an exported file, so that whoever has nothing else can ask the model: names, words, preparation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kerazoo._version import __version__
from kerazoo.data.fitting import told_apart
from kerazoo.lazy import keras
from kerazoo.model_file import origin_of, origin_to_json
from kerazoo.trained import Trained

MEMBER = "kerazoo.json"
"""The name of the facts where a format takes files beside the model, as in a `.keras` file."""


def facts_of(chosen: Trained[Any], model: keras.Model) -> dict[str, Any]:
    """Return what is known of a model as plain values: what its `.keras` file says, and how to ask it.

    `model` and `task` as kerazoo calls them; `options` that it was built with; `classes` in the order of the outputs;
    `vocabulary` with its tokens, in the order of their ids, and the `unit` that a text is split into; `inputs` and
    `outputs`, each with shape, dtype and meaning; and kerazoo's `version`.
    """
    origin, spec = origin_of(model), chosen.spec
    names = origin.classes or chosen.task.classes
    return {
        **json.loads(origin_to_json(origin)),
        "classes": list(names) if len(names) == told_apart(model) else [],
        "task": chosen.task.name,
        "inputs": _tensors(model.inputs, spec.inputs if spec else ()),
        "outputs": _tensors(model.outputs, spec.outputs if spec else ()),
        "version": __version__,
    }


def _tensors(tensors: Any, known: tuple[Any, ...]) -> list[dict[str, Any]]:
    meanings = {one.name: one.meaning for one in known}
    first = known[0].meaning if len(known) == len(tensors) == 1 else ""
    return [
        {"name": one.name, "shape": list(one.shape), "dtype": one.dtype, "meaning": meanings.get(one.name, first)}
        for one in tensors
    ]


def as_json(facts: Mapping[str, Any]) -> str:
    """Return the facts as JSON text."""
    return json.dumps(facts, ensure_ascii=False)
