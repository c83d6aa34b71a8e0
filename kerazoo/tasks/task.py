"""What every task has: its data, the forms of inputs that it reads, and how they reach a model.

The base class is the task of models that take rows of numbers.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

from kerazoo.data.dataset import Dataset
from kerazoo.data.forms import as_dataset, is_raw, labels, numbers
from kerazoo.data.prepared import check_source, data_root
from kerazoo.data.vocabulary import Vocabulary
from kerazoo.errors import DataError, OverrideError
from kerazoo.lazy import np
from kerazoo.options import options_of
from kerazoo.schema import ModelSpec
from kerazoo.tasks.files import numbers_of
from kerazoo.tasks.items import Input, Item, as_array, or_error

_WHERE = ("data_dir", "source")  # where to load from, not what to make of it


@dataclass(frozen=True)
class Task:
    """Where data comes from, and what inputs and answers are.

    Attributes:
        name: what `register(..., task="name")` calls it.
        load: returns the `Dataset` that models of the task are trained on. Its keyword options, which all have
            defaults, are the data's options; where it takes `data_dir` and `source`, it is given them. None: the caller
            brings the data.
        classes: the names of the classes 0, 1, ..., where they have names.
        summary: one line for `kerazoo show`.
        real: what TFDS calls the data that `load` reads where it is to be had; empty where it reads none.
    """

    name: str
    load: Callable[..., Dataset] | None = None
    classes: tuple[str, ...] = ()
    summary: str = ""
    real: str = ""

    generates: ClassVar[bool] = False
    """Whether its models go on with a text, rather than classify or compute."""
    explains: ClassVar[bool] = False
    """Whether the inputs are words, each of which can be weighed."""
    pipeline: ClassVar[str] = ""
    """What the Hugging Face Hub calls what its models do; empty where it has no word for it."""
    takes: ClassVar[str] = "rows of numbers, .npy, .npz and .csv files of them"
    """What `predict` takes, in a few words."""
    own: ClassVar[str] = "arrays (kerazoo.train), and no files"
    """What `--data` may name, in a few words."""

    def options(self, spec: ModelSpec) -> dict[str, Any]:
        """Return the options of the data, with the values that fit the model as documented."""
        loading = options_of(self.load) if self.load else {}
        accepted = self._own_options() | {name: value for name, value in loading.items() if name not in _WHERE}
        return {**accepted, **{name: value for name, value in spec.defaults.items() if name in accepted}}

    def _own_options(self) -> dict[str, Any]:
        """Return options for the caller's own data alone."""
        return {}

    def dataset(
        self,
        data: Any,
        options: Mapping[str, Any],
        *,
        data_dir: str | os.PathLike[str] | None = None,
        source: str = "auto",
        vocabulary: Vocabulary | None = None,
        classes: tuple[str, ...] = (),
        learn: bool = False,
    ) -> Dataset:
        """Return the data for a model that is built with `options`: the task's own, or the caller's.

        Args:
            data: None for the task's own; or a `Dataset`, `((x_train, y_train), (x_test, y_test))`, `(x, y)`, a
                `tf.data.Dataset` of batches, or a `Path` that `read` takes.
            options: the model's and the data's, checked.
            data_dir: a directory in TFDS layout, for the task's own data.
            source: "auto", "tfds" or "sample", likewise.
            vocabulary: of a model that is already trained: ids are brought to it, text is read with it.
            classes: of a model that is already trained: labels that have names are brought to them.
            learn: learn a vocabulary on the raw text of `x_train`, for a model that is to be trained on it.

        Raises:
            DataError: the data has another form, shape, dtype or length, or holds NaN; or there is none.
        """
        if data is None:
            data = self._loaded(options, data_dir, source)
        elif isinstance(data, os.PathLike):
            data = self.read(Path(data))
        given: Dataset = self._given(data, options, vocabulary)
        if given.is_stream:
            return dataclasses.replace(given, x_train=self.encode_stream(given.x_train))
        if given is data and self.is_encoded(given.x_train):
            known: Dataset = given.with_vocabulary(vocabulary).with_classes(classes)
            return known
        if not learn and vocabulary:
            self.check_known(given.x_train, vocabulary)
        if learn:
            vocabulary = self.learn(given.x_train, options) or vocabulary
        arrays = {}
        for split in ("train", "val", "test"):
            if (x := getattr(given, f"x_{split}")) is not None:
                arrays[f"x_{split}"] = self.encode(x, options, vocabulary)
                arrays[f"y_{split}"] = labels(getattr(given, f"y_{split}"), len(arrays[f"x_{split}"]))
        encoded = dataclasses.replace(given, vocabulary=vocabulary or given.vocabulary, **arrays)
        return encoded.with_classes(classes)

    def _loaded(self, options: Mapping[str, Any], data_dir: Any, source: str) -> Dataset:
        check_source(source)
        if self.load is None:
            raise DataError("the model has no data set of its own; pass data=(x, y)")
        if data_dir is not None:
            data_root(data_dir)  # a directory that is not there is a mistake, also where nothing is read from it
        known = options_of(self.load)
        for name, default in self._own_options().items():
            if name not in known and options.get(name, default) != default:
                raise OverrideError(f"option '{name}' is for data of your own, and is {options[name]!r}; leave it out")
        where = {"data_dir": data_dir, "source": source}
        return self.load(**{name: {**options, **where}.get(name, default) for name, default in known.items()})

    def _given(self, data: Any, options: Mapping[str, Any], vocabulary: Vocabulary | None) -> Dataset:
        """Return the caller's data as a `Dataset`, its inputs as they were given."""
        return as_dataset(data)

    def learn(self, x: Any, options: Mapping[str, Any]) -> Vocabulary | None:
        """Return the vocabulary of raw inputs; None where they are none."""
        return None

    def check_known(self, x: Any, vocabulary: Vocabulary) -> None:
        """Refuse or warn of raw inputs of which a trained model knows little.

        Raises:
            DataError: it knows hardly anything of them.
        """

    def encode(self, x: Any, options: Mapping[str, Any], vocabulary: Vocabulary | None) -> Any:
        """Return inputs in any form that the task takes as the array that a model takes.

        Raises:
            DataError: they have another form.
        """
        return numbers(x, "inputs")

    def is_encoded(self, x: Any) -> bool:
        """Tell whether the inputs of a `Dataset` are what a model takes already."""
        return not is_raw(x)

    def encode_stream(self, batches: Any) -> Any:
        """Return a `tf.data.Dataset` of batches with inputs as a model takes them."""
        return batches

    def read(self, path: Path, **how: Any) -> Any:
        """Return the user's own data at `path`, for `dataset`.

        Raises:
            DataError: the task reads none from files, or there is none.
        """
        raise DataError(f"'{path}': this model takes {self.own}")

    def items(self, inputs: Any) -> Iterator[Item]:
        """Yield the single inputs of `inputs`, of which only the one at hand is in memory.

        The value of an input that cannot be read is the `DataError` that says why.

        Args:
            inputs: one input or an iterable of them.

        Raises:
            DataError: there is none.
        """
        several = isinstance(inputs, Iterable) and not isinstance(inputs, (str, bytes, os.PathLike))
        several = several and not (hasattr(inputs, "__array__") or hasattr(inputs, "read"))
        if isinstance(inputs, list) and inputs and isinstance(inputs[0], (int, float)):
            several, inputs = False, as_array(inputs, "input 0")
        empty = True
        for place, one in enumerate(inputs if several else [inputs]):
            for item in or_error(f"input {place}", self.each(one, f"input {place}")):
                empty = False
                yield item
        if empty:
            raise DataError("there is nothing to predict; give at least one input")

    def each(self, given: Any, name: str) -> Iterator[Item]:
        """Yield the inputs that `given`, one of the caller's, stands for; `name` calls it in an error.

        Raises:
            DataError: it cannot be read.
        """
        if isinstance(given, (str, os.PathLike)):
            given, name = numbers_of(given), os.fspath(given)
        array = as_array(given, name)
        if array.dtype.kind not in "fiub" or array.ndim not in (1, 2):
            raise DataError(f"{name} is {array.dtype} of shape {array.shape}; wanted a row of numbers, or rows")
        for place, row in enumerate(np.atleast_2d(array)):
            yield Item(name if array.ndim == 1 else f"{name}[{place}]", row)

    def from_argument(self, word: str, standard_input: IO[bytes]) -> Any:
        """Return what a word of a command line stands for: "-" for standard input.

        Raises:
            DataError: what is clearly meant as the name of a file names none.
        """
        return standard_input if word == "-" else word

    def to_input(self, item: Item, shape: tuple[int, ...], vocabulary: Vocabulary | None) -> Input:
        """Return `item` as a model takes it whose inputs have `shape`, without the batch.

        Raises:
            DataError: it does not fit.
        """
        if np.shape(item.value) != shape:
            raise DataError(f"{item.name} has shape {np.shape(item.value)}; wanted {shape}")
        if not np.isfinite(item.value).all():
            raise DataError(f"{item.name} holds NaN or infinity; wanted finite numbers")
        return Input(item.name, np.asarray(item.value, np.float32))

    def batch(self, inputs: Sequence[Input], shape: tuple[int, ...]) -> np.ndarray:
        """Return inputs as one array, (N, *shape)."""
        return np.stack([one.row for one in inputs])

    def shown(self, given: Input) -> Any:
        """Return the picture that the model saw, (H, W) or (H, W, C) float32 from 0 to 1; None where it sees none."""
        return None
