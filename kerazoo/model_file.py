"""Models on disk: a `.keras` file that also carries the model's name, its options and its vocabulary.

The additions are one more member of the zip archive that a `.keras` file is; Keras reads the file as any other.
"""

from __future__ import annotations

import json
import os
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kerazoo.data import Vocabulary
from kerazoo.errors import ModelFileError, first_line
from kerazoo.files import check_archive, whole_file
from kerazoo.hub import local
from kerazoo.lazy import keras

ORIGIN = "kerazoo"
"""The key, in the metadata of an ONNX file, of what a `.keras` file has in its own member."""

_MEMBER = "kerazoo.json"
_ATTRIBUTE = "_kerazoo_origin"


@dataclass(frozen=True)
class Origin:
    """What a model was built as, and what it was trained on.

    Its name in the zoo, the options it was built with, its vocabulary, its classes; and of its data the name and the
    source, as `Dataset` has them.
    """

    name: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    vocabulary: Vocabulary | None = None
    classes: tuple[str, ...] = ()
    data: tuple[str, ...] = ()


def origin_of(model: keras.Model) -> Origin:
    """Return what is known of `model`; nothing, for a model that kerazoo neither built nor loaded."""
    return getattr(model, _ATTRIBUTE, Origin())


def set_origin(model: keras.Model, origin: Origin) -> None:
    """Note `origin` on the model in memory."""
    setattr(model, _ATTRIBUTE, origin)


def save_model(model: keras.Model, path: str | os.PathLike[str]) -> None:
    """Save `model` with what is known of it to the `.keras` file `path`, whole or not at all.

    Raises:
        ModelFileError: the path does not end in `.keras`, or its directory does not exist.
    """
    path = Path(path)
    if path.suffix != ".keras" or not path.parent.is_dir():
        raise ModelFileError(f"'{path}' cannot be written: wanted a path ending in .keras in a directory that exists")
    with whole_file(path) as temporary:
        model.save(temporary)
        with zipfile.ZipFile(temporary, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_MEMBER, origin_to_json(origin_of(model)))


def load_model(path: str | os.PathLike[str], name: str | None = None) -> keras.Model:
    """Load the `.keras` file `path`, with what is known of the model; never code that a file brings.

    Args:
        path: a file that kerazoo or Keras saved, or `hf://user/repository` for one on the Hugging Face Hub; with
            `@revision` for that one.
        name: the model of the zoo that it is to be, or None for any.

    Raises:
        ModelFileError: the file is missing, damaged, no model, or known to be another model than `name`.
        UnavailableError: the Hub cannot be reached.
    """
    path = local(path)
    origin = read_origin(path)
    if name is not None and origin.name not in (None, name):
        raise ModelFileError(f"'{path}' holds the model '{origin.name}', not '{name}'")
    try:
        with warnings.catch_warnings():
            # Keras warns that the optimizer of a model that was never trained has no state to load.
            warnings.filterwarnings("ignore", "Skipping variable loading for optimizer", UserWarning)
            model = keras.saving.load_model(path)
    except Exception as error:  # Keras raises whatever its reader met first
        reason = first_line(error)
        raise ModelFileError(f"'{path}' cannot be loaded as a Keras model: {reason}") from error
    set_origin(model, replace(origin, name=origin.name or name))
    return model


def read_origin(path: str | os.PathLike[str]) -> Origin:
    """Return what the `.keras` file `path` says of its model; nothing, for one that Keras alone wrote.

    Raises:
        ModelFileError: the file is missing or damaged.
    """
    path = local(path)
    if not path.is_file():
        raise ModelFileError(f"'{path}' is not a file; name a .keras file, such as model.keras in a run directory")
    if path.suffix == ".onnx":
        takers = "predict, generate, evaluate and serve"
        raise ModelFileError(f"'{path}' is an ONNX file, which {takers} take; wanted a .keras file")
    damaged = ModelFileError(f"'{path}' is not a whole .keras file; it is damaged or something else")
    try:
        with zipfile.ZipFile(path) as archive:
            check_archive(archive, path.stat().st_size)
            known = archive.read(_MEMBER) if _MEMBER in archive.namelist() else None
    except OSError as error:
        raise ModelFileError(f"'{path}' cannot be read: {error.strerror or error}") from None
    except Exception:  # zip archives, what packs them, and JSON raise whatever they met first
        raise damaged from None
    try:
        return Origin() if known is None else origin_from_json(known)
    except ValueError:
        raise damaged from None


def origin_to_json(origin: Origin) -> str:
    """Return what is known of a model as JSON text."""
    vocabulary = origin.vocabulary and json.loads(origin.vocabulary.to_json())
    known = {"model": origin.name, "options": dict(origin.options), "vocabulary": vocabulary}
    known |= {field: getattr(origin, field) for field in ("classes", "data") if getattr(origin, field)}
    return json.dumps(known, ensure_ascii=False)


def origin_from_json(text: str | bytes) -> Origin:
    """Return what `origin_to_json` wrote.

    Raises:
        ValueError: the text is something else.
    """
    try:
        return _as_origin(json.loads(text))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"it says nothing of a model ({error})") from None


def _as_origin(known: Any) -> Origin:
    name, classes, data = known["model"], tuple(known.get("classes", ())), tuple(known.get("data", ()))
    if (
        len(data) not in (0, 2)
        or not isinstance(name, str | None)
        or not all(isinstance(one, str) for one in (*classes, *data))
    ):
        raise TypeError
    vocabulary = known["vocabulary"] and Vocabulary.from_json(json.dumps(known["vocabulary"]))
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in known["options"].items()}
    return Origin(name, options, vocabulary, classes, data)
