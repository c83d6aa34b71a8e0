"""Finding a study and importing its experiments."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import pkgutil
import sys
import traceback
import zlib
from pathlib import Path
from types import ModuleType

from kerazoo.errors import InputError, KerazooError, LedgerError, did_you_mean

GROUP = "kerazoo.studies"
"""The entry points by which installed packages offer studies: a name, and a module or a path."""

PACKAGED = Path(__file__).parents[1] / "studies" / "articles"
_MODULE = "kerazoo.studies.articles"

StudyName = str | os.PathLike[str] | None

_imported: dict[Path, tuple[str, ModuleType]] = {}  # by their files, with the text: a module registers models once


def find(study: StudyName) -> tuple[Path, str]:
    """Return the directory of a study, and its module where it is installed; None is kerazoo's own.

    Raises:
        InputError: it is neither a directory nor the name of an installed study.
    """
    if study is None:
        return PACKAGED, _MODULE
    folder = Path(study)
    if os.fspath(study) and folder.is_dir():
        return (PACKAGED, _MODULE) if folder.resolve() == PACKAGED.resolve() else (folder, "")
    installed = importlib.metadata.entry_points(group=GROUP)
    for entry_point in installed:
        if entry_point.name == os.fspath(study):
            try:
                found = entry_point.load()
            except Exception as error:
                raise InputError(f"study '{study}' cannot be imported: {type(error).__name__}: {error}") from None
            if isinstance(found, ModuleType):
                place = Path(found.__file__).parent if found.__file__ else Path(next(iter(found.__path__)))
                return place, found.__name__
            return Path(found), ""
    near = did_you_mean(os.fspath(study), installed.names)
    raise InputError(f"study '{study}' is neither a directory nor the name of an installed study.{near}")


def modules_of(folder: Path, module: str) -> list[ModuleType]:
    """Import the experiments of a study: a module or package of an installed one, else the file experiments.py.

    Raises:
        LedgerError: the file cannot be imported.
    """
    if module:
        return _imported_modules(module)
    path = folder / "experiments.py"
    return [_imported_file(path.resolve())] if path.is_file() else []


def _imported_modules(module: str) -> list[ModuleType]:
    name = f"{module}.experiments"
    try:
        if not hasattr(importlib.import_module(module), "__path__") or importlib.util.find_spec(name) is None:
            return []
        package = importlib.import_module(name)
        parts = [f"{name}.{one.name}" for one in pkgutil.iter_modules(getattr(package, "__path__", ()))]
        return [package, *map(importlib.import_module, parts)]
    except KerazooError:
        raise
    except Exception as error:
        raise LedgerError(f"{name} cannot be imported: {type(error).__name__}: {error}") from error


def _imported_file(path: Path) -> ModuleType:
    try:
        text = path.read_text(encoding="utf-8")
        if path in _imported and _imported[path][0] == text:
            return _imported[path][1]
        loaded = ModuleType(f"_experiments_{zlib.crc32(str(path).encode()):x}")
        loaded.__file__ = str(path)
        sys.modules[loaded.__name__] = loaded  # where dataclasses and pickle look for it
        exec(compile(text, str(path), "exec", dont_inherit=True), vars(loaded))
    except (Exception, SystemExit) as error:
        told = str(error) if isinstance(error, KerazooError) else f"{type(error).__name__}: {error}"
        raise LedgerError(f"experiments.py{_line(error, path)}: {told}") from error
    _imported[path] = text, loaded
    return loaded


def _line(error: BaseException, path: Path) -> str:
    """Return the line of the file `path` that raised `error`."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    return f", line {line}" if line else ""
