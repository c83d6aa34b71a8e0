"""Whether a written model answers as Keras does: on real inputs where they are here, and what int8 changes."""

from __future__ import annotations

import math
import statistics
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerazoo.data.prepared import SampleDataWarning, data_root
from kerazoo.engine import internals
from kerazoo.errors import KerazooError
from kerazoo.exporting.formats import Format, Run, size_of
from kerazoo.factory import exact_products
from kerazoo.lazy import keras, np
from kerazoo.model_file import origin_of
from kerazoo.trained import Trained

INPUTS = 1_000  # that a written model is compared on
LABELLED = 10_000  # on which accuracy is measured, at most
_BATCH = 256
_MADE_UP_LENGTH = 16  # of a sequence that may have any
_TIMED, _WARM_UP = 200, 20


@dataclass(frozen=True)
class Sample:
    """Inputs of a model, an array (N, ...) for each of its inputs, labels where there are some, and whose they are."""

    inputs: list[Any]
    labels: Any
    data: str

    def first(self, count: int) -> list[Any]:
        """Return the first `count` examples of each input."""
        return [one[:count] for one in self.inputs]


@dataclass(frozen=True)
class Check:
    """What comparing a written model with Keras found.

    Attributes:
        inputs: how many were compared.
        data: whose they are.
        difference: the largest absolute difference of a number of the outputs.
        agreement: the share of equal answers, from 0 to 1; None where the outputs are no classes.
    """

    inputs: int
    data: str
    difference: float
    agreement: float | None


@dataclass(frozen=True)
class Measured:
    """A written model: its bytes, the median seconds of one example, and its accuracy on `labelled` examples."""

    bytes: int
    seconds: float
    accuracy: float | None
    labelled: int


def sample_of(chosen: Trained[Any], model: keras.Model) -> Sample:
    """Return inputs for `model`: of its task's test split if that is prepared here, else of the task's sample.

    Where a task has neither, or they do not fit the model, the inputs are made up.
    """
    found = _of_task(chosen, model) if len(model.inputs) == 1 and chosen.task.load else None
    return found or Sample(_made_up(model), None, "made-up inputs")


def _of_task(chosen: Trained[Any], model: keras.Model) -> Sample | None:
    task, origin = chosen.task, origin_of(model)
    defaults = {**chosen.spec.defaults, **task.options(chosen.spec)} if chosen.spec else {}
    try:
        here = task.real and (data_root(None) / task.real).is_dir()  # nothing is downloaded for a comparison
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SampleDataWarning)  # `data` says it
            options, source = {**defaults, **origin.options}, "auto" if here else "sample"
            data = task.dataset(None, options, source=source, vocabulary=origin.vocabulary)
    except KerazooError:  # no sample, or not of this model's kind
        return None
    x: Any = data.x_train if data.x_test is None else data.x_test
    y: Any = data.y_train if data.x_test is None else data.y_test
    wanted = model.inputs[0].shape[1:]
    if len(x.shape) != len(wanted) + 1 or any(w not in (None, s) for w, s in zip(wanted, x.shape[1:], strict=True)):
        return None
    if x.dtype.kind == "i" and x.max(initial=0) >= _known_ids(model):
        return None  # a model that carries no vocabulary, of another size
    step = max(1, len(x) // LABELLED)  # from all of it, which may be in the order of the classes
    classes = origin.classes in ((), task.classes)
    return Sample([x[::step][:LABELLED]], y[::step][:LABELLED] if classes else None, f"{data.name} ({data.source})")


def _made_up(model: keras.Model) -> list[Any]:
    """Return the same numbers each time: from 0 to 1, or ids and truths that any model of such inputs knows."""
    generator, ids = np.random.default_rng(0), _known_ids(model)
    made = []
    for one in model.inputs:
        shape = (INPUTS, *(size or _MADE_UP_LENGTH for size in one.shape[1:]))
        if "float" in one.dtype:
            made.append(generator.random(shape).astype(one.dtype))
        else:
            made.append(generator.integers(0, 2 if one.dtype == "bool" else ids, shape).astype(one.dtype))
    return made


def _known_ids(model: keras.Model) -> int:
    """Return the size of the smallest table of the model; 2 where it has none."""
    return min((one.input_dim for one in internals.layers_of(model) if hasattr(one, "input_dim")), default=2)


def compare(model: keras.Model, run: Run, sample: Sample, at_once: int = _BATCH) -> Check:
    """Return how far the outputs of `run`, which is given `at_once` examples, are from those of Keras."""
    inputs = sample.first(INPUTS)
    with exact_products():
        wanted = keras.tree.flatten(model.predict(inputs if len(inputs) > 1 else inputs[0], _BATCH, verbose=0))
    found = in_batches(run, inputs, at_once)
    if [one.shape for one in found] != [one.shape for one in wanted]:
        shapes = [[tuple(one.shape) for one in side] for side in (found, wanted)]
        raise KerazooError(f"the written model answers with shapes {shapes[0]}, and Keras with {shapes[1]}")
    distances = [np.abs(ours.astype(np.float64) - theirs) for ours, theirs in zip(found, wanted, strict=True)]
    largest = max(float(one.max(initial=0)) if np.isfinite(one).all() else math.inf for one in distances)
    agreement = None
    if wanted[0].ndim == 2:
        agreement = float((answers(found[0]) == answers(wanted[0])).mean())
    return Check(len(inputs[0]), sample.data, largest, agreement)


def in_batches(run: Run, inputs: Sequence[Any], size: int) -> list[Any]:
    """Return the outputs of `run`, `size` examples at a time."""
    parts = [run([one[at : at + size] for one in inputs]) for at in range(0, len(inputs[0]), size)]
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def answers(outputs: Any) -> Any:
    """Return the classes (N,) that outputs (N, C) stand for; a single number stands for two, parted at a half."""
    return outputs.argmax(1) if outputs.shape[1] > 1 else (outputs[:, 0] >= 0.5).astype(np.int32)


def measure(form: Format, path: Path, sample: Sample) -> Measured:
    """Return size, speed and accuracy of the model that was written to `path`."""
    run = form.load(path)
    one, seconds = sample.first(1), []
    for turn in range(_WARM_UP + _TIMED):
        begin = time.perf_counter()
        run(one)
        if turn >= _WARM_UP:
            seconds.append(time.perf_counter() - begin)
    accuracy, count = None, 0
    if sample.labels is not None and np.ndim(sample.labels) == 1:
        found = answers(in_batches(run, sample.inputs, form.at_once)[0])
        accuracy, count = float((found == sample.labels).mean()), len(found)
    return Measured(size_of(path), statistics.median(seconds), accuracy, count)
