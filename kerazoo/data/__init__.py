"""Data for the models: each model's own data set, or the caller's, as arrays that the model takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from kerazoo.data import imdb, mnist, small, text
from kerazoo.data.dataset import Dataset
from kerazoo.data.prepared import Prepared, SampleDataWarning, check_source, data_root, prepare
from kerazoo.data.vocabulary import Vocabulary
from kerazoo.errors import DataError, UnavailableError
from kerazoo.options import check_options, options_of
from kerazoo.registry import spec
from kerazoo.schema import ModelSpec

__all__ = [
    "Dataset",
    "SampleDataWarning",
    "Vocabulary",
    "class_names",
    "data_options",
    "load_data",
    "load_for",
    "real_data",
]

_LOADERS: dict[str, Callable[..., Dataset]] = {
    "mnist": mnist.load,
    "imdb": imdb.load,
    "text": text.load,
    "toy": small.load_toy,
    "recall": small.load_recall,
}
_REAL = {module.BUILDER.partition("/")[0]: module for module in (mnist, imdb, text)}
_CLASSES = {"mnist": mnist.CLASSES, "imdb": imdb.CLASSES}
_WHERE = {"data_dir", "source"}  # where to load from, not what to make of it


def class_names(model_spec: ModelSpec) -> tuple[str, ...]:
    """Return the names of the classes 0, 1, ... in the data set of `model_spec`; none where they have none."""
    return _CLASSES.get(model_spec.dataset or "", ())


def data_options(model_spec: ModelSpec) -> dict[str, Any]:
    """Return the options of the data set of `model_spec`, with the values that fit the model as documented."""
    if model_spec.dataset is None:
        return {}
    accepted = {name: value for name, value in options_of(_LOADERS[model_spec.dataset]).items() if name not in _WHERE}
    return {**accepted, **{name: value for name, value in model_spec.defaults.items() if name in accepted}}


def load_for(
    model_spec: ModelSpec, options: Mapping[str, Any], data_dir: str | os.PathLike[str] | None, source: str
) -> Dataset:
    """Return the data set of `model_spec`, made with those of the checked `options` that it takes."""
    check_source(source)
    if model_spec.dataset is None:
        raise DataError(f"model '{model_spec.name}' has no data set of its own; pass data=(x, y)")
    loader = _LOADERS[model_spec.dataset]
    if data_dir is not None:
        data_root(data_dir)  # a directory that is not there is a mistake, also where nothing is read from it
    taken = data_options(model_spec)
    arguments = {name: options.get(name, default) for name, default in taken.items()}
    where = {"data_dir": data_dir, "source": source}
    arguments.update({name: value for name, value in where.items() if name in options_of(loader)})
    return loader(**arguments)


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
        UnavailableError: `source` is "tfds" and the data cannot be had.
    """
    model_spec = spec(name)
    chosen = check_options(options, data_options(model_spec), f"the data of '{name}'")
    return load_for(model_spec, chosen, data_dir, source)


def real_data(name: str, data_dir: str | os.PathLike[str] | None = None) -> Prepared:
    """Return the real data set of TFDS name `name` ("mnist", "imdb_reviews", "tiny_shakespeare"), fetched if need be.

    Raises:
        UnavailableError: it is neither prepared nor to be had; a host that cannot be reached is told within seconds.
        InputError: `data_dir` is not a directory.
    """
    if name not in _REAL:
        raise UnavailableError(f"no data set is named '{name}'. Data sets: {', '.join(_REAL)}")
    prepared = prepare(_REAL[name].BUILDER, _REAL[name].HOST, data_dir, "tfds")
    if prepared is None:
        raise UnavailableError(f"{name} was fetched and is not where it was put")
    return prepared
