"""Loading the data of a model by the model's name."""

from __future__ import annotations

import os
from typing import Any

from kerazoo.data.dataset import Dataset
from kerazoo.options import check_options
from kerazoo.registry import spec
from kerazoo.tasks.known import task_of


def load_data(
    name: str, *, data_dir: str | os.PathLike[str] | None = None, source: str = "auto", **options: Any
) -> Dataset:
    """Return the data set that the model `name` is trained on.

    Args:
        name: one of `kerazoo.list_models()`.
        data_dir: a directory in TFDS layout; None is `TFDS_DATA_DIR`, or else TFDS's own default.
        source: "tfds" for the real data, downloaded on first use; "sample" for the embedded stand-in; "auto" for the
            real data where it can be had and otherwise, with a `SampleDataWarning`, the sample.
        **options: what to make of the data, e.g. `sequence_length=200` (IMDb) or `corpus="my.txt"` (text).

    Raises:
        UnknownModelError: there is no model of that name.
        OverrideError: an option is unknown or of the wrong type.
        InputError: `source` is unknown, or `data_dir` is not a directory.
        DataError: the model has no data set of its own.
        UnavailableError: `source` is "tfds" and the data cannot be had.
    """
    model_spec = spec(name)
    task = task_of(model_spec)
    accepted = task.options(model_spec)
    chosen = check_options(options, accepted, f"the data of '{name}'")
    return task.dataset(None, {**accepted, **chosen}, data_dir=data_dir, source=source)
