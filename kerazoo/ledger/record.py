"""The record of measurements: one JSON-lines file an experiment, appended to and never changed.

Each row has a digest of the rest of it, so that a damaged one is noticed and does not count.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kerazoo.errors import LedgerError
from kerazoo.files import to_json

SOURCES = ("tfds", "none")
"""Where a row's data may come from; in a study of one's own also from the embedded sample, "sample"."""

Row = dict[str, Any]
FIELDS: dict[str, Any] = {
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


def as_written(row: Mapping[str, Any], sample: bool = False) -> Row:
    """Return `row` as it will be read from the record: numbers that are not finite become null, a digest is added.

    Args:
        row: a row without a digest.
        sample: whether it may come from sample data.

    Raises:
        LedgerError: the row lacks a field, comes from sample data, or holds what JSON does not.
    """
    owner = f"experiment '{row.get('experiment')}'"
    plain = json.loads(to_json({name: _plain(value, owner) for name, value in row.items()}))
    written: Row = {**plain, "digest": digest(plain)}
    fault = _fault(written, sample)
    if fault:
        raise LedgerError(f"a row of {owner} cannot be recorded: {fault}")
    return written


def digest(row: Mapping[str, Any]) -> str:
    """Return the digest of a row's fields but for `digest` itself."""
    content = {name: value for name, value in row.items() if name != "digest"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def append_row(directory: Path, row: Mapping[str, Any], sample: bool = False) -> Row:
    """Append `row` to its experiment's file under `directory`, and return it as it will be read.

    The row is on disk when the function returns. Several processes may append at once; after a crash in the midst of
    a line, the next row begins a line of its own.

    Raises:
        LedgerError: the row cannot be recorded, as `as_written` says.
        OSError: the disk does not take it; the error names the file.
    """
    row = as_written(row, sample)
    line = to_json(row, indent=None).encode()
    path = directory / f"{row['experiment']}.jsonl"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _append(path, line)
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk names no file
        raise
    return row


def _append(path: Path, line: bytes) -> None:
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        end = os.lseek(file, 0, os.SEEK_END)
        if end:
            os.lseek(file, end - 1, os.SEEK_SET)
            if os.read(file, 1) != b"\n":
                line = b"\n" + line  # a process died while it wrote the last line
        if os.write(file, line) != len(line):  # one call, so that no other process writes between
            raise OSError(errno.ENOSPC, "the disk took only part of a row")
        os.fsync(file)
    finally:
        os.close(file)


def read_rows(directory: Path, experiment: str | None = None, sample: bool = False) -> list[Row]:
    """Return the rows of `experiment` (None: of all) under `directory`, in the order they were written.

    A line that is not a whole row, as a crash leaves it, or not the one that was written, is skipped with a
    `RecordWarning`, and so is one of sample data unless `sample` lets them in.
    """
    rows = []
    for path in sorted(directory.glob(f"{experiment or '*'}.jsonl")):
        for place, line in enumerate(path.read_bytes().split(b"\n"), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                fault = _fault(row, sample)
            except (ValueError, RecursionError):
                fault = "not whole"
            if fault:
                warnings.warn(f"{path}, line {place} is skipped: {fault}", RecordWarning, stacklevel=2)
            else:
                rows.append(row)
    return rows


def select(
    rows: Iterable[Row], experiment: str, revision: int | None = None, timed: bool = False
) -> tuple[list[Row], str]:
    """Return the rows that count, one a seed, all of one environment and data, and a remark on those left out.

    They are of the newest (or the given) revision, and of those by the newest version of kerazoo; of several rows of a
    seed the latest; of several environments or versions of the data those with the most seeds, and among equals those
    measured last; of sample data only where there are no others. Environments that differ in the number of cores alone
    are one, since what is learned differs by rounding; but not where a time is what counts (`timed`).
    """
    found = [row for row in rows if row["experiment"] == experiment]
    wanted = max((row["revision"] for row in found), default=0) if revision is None else revision
    current = [row for row in found if row["revision"] == wanted]
    if not current:
        old = "The record holds measurements of an earlier design of the experiment only." if found else ""
        return [], old
    newest = max((row["kerazoo"] for row in current), key=_version)
    current = [row for row in current if row["kerazoo"] == newest]
    places: dict[tuple[Any, ...], dict[int, Row]] = defaultdict(dict)
    for row in current:
        of_place = places[origin(row) if timed else _place(row)]
        before = of_place.get(row["seed"])
        if before is None or row["measured_at"] >= before["measured_at"]:
            of_place[row["seed"]] = row

    def weight(by_seed: dict[int, Row]) -> tuple[Any, ...]:
        rows = by_seed.values()
        return all(row["source"] in SOURCES for row in rows), len(rows), max(row["measured_at"] for row in rows)

    *others, best = sorted(places.values(), key=weight)
    left_out = sum(map(len, others))
    counted = f"{left_out} measurement{'s' * (left_out > 1)}"
    remark = f"{counted} in another environment, or on another version of the data, left out." if left_out else ""
    return [best[seed] for seed in sorted(best)], remark


def _version(text: str) -> tuple[int, ...]:
    """Return what a version is ordered by: its numbers."""
    return tuple(map(int, re.findall(r"\d+", text)[:3]))


def fingerprint(environment: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what of an environment decides whether seeds measured in two of them count together."""
    versions = environment.get("versions", {})
    return (
        tuple(environment.get("gpus", ())) or environment.get("cpu"),
        environment.get("backend"),
        versions.get(environment.get("backend", "tensorflow")),
        versions.get("keras"),
        environment.get("precision"),
    )


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the environment and the versions of the data that `row` was measured with, but for the number of cores."""
    return fingerprint(row["environment"]), row["source"] == "sample", tuple(sorted(row["data"].items()))


def origin(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the environment and the versions of the data that `row` was measured with."""
    return (*_place(row), row["environment"].get("cores"))


def key_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a row is the measurement of; there is no need to measure it twice."""
    fields = ("experiment", "revision", "seed", "kerazoo", "source")
    return (*(row[name] for name in fields), *origin(row))


def done(rows: Iterable[Mapping[str, Any]]) -> set[tuple[Any, ...]]:
    """Return what `rows` have measured, as `key_of` names it."""
    return {key_of(row) for row in rows}


def _fault(row: Any, sample: bool) -> str:
    if not isinstance(row, dict):
        return "not a row"
    for name, kind in FIELDS.items():
        if not isinstance(row.get(name), kind) or isinstance(row[name], bool):
            return f"'{name}' is missing or of the wrong type"
    if row.get("digest") != digest(row):
        return "its digest is not that of its content: it was changed or damaged"
    if row["source"] not in (*SOURCES, *(["sample"] if sample else ())):
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
