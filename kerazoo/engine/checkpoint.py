"""The whole state of a training run as one file, written atomically, restored exactly; the last two are kept.

A checkpoint is an `.npz` (no pickle): arrays for the variables of the model (random seeds included), of the optimizer
and of the metrics; JSON under "meta" for the position, the run's settings and what each callback has changed in itself.
"""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from kerazoo.engine import values
from kerazoo.engine.guard import finite
from kerazoo.engine.types import Directory
from kerazoo.errors import InputError, NotFiniteError
from kerazoo.files import whole_file

_KEEP = 2
Saved = tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]
"""What a checkpoint holds: its "meta", and the other arrays by name."""
_META = {"epoch": int, "step": int, "stopped": bool, "settings": dict, "callbacks": dict}  # what `Saver` writes


class CheckpointError(InputError):
    """A checkpoint does not fit the model or the run that asks for it."""


def variables_of(model: keras.Model) -> dict[str, list[keras.Variable]]:
    """The named groups of variables that make up the state; the model and its metrics must be built."""
    return {
        "model": model.variables,  # weights, moving averages and the states of the layers' SeedGenerators
        "optimizer": [] if model.optimizer is None else model.optimizer.variables,
        "metrics": [v for metric in model.metrics for v in metric.variables],
    }


def save(directory: Directory, model: keras.Model, meta: dict[str, Any], write: bool = True) -> Path:
    """Write `checkpoint-EPOCH-STEP.npz` into `directory` and drop all but the newest two.

    Args:
        meta: nested dict with ints `epoch` and `step`; its leaves as `values.encode` takes them.
        write: False on workers that only have to take part in reading distributed variables.

    Returns:
        The path.

    Raises:
        NotFiniteError: a trained weight is NaN or infinite; the files are as before.
    """
    arrays: dict[str, Any] = {}
    for group, variables in variables_of(model).items():
        arrays.update({f"{group}/{i}": _array(v) for i, v in enumerate(variables)})
    if not is_finite(model):
        raise NotFiniteError(f"the weights of '{model.name}' are not finite in epoch {meta['epoch']}: nothing is saved")
    arrays["meta"] = np.array(json.dumps(values.encode(meta, arrays)))
    path = Path(directory) / f"checkpoint-{meta['epoch']:06d}-{meta['step']:09d}.npz"
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            np.savez(temporary, **arrays)
        for old in paths(directory)[_KEEP:]:
            old.unlink(missing_ok=True)
    return path


def is_finite(model: keras.Model) -> bool:
    """Whether no trained weight of `model` is NaN or infinite."""
    return all(finite(_array(variable)) for variable in model.trainable_variables)


def latest(directory: Directory) -> Saved | None:
    """Read the newest whole checkpoint of `directory`: (meta, arrays), or None where there is none.

    A damaged file, which only a failing disk can leave behind, is passed over with a warning.

    Raises:
        CheckpointError: there are checkpoints, and none can be read.
    """
    for path in paths(directory):
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
                arrays = dict(content)
            return _checked(values.decode(json.loads(str(arrays.pop("meta"))), arrays)), arrays
        except Exception as error:  # NumPy, zip archives and JSON raise whatever they met first
            reason = type(error).__name__
            warnings.warn(f"checkpoint {path} cannot be read ({reason}); trying the one before", stacklevel=2)
    if paths(directory):
        raise CheckpointError(f"no checkpoint in {directory} can be read; remove them to start anew")
    return None


def _checked(meta: Any) -> dict[str, Any]:
    if not isinstance(meta, dict) or not all(isinstance(meta.get(name), kind) for name, kind in _META.items()):
        raise ValueError
    return meta


def restore(
    model: keras.Model, arrays: dict[str, npt.NDArray[Any]], groups: Sequence[str] = ("model", "optimizer", "metrics")
) -> None:
    """Assign the `groups` of variables from `arrays`.

    Raises:
        CheckpointError: number, shape or dtype of the variables differ; nothing has been assigned then.
    """
    wanted = [
        (f"{group}/{i}", v) for group, vs in variables_of(model).items() if group in groups for i, v in enumerate(vs)
    ]
    saved = {key for key in arrays if key.split("/")[0] in groups}
    if saved != {key for key, _ in wanted}:
        raise CheckpointError(f"the checkpoint holds {len(saved)} variables, the model and its optimizer {len(wanted)}")
    for key, variable in wanted:
        if arrays[key].shape != tuple(variable.shape):
            raise CheckpointError(
                f"{variable.path}: the checkpoint holds {arrays[key].shape}, the model {tuple(variable.shape)}"
            )
    for key, variable in wanted:
        array = arrays[key]
        # NumPy's format has no bfloat16: it comes back as two raw bytes.
        variable.assign(array.view(_array(variable).dtype) if array.dtype.kind == "V" else array)


def _array(variable: keras.Variable) -> npt.NDArray[Any]:
    value = variable.value  # not np.asarray(variable): Keras's conversion warns under NumPy 2
    return value.numpy() if hasattr(value, "numpy") else np.asarray(value)


def paths(directory: Directory) -> list[Path]:
    """The checkpoints in `directory`, the newest first."""
    return sorted(Path(directory).glob("checkpoint-*.npz"), reverse=True)
