"""Encode the state of callbacks as JSON and arrays, for checkpoints without pickle."""

from typing import Any

import numpy as np
import numpy.typing as npt

_PLAIN = (type(None), bool, int, float, str)


def encode(value: Any, arrays: dict[str, npt.NDArray[Any]]) -> Any:
    """Return the JSON form of nested dicts, lists and tuples of plain values and arrays; arrays are added to `arrays`.

    Raises:
        TypeError: something else is among them.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufc":
        name = f"value/{len(arrays)}"
        arrays[name] = np.asarray(value)
        return {"array": name, "scalar": isinstance(value, np.generic)}
    if type(value) in (list, tuple):
        return {type(value).__name__: [encode(item, arrays) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[encode(k, arrays), encode(v, arrays)] for k, v in value.items()]}
    raise TypeError(f"cannot keep a {type(value).__name__}")


def decode(node: Any, arrays: dict[str, npt.NDArray[Any]]) -> Any:
    """Return the value that `encode` was given."""
    if not isinstance(node, dict):
        return node
    if "array" in node:
        array = arrays[node["array"]]
        return array[()] if node["scalar"] else array
    if "dict" in node:
        return {decode(k, arrays): decode(v, arrays) for k, v in node["dict"]}
    kind, items = next(iter(node.items()))
    return (list if kind == "list" else tuple)(decode(item, arrays) for item in items)


def equal(a: Any, b: Any) -> bool:
    """Whether two encodable values are the same, arrays included."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b)
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return bool(a == b)
