"""The package's own models, for `predict` and `generate`: built once, and kept with what was compiled for them."""

from __future__ import annotations

import functools

from kerazoo.factory import PRETRAINED, build
from kerazoo.lazy import keras


@functools.lru_cache(maxsize=4)
def pretrained(name: str) -> keras.Model:
    """Return the model `name` with the package's weights; nobody else gets hold of it.

    Raises:
        InputError: there are no such weights.
        UnavailableError: they are not those of the manifest.
    """
    return build(name, weights=PRETRAINED, compile=False)
