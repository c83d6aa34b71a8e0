"""Labels for a model that is given a new last layer: numbers from 0 on, whatever they were."""

from __future__ import annotations

import dataclasses
from typing import Any

from kerazoo.data.dataset import Dataset, class_numbers
from kerazoo.errors import DataError
from kerazoo.lazy import np


def number_labels(data: Dataset, num_classes: int) -> Dataset:
    """Return `data` with labels from 0 to `num_classes` - 1.

    Labels that are in that range already, and one-hot rows, stay as they are. Others, such as the digits 5 to 9 for 5
    classes, are numbered in their order, and `classes` of the data keeps what they were.

    Raises:
        DataError: there are more classes, or the labels to be numbered are fewer; or the test split has others.
    """
    if data.classes:
        if len(data.classes) != num_classes:
            count, names = len(data.classes), _listed(data.classes)
            raise DataError(f"num_classes={num_classes}, and the data has {count} ({names}); give num_classes={count}")
        return data
    given = {split: np.asarray(getattr(data, f"y_{split}")) for split in data.sizes}
    if any(y.ndim == 2 and y.shape[1] == num_classes for y in given.values()):
        return data
    labels = {split: class_numbers(y) for split, y in given.items()}
    found = np.unique(labels["train"])
    if not found.size:
        raise DataError("the training split is empty; wanted at least one example")
    others = np.setdiff1d(np.concatenate(list(labels.values())), found)
    if found[0] >= 0 and max(found[-1], others.max(initial=0)) < num_classes and others.min(initial=0) >= 0:
        return data
    if len(found) != num_classes:
        said = f"num_classes={num_classes}, and the training labels are {_listed(found)}"
        raise DataError(f"{said}: wanted {num_classes} different ones, or numbers from 0 to {num_classes - 1}")
    if others.size:
        raise DataError(f"the label {others[0]} is in the test data and not in the training data")
    numbered = {f"y_{split}": np.searchsorted(found, y).astype(np.int32) for split, y in labels.items()}
    return dataclasses.replace(data, classes=tuple(str(one) for one in found), **numbered)


def _listed(values: Any) -> str:
    names = [str(one) for one in values]
    return ", ".join(names if len(names) <= 12 else [*names[:6], "...", names[-1]])
