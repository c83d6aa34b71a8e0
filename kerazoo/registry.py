"""The registry: names to model specs. Listing names imports neither Keras nor TensorFlow."""

from __future__ import annotations

import contextlib
import fnmatch
import importlib
import importlib.util
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from kerazoo.errors import InputError, KerazooError, UnknownModelError, did_you_mean
from kerazoo.options import required_of
from kerazoo.schema import ModelSpec, Recipe, Source, Tensor

Builder = TypeVar("Builder", bound=Callable[..., Any])

ENTRY_POINT_GROUP = "kerazoo.models"
MODEL_FILES_VARIABLE = "KERAZOO_MODELS"

_specs: dict[str, ModelSpec] = {}
_discovery = threading.RLock()
_discovered = False


def register(
    *,
    source: Source,
    recipe: Recipe,
    num_params: int,
    inputs: tuple[Tensor, ...] = (),
    outputs: tuple[Tensor, ...] = (),
    task: Any = None,
    dataset: str | None = None,
    claims: tuple[str, ...] = (),
    name: str | None = None,
) -> Callable[[Builder], Builder]:
    """Register the decorated builder under `name` (default: the function's own name).

    The builder takes only parameters with defaults, does no input or output, and returns a `keras.Model`.
    A package joins the zoo through the entry point group `kerazoo.models`, a file of one's own through the
    environment variable `KERAZOO_MODELS` (paths separated as in `PATH`).

    Args:
        source: where the model is described.
        recipe: how it is trained.
        num_params: how many parameters it has as documented; compared when it is first built.
        inputs: what it takes; compared likewise, where given.
        outputs: what it answers.
        task: where its data comes from and what its inputs and answers are: the name of a task, or a `kerazoo.Task`,
            which is registered with the model. None: the caller brings rows of numbers.
        dataset: the older word for `task`.
        claims: ids of the documents' claims that the model serves to check.
        name: in place of the function's.

    Raises:
        InputError: the name is taken, no task has the name, or a parameter of the builder has no default.
    """

    def add(builder: Builder) -> Builder:
        own = builder.__module__.startswith("kerazoo.models.")
        if not own:
            discover()  # the zoo's own names come first, so that a clash is told here
        key = name or builder.__name__
        summary = (builder.__doc__ or "").strip().split("\n")[0]
        if task is not None and dataset is not None:
            raise InputError(f"model '{key}': task= and dataset= are two words for one; give one of them")
        wanted = dataset if task is None else task
        # The zoo's own models name tasks that exist (a test sees to it); to look would import them for a mere list.
        named = wanted if own or wanted is None else importlib.import_module("kerazoo.tasks").resolve(wanted).name
        spec = ModelSpec(key, source, summary, inputs, outputs, recipe, num_params, named, claims, builder)
        if required := required_of(builder):
            raise InputError(f"model '{key}': builder parameter '{required}' has no default; give it one")
        if key in _specs:
            raise InputError(f"a model named '{key}' is already registered; choose another name")
        _specs[key] = spec
        return builder

    return add


def _import_file(path: Path) -> None:
    """Import the model file at `path` under a module name of its own."""
    if not path.is_file():
        raise InputError(f"{MODEL_FILES_VARIABLE} names '{path}', which is not a file; correct or unset it")
    module_name = f"kerazoo_user_{path.stem}"
    module_spec = importlib.util.spec_from_file_location(module_name, path)
    if module_spec is None or module_spec.loader is None:
        raise InputError(f"{MODEL_FILES_VARIABLE} names '{path}', which is not a Python file (wanted: *.py)")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[module_name] = module
    try:
        module_spec.loader.exec_module(module)
    except KerazooError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(f"model file '{path}' cannot be imported: {type(error).__name__}: {error}") from error


def _entry_points() -> Iterable[Any]:
    """Return what other packages offer; most often nothing, and to import `importlib.metadata` takes long."""
    for file in (file for place in sys.path for file in Path(place).glob("*-info/entry_points.txt")):
        with contextlib.suppress(OSError):
            if ENTRY_POINT_GROUP.encode() in file.read_bytes():
                import importlib.metadata

                return importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)
    return ()


def discover() -> None:
    """Import everything that registers models and tasks, once: our own, installed packages', the user's files."""
    global _discovered  # noqa: PLW0603 (one process, one registry)
    with _discovery:
        if _discovered:
            return
        _discovered = True  # first: a model file may itself ask for models
        importlib.import_module("kerazoo.models")
        for entry_point in _entry_points():
            try:
                entry_point.load()
            except Exception as error:  # one broken package must not take the zoo down
                warnings.warn(f"models of '{entry_point.value}' are left out: {error}", RuntimeWarning, stacklevel=3)
        for path in filter(None, os.environ.get(MODEL_FILES_VARIABLE, "").split(os.pathsep)):
            _import_file(Path(path))


def _patterns(value: str | Iterable[str] | None) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def list_models(pattern: str | Iterable[str] | None = None, *, exclude: str | Iterable[str] | None = None) -> list[str]:
    """Return the sorted names of the models that match any of `pattern` and none of `exclude`.

    Patterns are those of `fnmatch`, e.g. "mnist_*" or ["imdb_*", "textgen_*"]; None matches all.
    """
    discover()
    wanted, unwanted = _patterns(pattern), _patterns(exclude)
    return sorted(
        name
        for name in _specs
        if (pattern is None or any(fnmatch.fnmatchcase(name, one) for one in wanted))
        and not any(fnmatch.fnmatchcase(name, one) for one in unwanted)
    )


def spec(name: str) -> ModelSpec:
    """Return what is known about the model `name`.

    Raises:
        UnknownModelError: there is no such model; the message names the nearest one and all that exist.
    """
    discover()
    try:
        return _specs[name]
    except (KeyError, TypeError):
        if hasattr(name, "layers"):
            raise InputError("a name of the zoo is wanted here; kerazoo.fit trains a Keras model of your own") from None
        message = f"no model is named {name!r}.{did_you_mean(str(name), _specs)} Models: {', '.join(sorted(_specs))}"
        raise UnknownModelError(message) from None
