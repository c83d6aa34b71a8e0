"""Experiments that a claim declares in TOML: a model is built or trained, by kerazoo's own functions.

The experiment is named after what it declares, so that claims with the same declaration share their rows, and rows of
another declaration do not count.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from kerazoo.errors import InputError
from kerazoo.factory import build
from kerazoo.lazy import keras
from kerazoo.ledger.catalog import Experiment, Setting
from kerazoo.ledger.shapes import key
from kerazoo.options import check_options
from kerazoo.registry import spec
from kerazoo.tasks import task_of
from kerazoo.training.train import train, train_options

_REVISION = 1
_CHEAP = 0.2  # minutes


@dataclass(frozen=True)
class Training:
    """A model and how it is trained: what `kerazoo.train` is given."""

    train: str = key("A model of the zoo, or a registered one, to train.", default="")
    options: dict[str, Any] = key("Options of the model, its recipe or its data.", default_factory=dict)
    epochs: int | None = key("Passes over the training data; the recipe's by default.", default=None)
    batch_size: int | None = key("Examples a step; the recipe's by default.", default=None)


@dataclass(frozen=True)
class Declared(Training):
    """An experiment without Python. Its values are those that `values` names."""

    build: str = key("In place of `train`: a model to build, and not to train.", default="")
    against: Literal["keras"] | Training | None = key(
        'What the time is compared with: "keras", the same training by plain Keras, or another training.', default=None
    )
    seeds: int = key("How many trainings, with the seeds 0, 1, ...", default=3)
    minutes: float = key("An estimate for one seed; below 0.2 `--quick` takes it too.", default=1.0)

    @property
    def model(self) -> str:
        """The model that is trained or built."""
        return self.train or self.build

    @property
    def values(self) -> tuple[str, ...]:
        """The first step of each path that a claim's `value` may be."""
        if self.build:
            return ("parameters",)
        compared = ("times_as_fast",) if self.against else ()
        return ("loss", *spec(self.train).recipe.metrics, "history", "parameters", "seconds", *compared)

    @property
    def experiment(self) -> Experiment:
        """The experiment of the catalog."""
        measure, seeds = (self._trained, self.seeds) if self.train else (self._built, 1)
        quick = bool(self.build) or self.minutes < _CHEAP
        trained = [self, *([self.against] if isinstance(self.against, Training) else [])]
        own = (task_of(spec(one.train)).real for one in trained if one.train and not one.options.get("corpus"))
        needs = tuple(dict.fromkeys(filter(None, own)))
        return Experiment(self.name, needs, seeds, quick, self.minutes, _REVISION, measure)

    @property
    def name(self) -> str:
        """The experiment's name in the record: verb, model, and a digest of what is declared, the seeds left out."""
        content = dataclasses.asdict(dataclasses.replace(self, seeds=0, minutes=0.0))
        digest = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:10]
        return f"{'train' if self.train else 'build'}-{self.model}-{digest}"

    def _built(self, setting: Setting) -> dict[str, Any]:
        model = build(self.build, seed=setting.seed, compile=False, **_as_options(self.options))
        return {"parameters": model.count_params()}

    def _trained(self, setting: Setting) -> dict[str, Any]:
        """Train the model and, where there is one, its rival; which comes first alternates from seed to seed."""
        values: dict[str, Any] = {}
        rival: dict[str, Any] = {}
        calls: list[tuple[dict[str, Any], Training, bool]] = [(values, self, False)]
        if self.against:
            other = self if self.against == "keras" else self.against
            calls.append((rival, other, self.against == "keras"))
        for found, training, plain in calls[:: -1 if setting.seed % 2 else 1]:
            with _plain_keras() if plain else contextlib.nullcontext():
                found.update(_train(training, setting))
        if rival:
            values["times_as_fast"] = rival["seconds"] / values["seconds"]
            values["evidence"] = {"against": {name: rival[name] for name in rival if name != "history"}}
        return values


def faults_of_declaration(declared: Declared) -> Iterator[str]:
    """Yield what cannot be carried out of what is declared, a sentence each."""
    if bool(declared.train) == bool(declared.build):
        yield "wants either 'train' or 'build', the name of a model"
        return
    if declared.build and (declared.epochs or declared.batch_size or declared.against):
        yield "'build' does not train; leave epochs, batch_size and against out"
    if declared.seeds < 1 or declared.minutes <= 0:
        yield f"seeds = {declared.seeds}, minutes = {declared.minutes:g}; wanted a seed and a time above 0"
    rivals = [declared.against] if isinstance(declared.against, Training) else []
    for training in (declared, *rivals):
        name = training.train or declared.build
        try:
            model = spec(name)
            accepted = model.defaults if declared.build else train_options(model)
            check_options(training.options, accepted, f"model '{name}'")
        except InputError as error:
            yield str(error)
            continue
        if not declared.build and task_of(model).load is None:
            yield f"model '{name}' has no data of its own; write the experiment in experiments.py"
        if any(number is not None and number < 1 for number in (training.epochs, training.batch_size)):
            yield f"epochs = {training.epochs}, batch_size = {training.batch_size}; wanted whole numbers above 0"


def _as_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return options with TOML's lists as the tuples that builders take."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}


@contextlib.contextmanager
def _plain_keras() -> Iterator[None]:
    """Have the engine take Keras's own `fit` inside the block."""
    before = os.environ.get("KERAZOO_PLAIN")
    os.environ["KERAZOO_PLAIN"] = "1"
    try:
        yield
    finally:
        del os.environ["KERAZOO_PLAIN"]
        if before is not None:
            os.environ["KERAZOO_PLAIN"] = before


@dataclass
class _Clock:
    """Times the epochs of a training."""

    seconds: list[float] = field(default_factory=list)

    @property
    def callback(self) -> keras.callbacks.Callback:
        return keras.callbacks.LambdaCallback(on_epoch_begin=self._begin, on_epoch_end=self._end)

    def _begin(self, epoch: int, logs: Any = None) -> None:
        self.seconds.append(time.perf_counter())

    def _end(self, epoch: int, logs: Any = None) -> None:
        self.seconds[-1] = time.perf_counter() - self.seconds[-1]


def _train(training: Training, setting: Setting) -> dict[str, Any]:
    """Return the metrics of the test split, the history, the parameters, and the seconds of an epoch.

    The seconds are the median of the epochs after the first, which compiles, with their validation.
    """
    clock = _Clock()
    result = train(
        training.train,
        epochs=training.epochs,
        batch_size=training.batch_size,
        seed=setting.seed,
        source="auto" if setting.source == "none" else setting.source,
        data_dir=setting.data_dir,
        callbacks=[clock.callback],
        verbose=False,
        **_as_options(training.options),
    )
    return {
        **result.metrics,
        "history": result.history,
        "parameters": result.model.count_params(),
        "seconds": statistics.median(clock.seconds[1:] or clock.seconds),
    }
