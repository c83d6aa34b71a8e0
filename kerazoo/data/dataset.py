"""A data set as arrays that a model takes as they are."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kerazoo.data.vocabulary import Vocabulary
from kerazoo.errors import DataError, InputError
from kerazoo.lazy import np

Array = Any  # a NumPy array; NumPy is imported when first used


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test arrays, ready for `model.fit` and `model.predict`, and where they came from.

    `source` is "tfds" for the real data set, "sample" for the embedded stand-in, "document" for the handful of
    samples that a document prints, "generated" for made-up data, and "user" for the caller's own.
    `model_options` are the model's options that follow from the data, such as the size of the vocabulary.
    `classes` are the names of the labels 0, 1, ..., where they have names. The inputs of a text classifier may also be
    (N,) str, which `train`, `fine_tune` and `evaluate` turn into ids. A stream (a `tf.data.Dataset` of batches of
    inputs and labels) stands in `x_train`, with `y_train` of None.
    """

    name: str
    version: str
    source: str
    x_train: Array
    y_train: Array
    x_test: Array | None = None
    y_test: Array | None = None
    x_val: Array | None = None
    y_val: Array | None = None
    vocabulary: Vocabulary | None = None
    model_options: Mapping[str, Any] = field(default_factory=dict)
    classes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        sizes = ", ".join(f"{split}={size}" for split, size in self.sizes.items())
        return f"Dataset({self.name} {self.version}, source={self.source!r}, {sizes or 'a stream'})"

    @property
    def is_stream(self) -> bool:
        """Whether the examples come as a stream of batches, of which neither the number nor a part is to be had."""
        return hasattr(self.x_train, "element_spec")

    @property
    def sizes(self) -> dict[str, int]:
        """The number of examples in each split that there is; of a stream nothing."""
        if self.is_stream:
            return {}
        inputs = {"train": self.x_train, "val": self.x_val, "test": self.x_test}
        return {split: len(x) for split, x in inputs.items() if x is not None}

    @property
    def digest(self) -> str:
        """A hash of all examples and labels; empty for a stream."""
        found = hashlib.blake2b(digest_size=8)
        for split in self.sizes:
            for array in (getattr(self, f"x_{split}"), getattr(self, f"y_{split}")):
                found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest() if self.sizes else ""

    def hold_out(self, fraction: float, *, seed: int = 0) -> Dataset:
        """Return the data with a random `fraction` of the training split as `x_val` and `y_val`.

        Of windows of a text it is the last part, not a random one: neighbours share most of their text.

        Raises:
            InputError: `fraction` is not between 0 and 1, or it leaves a split empty, or the data is a stream.
        """
        if self.is_stream:
            raise InputError("a tf.data.Dataset cannot be split for validation; pass arrays")
        if not 0 < fraction < 1:
            raise InputError(f"validation_split={fraction!r}: wanted a fraction between 0 and 1, e.g. 0.1")
        windows = self.vocabulary is not None and not self.vocabulary.padded
        order = (
            np.arange(len(self.x_train))[::-1]
            if windows
            else np.random.default_rng(seed).permutation(len(self.x_train))
        )
        held = round(len(order) * fraction)
        if not 0 < held < len(order):
            raise InputError(f"validation_split={fraction} of {len(order)} training examples leaves a split empty")
        val, train = order[:held], order[held:]
        return dataclasses.replace(
            self,
            x_train=self.x_train[train],
            y_train=self.y_train[train],
            x_val=self.x_train[val],
            y_val=self.y_train[val],
        )

    def with_vocabulary(self, vocabulary: Vocabulary | None) -> Dataset:
        """Return the data with its ids in terms of `vocabulary`, for a model that was trained with that one."""
        if vocabulary is None or self.vocabulary is None or vocabulary == self.vocabulary:
            return self
        table = vocabulary.ids_of(self.vocabulary.tokens)
        arrays = {}
        for split in self.sizes:
            arrays[f"x_{split}"] = table[getattr(self, f"x_{split}")]
            if not self.vocabulary.padded:  # a generator's labels are ids as well
                arrays[f"y_{split}"] = table[getattr(self, f"y_{split}")]
        return dataclasses.replace(self, vocabulary=vocabulary, **arrays)

    def with_classes(self, classes: tuple[str, ...]) -> Dataset:
        """Return the data with its labels in terms of `classes`, for a model that tells those apart.

        Raises:
            DataError: a class of the data is not among them, or a label has no name.
        """
        if not classes or not self.classes or classes == self.classes:
            return self
        others = [name for name in self.classes if name not in classes]
        if others:
            known = f"the model tells {', '.join(classes)} apart"
            advice = "name the classes so, or fine-tune with num_classes for a new last layer"
            raise DataError(f"the data has the class '{others[0]}', and {known}; {advice}")
        table = np.array([classes.index(name) for name in self.classes], np.int32)
        labels = {split: class_numbers(getattr(self, f"y_{split}")) for split in self.sizes}
        for y in labels.values():
            if y.size and not 0 <= y.min() <= y.max() < len(table):
                raise DataError(f"labels from {y.min()} to {y.max()}, and classes names 0 to {len(table) - 1} alone")
        return dataclasses.replace(self, classes=classes, **{f"y_{split}": table[y] for split, y in labels.items()})

    def numbered(self, num_classes: int) -> Dataset:
        """Return the data with labels from 0 to `num_classes` - 1.

        Labels that are in that range already, and one-hot rows, stay as they are. Others, such as the digits 5 to 9
        for 5 classes, are numbered in their order, and `classes` of the data keeps what they were.

        Raises:
            DataError: there are more classes, or the labels to be numbered are fewer; or the test split has others.
        """
        if self.is_stream:
            return self
        if self.classes:
            if len(self.classes) != num_classes:
                count, names = len(self.classes), _listed(self.classes)
                raise DataError(
                    f"num_classes={num_classes}, and the data has {count} ({names}); give num_classes={count}"
                )
            return self
        given = {split: np.asarray(getattr(self, f"y_{split}")) for split in self.sizes}
        if any(y.ndim == 2 and y.shape[1] == num_classes for y in given.values()):
            return self
        labels = {split: class_numbers(y) for split, y in given.items()}
        found = np.unique(labels["train"])
        if not found.size:
            raise DataError("the training split is empty; wanted at least one example")
        others = np.setdiff1d(np.concatenate(list(labels.values())), found)
        if found[0] >= 0 and max(found[-1], others.max(initial=0)) < num_classes and others.min(initial=0) >= 0:
            return self
        if len(found) != num_classes:
            said = f"num_classes={num_classes}, and the training labels are {_listed(found)}"
            raise DataError(f"{said}: wanted {num_classes} different ones, or numbers from 0 to {num_classes - 1}")
        if others.size:
            raise DataError(f"the label {others[0]} is in the test data and not in the training data")
        numbered = {f"y_{split}": np.searchsorted(found, y).astype(np.int32) for split, y in labels.items()}
        return dataclasses.replace(self, classes=tuple(str(one) for one in found), **numbered)


def class_numbers(y: Array) -> Array:
    """Return (N,) or (N, 1) labels that are whole numbers, of any dtype, as (N,) int64.

    Raises:
        DataError: they are not.
    """
    y = np.asarray(y)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim != 1 or y.dtype.kind not in "iufb" or not np.isfinite(y).all() or (y != np.floor(y)).any():
        raise DataError(f"labels of {y.dtype} and shape {y.shape}: wanted (N,) whole numbers")
    return y.astype(np.int64)


def _listed(values: Any) -> str:
    names = [str(one) for one in values]
    return ", ".join(names if len(names) <= 12 else [*names[:6], "...", names[-1]])
