"""A loaded model as a server asks it: a document of JSON to what the model takes, and that to answers as JSON."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import Any, Protocol

import kerazoo
from kerazoo._version import __version__
from kerazoo.errors import DataError, InputError
from kerazoo.inference import generating
from kerazoo.inference.choosing import choose
from kerazoo.inference.predicting import classifier
from kerazoo.report.predictions import record
from kerazoo.serving.inputs import MOST_INPUTS, inputs_of
from kerazoo.tasks import Task
from kerazoo.tasks.files import check_unicode
from kerazoo.tasks.items import Input

LONGEST_TEXT = 2_000  # tokens that a request may have written
LONGEST_PROMPT = 10_000  # characters
_SETTINGS = {"length": 200, "temperature": 1.0, "top_k": None, "top_p": None, "seed": None, "stop": None}


class Served(Protocol):
    """What the server knows of its model.

    Attributes:
        name: the model's.
        task: a classifier's; None for a writer.
        path: under which it is asked.
        answers_are: what the answers are called in a response.
        facts: what `/health` tells.
    """

    name: str
    task: Task | None
    path: str
    answers_are: str
    facts: dict[str, Any]

    def read(self, document: Any) -> list[Any]:
        """Return what a request asks.

        Raises:
            InputError: it cannot be answered.
        """

    def answer(self, asked: list[Any]) -> Sequence[dict[str, Any]]:
        """Return the answers to what several requests ask."""


class Classifies:
    """A classifier, asked at `/predict`."""

    path, answers_are = "/predict", "predictions"
    task: Task | None

    def __init__(self, name: str, model: str | os.PathLike[str] | None, explain: bool) -> None:
        self._classifier = classifier(name, model=model, explain=explain)
        self.name = name
        self.task = self._classifier.task
        self.facts = {"model": name, "classes": list(self._classifier.labels), "version": __version__}

    def read(self, document: Any) -> list[Input]:
        """Return the inputs of a request as the model takes them.

        Raises:
            DataError: one cannot be read.
        """
        task, found = self._classifier.task, []
        for item in task.items(inputs_of(document, task)):
            try:
                if isinstance(item.value, DataError):
                    raise item.value
                found.append(self._classifier.to_input(item))
            except DataError as error:
                raise DataError(str(error) if item.name in str(error) else f"{item.name}: {error}") from None
            if len(found) > MOST_INPUTS:  # a list may be several rows
                raise DataError(f"more than {MOST_INPUTS} inputs in a request; send several")
        return found

    def answer(self, asked: list[Input]) -> list[dict[str, Any]]:
        """Return a prediction for each input."""
        return [record(one) for one in self._classifier.answers(asked)]


class Writes:
    """A writer of text, asked at `/generate`."""

    path, answers_are = "/generate", "texts"
    task: Task | None = None

    def __init__(self, name: str, model: str | os.PathLike[str] | None) -> None:
        self._model = choose(name, model).load()
        self.name = name
        self.facts = {"model": name, "version": __version__}

    def read(self, document: Any) -> list[dict[str, Any]]:
        """Return what is to be written, checked.

        Raises:
            InputError: a setting is unknown or cannot be used.
        """
        if not isinstance(document, dict) or set(document) - {"prompt", *_SETTINGS}:
            raise InputError(f"wanted a JSON object with any of: prompt, {', '.join(_SETTINGS)}")
        prompt, settings = document.get("prompt", ""), {**_SETTINGS, **document}
        settings.pop("prompt", None)
        if not isinstance(prompt, str) or len(prompt) > LONGEST_PROMPT:
            raise InputError(f"prompt: wanted a text of at most {LONGEST_PROMPT:,} characters")
        check_unicode(prompt, "the prompt")
        generating.check_settings(**settings)
        if settings["length"] > LONGEST_TEXT:
            raise InputError(f"length={settings['length']}: wanted at most {LONGEST_TEXT}")
        if settings["seed"] is None:
            settings["seed"] = random.randrange(2**32)  # so that the answer can tell it
        return [{"prompt": prompt, **settings}]

    def answer(self, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the texts, one after the other."""
        return [{"text": kerazoo.generate(self._model, **one), "seed": one["seed"]} for one in asked]
