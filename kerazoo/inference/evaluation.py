"""Measuring a trained model on a test split, in ONNX Runtime or in Keras."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path
from typing import Any

from kerazoo.data import Dataset
from kerazoo.data.fitting import check_fit
from kerazoo.data.forms import is_stream
from kerazoo.data.prepared import check_source
from kerazoo.errors import DataError, InputError, NotFiniteError
from kerazoo.inference.choosing import choose
from kerazoo.inference.scores import scores
from kerazoo.inference.session import Session
from kerazoo.lazy import keras
from kerazoo.model_file import origin_of
from kerazoo.options import check_options, whole_number
from kerazoo.trained import Trained, trained
from kerazoo.training.evaluation import evaluate_on, measured_part


def evaluate(
    name: str | os.PathLike[str] | keras.Model,
    model: keras.Model | str | os.PathLike[str] | None = None,
    *,
    data: Any = None,
    data_dir: str | os.PathLike[str] | None = None,
    source: str = "auto",
    batch_size: int = 512,
    **options: Any,
) -> dict[str, float]:
    """Return the loss and the metrics of a trained model on the test split.

    The package's weights and `.onnx` files are run by ONNX Runtime, without TensorFlow, Keras or JAX, unless the data
    is a stream; other models by Keras.

    Args:
        name: a name of the zoo, a trained Keras model, or the path of a `.keras` or an `.onnx` file.
        model: beside a name: a compiled Keras model or the path of such a file, in place of the package's weights.
        data: the caller's own data in place of the model's, as `train` takes it; of an `(x, y)`, a folder or a table
            all is measured, of a text the last tenth.
        data_dir: a directory in TFDS layout.
        source: "auto", "tfds" or "sample", as in `load_data`.
        batch_size: examples at a time; it changes the speed, not the result.
        **options: what to make of the data; by default what the model was trained on.

    Returns:
        `loss` and the recipe's metrics, e.g. {"loss": 0.08, "accuracy": 0.98}.

    Raises:
        ModelFileError: a path holds no such model.
        DataError: the data does not fit the model.
        NotFiniteError: the loss or a metric is NaN or infinite.
    """
    return measure(name, model, data=data, data_dir=data_dir, source=source, batch_size=batch_size, **options)[0]


def measure(
    name: Any,
    model: Any = None,
    *,
    data: Any = None,
    data_dir: str | os.PathLike[str] | None = None,
    source: str = "auto",
    batch_size: int = 512,
    **options: Any,
) -> tuple[dict[str, float], Dataset]:
    """Return what `evaluate` does, and the data that was measured on."""
    # A stream is TensorFlow's, which is there then.
    chosen = trained(name, model, compiled=True) if is_stream(data) else choose(name, model, compiled=True)
    check_source(source)
    whole_number("batch_size", batch_size)
    spec, task = chosen.spec, chosen.task
    accepted = task.options(spec) if spec else {}
    given = check_options(options, accepted, f"the data of '{chosen.name}'")
    network = chosen.load()
    in_session = isinstance(network, Session)
    if not in_session and not getattr(network, "compiled", False):
        raise InputError("the model is not compiled; call model.compile(...) or build it with compile=True")
    origin = network.origin if in_session else origin_of(network)
    wanted = {**(spec.defaults if spec else {}), **accepted, **origin.options, **given}
    known: dict[str, Any] = {"vocabulary": origin.vocabulary, "classes": origin.classes}
    if data is None and origin.classes and task.classes and set(origin.classes) != set(task.classes):
        told = f"the model tells {', '.join(origin.classes[:12])} apart, which {task.name} does not have"
        raise DataError(f"{told}; give data of these classes, with data= or --data")
    if isinstance(data, os.PathLike):
        data = task.read(Path(data), test_split=0.0)  # all of it is measured
    used = task.dataset(data, wanted, data_dir=data_dir, source=source, **known)
    used = check_fit(used, network, spec.recipe.loss if spec else None, wanted.get("vocab_size"))
    if data is None and origin.data not in ((), (used.name, used.source)):
        trained_on = " ".join((origin.data[0], f"({origin.data[1]})"))
        told = f"trained on {trained_on}, measured on {used.name} ({used.source}); name the data, or its source"
        warnings.warn(f"the model was {told}", UserWarning, stacklevel=3)
    metrics = _in_session(network, used, chosen, batch_size) if in_session else evaluate_on(network, used, batch_size)
    wrong = ", ".join(f"{key} {value}" for key, value in metrics.items() if not math.isfinite(value))
    if wrong:
        raise NotFiniteError(f"the model measures {wrong}: its training has diverged; train it anew")
    return metrics, used


def _in_session(session: Session, data: Dataset, chosen: Trained[Any], batch_size: int) -> dict[str, float]:
    if chosen.spec is None:
        raise InputError(f"the model '{chosen.name}' is not of the zoo, and its loss not known; give a .keras file")
    x, y = measured_part(data)
    return scores(chosen.spec.recipe, session.answers(x, batch_size), y)
