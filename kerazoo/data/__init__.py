"""What tasks share: data sets as arrays, vocabularies, the cache, what TFDS prepared, readers of folders and tables."""

from __future__ import annotations

import os

from kerazoo.data import imdb, mnist, text
from kerazoo.data.dataset import Dataset
from kerazoo.data.prepared import Prepared, SampleDataWarning, prepare
from kerazoo.data.vocabulary import Vocabulary
from kerazoo.errors import UnavailableError

__all__ = ["Dataset", "SampleDataWarning", "Vocabulary", "real_data"]

_REAL = {module.BUILDER.partition("/")[0]: module for module in (mnist, imdb, text)}


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
