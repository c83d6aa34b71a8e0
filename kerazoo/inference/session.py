"""A model in ONNX Runtime, which needs neither TensorFlow, Keras nor JAX: the packaged weights, or an `.onnx` file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kerazoo.errors import InputError, ModelFileError, first_line
from kerazoo.files import read_bytes
from kerazoo.lazy import np
from kerazoo.model_file import ORIGIN, Origin, origin_from_json

SUFFIX = ".onnx"
_ROWS_OF_IDS = 64
_THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
_DTYPES = {"tensor(float)": "float32", "tensor(int32)": "int32", "tensor(int64)": "int64", "tensor(bool)": "bool"}


class Value(NamedTuple):
    """An input or output: its name and shape, as a symbolic tensor of Keras's has them; None is an axis of any size."""

    name: str
    shape: tuple[int | None, ...]


class Session:
    """An ONNX model that is loaded, on the CPU.

    It computes with as many threads as OMP_NUM_THREADS says, or TF_NUM_INTRAOP_THREADS, else one for each core that the
    process may use.

    Attributes:
        name: what to call it in an error.
        origin: what the file says of the model, as a `.keras` file does; nothing, where kerazoo did not write it.
        inputs: those that a call needs.
        outputs: what it returns, the model's own first.
        states: those that it can be given, and returns under the name with ".next": an LSTM's h and c.

    Args:
        file: the content of an ONNX file.
        name: what to call it.

    Raises:
        ModelFileError: ONNX Runtime cannot load it.
    """

    def __init__(self, file: bytes, name: str) -> None:
        try:
            self._session = loaded(file)
        except Exception as error:  # of ONNX Runtime's own, a class for each code
            reason = first_line(error)
            raise ModelFileError(f"'{name}' cannot be loaded by ONNX Runtime: {reason}") from None
        known = self._session.get_modelmeta().custom_metadata_map.get(ORIGIN)
        try:
            self.origin = Origin() if known is None else origin_from_json(known)
        except ValueError as error:
            raise ModelFileError(f"'{name}' is damaged: {error}") from None
        self.name = name
        needed, optional = self._session.get_inputs(), self._session.get_overridable_initializers()
        self._dtypes = {one.name: _DTYPES.get(one.type) for one in (*needed, *optional)}
        self.inputs, self.outputs = _values(needed), _values(self._session.get_outputs())
        self.states = [one for one in _values(optional) if self.gives(f"{one.name}.next")]

    def takes(self, name: str) -> bool:
        """Tell whether it has an input of that name, which may be left out or not."""
        return name in self._dtypes

    def gives(self, name: str) -> bool:
        """Tell whether it has an output of that name."""
        return any(one.name == name for one in self.outputs)

    def run(self, given: Mapping[str, Any], wanted: Sequence[str] | None = None) -> list[np.ndarray]:
        """Return the outputs named in `wanted`, or all, for arrays by the names of the inputs."""
        arrays = {name: np.asarray(array, self._dtypes[name]) for name, array in given.items()}
        return list(self._session.run(wanted, arrays))

    def answers(self, x: np.ndarray, rows: int | None = None) -> np.ndarray:
        """Return the first output for the only input, of any length, `rows` at a time.

        By default those of numbers go all at once, and those of ids few at a time: what a model computes between, many
        values for each id, then stays in the caches. Rows of ids go by the length of their padding, 0 at the front,
        which a graph can cut off where all rows have it.

        Raises:
            InputError: the model takes several inputs.
        """
        if not (np.issubdtype(x.dtype, np.integer) and x.ndim == 2 and x.size):
            rows = rows or max(len(x), 1)
            return np.concatenate([self(x[first : first + rows])[0] for first in range(0, max(len(x), 1), rows)])
        rows, order = rows or _ROWS_OF_IDS, np.argsort(np.argmax(x != 0, axis=1), kind="stable")
        found = np.concatenate([self(x[part])[0] for part in np.split(order, range(rows, len(x), rows))])
        answers = np.empty_like(found)
        answers[order] = found
        return answers

    def __call__(self, x: Any, *wanted: str) -> list[np.ndarray]:
        """Return the outputs named, by default the first, for the only input.

        Raises:
            InputError: the model takes several.
        """
        if len(self.inputs) != 1:
            names = ", ".join(one.name for one in self.inputs)
            raise InputError(f"the model '{self.name}' has the inputs {names}; wanted one input")
        return self.run({self.inputs[0].name: x}, wanted or [self.outputs[0].name])


def open_session(path: str | os.PathLike[str]) -> Session:
    """Return the model in the `.onnx` file `path`.

    Raises:
        ModelFileError: it cannot be read, or ONNX Runtime cannot load it.
    """
    if not Path(path).is_file():
        raise ModelFileError(f"'{path}' is not a file; name an .onnx file")
    try:
        return Session(read_bytes(path), os.fspath(path))
    except OSError as error:
        raise ModelFileError(f"'{path}' cannot be read: {error.strerror or error}") from None


def loaded(file: bytes | str | os.PathLike[str]) -> Any:
    """Return ONNX Runtime's own session, on the CPU, of a file's content or path."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads()
    settings.log_severity_level = 4  # what matters comes as an exception
    return onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])


def threads() -> int:
    """Return how many threads a session computes with."""
    told = (os.environ.get(name, "") for name in _THREADS)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return next((int(one) for one in told if one.isdecimal() and int(one)), cores)


def _values(given: Sequence[Any]) -> list[Value]:
    return [Value(one.name, tuple(size if isinstance(size, int) else None for size in one.shape)) for one in given]
