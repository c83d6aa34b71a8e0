"""What a request may ask: texts, rows of numbers, pictures as base64. Never the name of a file."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from kerazoo.errors import DataError
from kerazoo.tasks import Pictures, Task

MOST_INPUTS = 64  # in a request
_DATA_URL = ";base64,"
_ARRAYS = (b"\x93NUMPY", b"PK\x03\x04")  # of .npy and .npz, which may unpack to a thousand times their size


def inputs_of(document: Any, task: Task) -> list[Any]:
    """Return the inputs in the JSON `document` of a request, as the task reads them.

    Raises:
        DataError: the document has another form.
    """
    given = document.get("inputs") if isinstance(document, dict) else None
    if not isinstance(given, list) or not given:
        raise DataError('wanted a JSON object {"inputs": [...]} with at least one input')
    if len(given) > MOST_INPUTS:
        raise DataError(f"{len(given)} inputs in a request: wanted at most {MOST_INPUTS}")
    return [_input(one, f"input {place}", task) for place, one in enumerate(given)]


def _input(given: Any, name: str, task: Task) -> Any:
    if isinstance(given, str):
        if isinstance(task, Pictures):
            return _picture(given, name)
        if task.explains:
            return given  # a text
    elif isinstance(given, list) and given:
        return given  # numbers, which the task looks at
    wanted = "a picture as base64, or rows of pixels" if isinstance(task, Pictures) else "a row of numbers"
    raise DataError(f"{name}: wanted {'a text' if task.explains else wanted}")


def _picture(text: str, name: str) -> bytes:
    """Return the bytes of a picture in base64, or in a data URL of that."""
    content = text.split(_DATA_URL, 1)[1] if text.startswith("data:") and _DATA_URL in text else text
    try:
        found = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise DataError(f"{name} is no base64; wanted a picture, such as a PNG file, as base64") from None
    if found.startswith(_ARRAYS):
        raise DataError(f"{name} is a file of arrays; wanted a picture, such as a PNG file, or rows of pixels")
    return found
