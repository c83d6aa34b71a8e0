"""`kerazoo.export`: a trained model in the format of another runtime, written, then run there and compared."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerazoo.errors import InputError, KerazooError, did_you_mean
from kerazoo.exporting import checking
from kerazoo.exporting.checking import Check, Measured
from kerazoo.exporting.facts import facts_of
from kerazoo.exporting.formats import Format, size_of
from kerazoo.exporting.html_page import Html
from kerazoo.exporting.litert import LiteRT
from kerazoo.exporting.onnx import Onnx
from kerazoo.exporting.saved_model import SavedModel
from kerazoo.exporting.torch import Torch
from kerazoo.lazy import keras
from kerazoo.trained import trained

FORMATS: dict[str, Format] = {one.name: one for one in (Onnx(), LiteRT(), SavedModel(), Torch(), Html())}
"""The formats by name."""

LIMIT = 1e-4
"""How far a written model may be from Keras."""


@dataclass(frozen=True)
class Exported:
    """A model that was written.

    Attributes:
        path: the file or directory.
        format: its name.
        bytes: its size.
        check: what comparing it with Keras found; of int8 weights too, whose difference has no limit. None where it
            takes a browser.
        quantised: with int8 weights, what the model was before (float32) and is after.
    """

    path: Path
    format: str
    bytes: int
    check: Check | None
    quantised: tuple[Measured, Measured] | None = None


def export(
    model: str | os.PathLike[str] | keras.Model,
    path: str | os.PathLike[str],
    *,
    format: str,  # noqa: A002 (Keras's own word)
    quantise: bool = False,
) -> Exported:
    """Write a trained model for another runtime, run it there, and compare its answers with Keras's.

    The comparison is on 1,000 inputs of the task's test split where it is prepared, else of the task's sample, else
    made up. Names of classes, vocabulary and the meaning of the inputs travel in the file.

    Args:
        model: a name of the zoo, for its pretrained weights; a Keras model; or the path of a `.keras` file.
        path: where to write: a file that ends in `.onnx`, `.tflite`, `.pt2` or `.html`, or a new directory.
        format: "onnx", "litert", "saved_model", "torch" or "html".
        quantise: int8 weights (ONNX and LiteRT); size, speed and accuracy before and after are measured.

    Raises:
        UnknownModelError: no model has the name.
        InputError: the model has no pretrained weights, the path or the format cannot be used, or the format has no
            operation for a part of the model.
        ModelFileError: the file is missing or damaged.
        UnavailableError: a package is missing.
        KerazooError: the written model differs from Keras by more than 1e-4; nothing is left of it.
    """
    form, path = find(format), Path(path)
    chosen = trained(model)
    form.check(path, quantise=quantise)
    network = chosen.load()
    if not getattr(network, "inputs", None):
        raise InputError(f"the model '{chosen.name}' has not been built; call it once on a batch")
    facts = facts_of(chosen, network)
    if not form.runs:
        with form.destination(path) as temporary:
            form.write(network, temporary, facts)
        return Exported(path, form.name, size_of(path), None)
    sample = checking.sample_of(chosen, network)
    if quantise:
        return _quantised(form, network, path, facts, sample)
    with form.destination(path) as temporary:
        form.write(network, temporary, facts)
        check = _checked(form, network, temporary, sample)
    return Exported(path, form.name, size_of(path), check)


def find(name: str) -> Format:
    """Return the format `name`.

    Raises:
        InputError: there is none.
    """
    if name not in FORMATS:
        raise InputError(
            f"there is no format '{name}'.{did_you_mean(str(name), FORMATS)} Formats: {', '.join(FORMATS)}"
        )
    return FORMATS[name]


def _checked(form: Format, model: keras.Model, path: Path, sample: checking.Sample) -> Check:
    check = checking.compare(model, form.load(path), sample, form.at_once)
    if not check.difference <= LIMIT:
        told = f"the {form.name} model differs from Keras by {check.difference:.1e} on {check.inputs} inputs"
        raise KerazooError(f"{told} of {check.data}, and may by {LIMIT:.0e}; it was not kept")
    return check


def _quantised(
    form: Format, model: keras.Model, path: Path, facts: dict[str, Any], sample: checking.Sample
) -> Exported:
    with form.scratch() as plain:
        form.write(model, plain, facts)
        _checked(form, model, plain, sample)
        with form.destination(path) as temporary:
            form.quantise(model, plain, temporary, facts)
            check = checking.compare(model, form.load(temporary), sample, form.at_once)
            before, after = (checking.measure(form, one, sample) for one in (plain, temporary))
    return Exported(path, form.name, size_of(path), check, (before, after))
