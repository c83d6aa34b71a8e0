"""The record of measurements: one JSON-lines file an experiment, appended to and never changed."""

from __future__ import annotations

import errno
import json
import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kerazoo.errors import LedgerError
from kerazoo.files import to_json
from kerazoo.ledger.entries import LEDGER

RECORD = LEDGER / "record"
"""The packaged record."""

SOURCES = ("tfds", "none")
"""Where a row's data may come from: results on sample data are not recorded."""

Row = dict[str, Any]
_FIELDS: dict[str, Any] = {
    "experiment": str,
    "revision": int,
    "seed": int,
    "values": dict,
    "source": str,
    "data": dict,
    "kerazoo": str,
    "environment": dict,
    "seconds": (int, float),
    "measured_at": str,
}


class RecordWarning(UserWarning):
    """A line of the record was skipped."""


def as_written(row: Mapping[str, Any]) -> Row:
    """Return `row` as it will be read from the record: numbers that are not finite become null.

    Raises:
        LedgerError: the row lacks a field, comes from sample data, or holds what JSON does not.
    """
    owner = f"experiment '{row.get('experiment')}'"
    plain = {name: _plain(value, owner) for name, value in row.items()}
    fault = _fault(plain)
    if fault:
        raise LedgerError(f"a row of {owner} cannot be recorded: {fault}")
    written: Row = json.loads(to_json(plain))
    return written


def append_row(directory: Path, row: Mapping[str, Any]) -> Row:
    """Append `row` to its experiment's file under `directory`, and return it as it will be read.

    The row is on disk when the function returns. Several processes may append at once; after a crash in the midst of
    a line, the next row begins a line of its own.

    Raises:
        LedgerError: the row cannot be recorded, as `as_written` says.
        OSError: the disk does not take it.
    """
    row = as_written(row)
    line = to_json(row, indent=None).encode()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{row['experiment']}.jsonl"
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        end = os.lseek(file, 0, os.SEEK_END)
        if end:
            os.lseek(file, end - 1, os.SEEK_SET)
            if os.read(file, 1) != b"\n":
                line = b"\n" + line  # a process died while it wrote the last line
        if os.write(file, line) != len(line):  # one call, so that no other process writes between
            raise OSError(errno.ENOSPC, "the disk took only part of a row", str(path))
        os.fsync(file)
    finally:
        os.close(file)
    return row


def read_rows(directory: Path, experiment: str | None = None) -> list[Row]:
    """Return the rows of `experiment` (None: of all) under `directory`, in the order they were written.

    A line that is not a whole row, as a crash leaves it, is skipped with a `RecordWarning`.
    """
    rows = []
    for path in sorted(directory.glob(f"{experiment or '*'}.jsonl")):
        for place, line in enumerate(path.read_bytes().split(b"\n"), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                fault = _fault(row)
            except ValueError:
                fault = "not whole"
            if fault:
                warnings.warn(f"{path}, line {place} is skipped: {fault}", RecordWarning, stacklevel=2)
            else:
                rows.append(row)
    return rows


def fingerprint(environment: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what of an environment decides whether two measurements are of the same one."""
    versions = environment.get("versions", {})
    return (
        tuple(environment.get("gpus", ())) or environment.get("cpu"),
        environment.get("cores"),
        environment.get("backend"),
        versions.get(environment.get("backend", "tensorflow")),
        versions.get("keras"),
        environment.get("precision"),
    )


def origin(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the environment and the versions of the data that `row` was measured with."""
    return fingerprint(row["environment"]), tuple(sorted(row["data"].items()))


def key_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a row is the measurement of; there is no need to measure it twice."""
    fields = ("experiment", "revision", "seed", "kerazoo", "source")
    return (*(row[name] for name in fields), *origin(row))


def done(rows: Iterable[Mapping[str, Any]]) -> set[tuple[Any, ...]]:
    """Return what `rows` have measured, as `key_of` names it."""
    return {key_of(row) for row in rows}


def _fault(row: Any) -> str:
    if not isinstance(row, dict):
        return "not a row"
    for name, kind in _FIELDS.items():
        if not isinstance(row.get(name), kind) or isinstance(row[name], bool):
            return f"'{name}' is missing or of the wrong type"
    if row["source"] not in SOURCES:
        return f"its source is '{row['source']}', and only measurements on real data or without data are recorded"
    return ""


def _plain(value: Any, owner: str) -> Any:
    """Return `value` as the types that JSON has; NumPy's scalars and arrays become numbers and lists."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(one, owner) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one, owner) for one in value]
    raise LedgerError(f"{owner} measured a {type(value).__name__}, which JSON does not have; give numbers or text")
