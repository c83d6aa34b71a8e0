"""Which model is asked, and by what: ONNX Runtime for the package's weights and `.onnx` files, Keras for all others."""

from __future__ import annotations

import functools
import os
from typing import Any

from kerazoo.errors import ModelFileError
from kerazoo.factory import PRETRAINED
from kerazoo.hub import SCHEME
from kerazoo.inference.session import SUFFIX, Session, open_session
from kerazoo.lazy import keras
from kerazoo.registry import list_models, spec
from kerazoo.tasks import task_of
from kerazoo.trained import Trained, trained
from kerazoo.weights import store


def choose(
    given: Any, model: Any = None, weights: str | os.PathLike[str] | None = PRETRAINED, *, compiled: bool = False
) -> Trained[Session | keras.Model]:
    """Return the model that is named as in `trained`, or by an `.onnx` file or a `Session` in the place of Keras's.

    The arguments are those of `trained`.

    Raises:
        UnknownModelError: no model has the name.
        InputError: it is none of these, or there are no such weights.
        ModelFileError: a file is missing, damaged, or known to be another model.
    """
    if _is_onnx(given) and model is None and weights == PRETRAINED:
        session = _opened(given)
        name = session.origin.name
        known = spec(name) if name in list_models() else None  # its registration may be elsewhere
        return Trained(name or session.name, known, task_of(known), lambda: session)
    if isinstance(given, str) and not (given.endswith((".keras", SUFFIX)) or given.startswith(SCHEME)):
        beside = weights if model is None else model
        if isinstance(beside, str) and beside == PRETRAINED:
            model_spec = spec(given)
            return Trained(given, model_spec, task_of(model_spec), lambda: packaged(given))
        if _is_onnx(beside):
            model_spec, session = spec(given), _opened(beside)
            if session.origin.name not in (None, given):
                raise ModelFileError(f"'{session.name}' holds the model '{session.origin.name}', not '{given}'")
            return Trained(given, model_spec, task_of(model_spec), lambda: session)
    return trained(given, model, weights, compiled=compiled)


def _is_onnx(given: Any) -> bool:
    return isinstance(given, Session) or (isinstance(given, (str, os.PathLike)) and str(given).endswith(SUFFIX))


def _opened(given: Any) -> Session:
    return given if isinstance(given, Session) else open_session(given)


@functools.lru_cache(maxsize=4)
def packaged(name: str) -> Session:
    """Return the model `name` with the package's weights, the same each time.

    Raises:
        InputError: there are no such weights.
        UnavailableError: they are not those of the manifest.
    """
    return Session(store.content(name), name)
