"""What a format of exported models is: where it is written, what it needs, how a written one is run."""

from __future__ import annotations

import contextlib
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from kerazoo.errors import InputError
from kerazoo.files import whole_directory, whole_file
from kerazoo.lazy import keras, require

Run = Callable[[Sequence[Any]], list[Any]]
"""From arrays (N, ...), one for each input of the model, to the arrays of its outputs, as another runtime has them."""


class Format(ABC):
    """A format by its name."""

    name: ClassVar[str]
    suffix: ClassVar[str]
    """What paths end in; empty for a directory."""
    needs: ClassVar[Mapping[str, str]] = {}
    """The packages, as they are imported, each with what `pip install` is to be given."""
    backends: ClassVar[tuple[str, ...]] = ("tensorflow", "jax")
    """Keras's backends with which models can be written."""
    runs: ClassVar[bool] = True
    """Whether a written model can be run here, and compared."""
    at_once: ClassVar[int] = 250
    """Examples that a written model is given at a time."""
    quantises: ClassVar[bool] = False
    """Whether weights can be made int8."""

    @abstractmethod
    def write(self, model: keras.Model, path: Path, facts: Mapping[str, Any]) -> None:
        """Write `model` to `path`, with what is known of it.

        Raises:
            InputError: the format has no operation for a part of the model.
        """

    def load(self, path: Path) -> Run:
        """Return what runs the file or directory `path`, by the format's own runtime."""
        raise NotImplementedError

    def quantise(self, model: keras.Model, written: Path, path: Path, facts: Mapping[str, Any]) -> None:
        """Write `model`, which has been written to `written`, to `path` with int8 weights."""
        raise NotImplementedError

    def check(self, path: Path, *, quantise: bool = False) -> None:
        """Refuse, before any work, what cannot be written.

        Raises:
            InputError: the path has not the format's suffix, or cannot be written; the format has no int8, or Keras's
                backend cannot write it.
            UnavailableError: a package is missing.
        """
        if self.suffix and path.suffix != self.suffix:
            raise InputError(f"'{path}': wanted a path that ends in {self.suffix} for the format {self.name}")
        if not path.parent.is_dir() or (self.suffix and path.is_dir()):
            raise InputError(f"'{path}' cannot be written: wanted a {self._kind} in a directory that exists")
        if not self.suffix and path.exists():
            raise InputError(f"'{path}' is there already; name a directory that is not, to be made")
        if quantise and not self.quantises:
            raise InputError(f"the format {self.name} has no int8 weights here; 'onnx' and 'litert' have")
        require(f"the format {self.name}", self.needs)
        if keras.backend.backend() not in self.backends:
            asked = " or ".join(self.backends)
            told = f"the format {self.name} is written with Keras on {asked}, not {keras.backend.backend()}"
            raise InputError(f"{told}: set KERAS_BACKEND={self.backends[0]}, or choose the format onnx")

    @property
    def _kind(self) -> str:
        return "file" if self.suffix else "directory"

    @contextlib.contextmanager
    def destination(self, path: Path) -> Iterator[Path]:
        """Yield where to write what becomes `path`, whole or not at all."""
        if self.suffix:
            with whole_file(path) as temporary:
                yield temporary
        else:
            with whole_directory(path) as temporary:
                yield temporary

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield where to write what nobody keeps."""
        with tempfile.TemporaryDirectory() as directory:
            yield Path(directory) / f"model{self.suffix}"


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of the files in a directory."""
    return sum(one.stat().st_size for one in (path.rglob("*") if path.is_dir() else [path]) if one.is_file())
