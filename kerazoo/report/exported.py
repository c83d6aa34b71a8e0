"""What an export came to, in words."""

from __future__ import annotations

from collections.abc import Iterator

from kerazoo.exporting.api import Exported
from kerazoo.exporting.checking import Measured


def lines(written: Exported) -> Iterator[str]:
    """Yield what was written, how near it is to Keras, and what int8 weights changed."""
    yield f"{written.path}: {_size(written.bytes)}"
    if written.check is None:
        yield "not compared with Keras: it takes a browser"
    else:
        check = written.check
        equal = "" if check.agreement is None else f", {check.agreement:.2%} equal answers"
        yield f"{check.inputs:,} inputs of {check.data}: largest difference {check.difference:.1e}{equal}"
    for name, one in zip(("float32", "int8"), written.quantised or (), strict=False):
        yield f"{name}: {_measured(one)}"


def _measured(one: Measured) -> str:
    accuracy = "" if one.accuracy is None else f", accuracy {one.accuracy:.4f} on {one.labelled:,} examples"
    return f"{_size(one.bytes)}, {one.seconds * 1e3:.3f} ms an example{accuracy}"


def _size(count: int) -> str:
    return f"{count / 1e6:.2f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"
