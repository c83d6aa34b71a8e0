"""Which rows of the record count for a claim, and what lies where in their values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from kerazoo.ledger.record import SOURCES, Row, origin

MISSING = object()
"""What `look_up` returns where there is nothing."""


def select(rows: Iterable[Row], experiment: str, revision: int | None = None) -> tuple[list[Row], str]:
    """Return the rows that count, one a seed, all of one environment and data, and a remark on those left out.

    They are of the newest (or the given) revision and never of sample data; of several rows of a seed the latest; of
    several environments or versions of the data those with the most seeds, and among equals those measured last.
    """
    real = [row for row in rows if row["experiment"] == experiment and row["source"] in SOURCES]
    wanted = max((row["revision"] for row in real), default=0) if revision is None else revision
    current = [row for row in real if row["revision"] == wanted]
    if not current:
        old = "The record holds measurements of an earlier design of the experiment only." if real else ""
        return [], old
    places: dict[tuple[Any, ...], dict[int, Row]] = defaultdict(dict)
    for row in current:
        of_place = places[origin(row)]
        before = of_place.get(row["seed"])
        if before is None or row["measured_at"] >= before["measured_at"]:
            of_place[row["seed"]] = row
    ordered = sorted(places.values(), key=lambda by: (len(by), max(row["measured_at"] for row in by.values())))
    best = ordered[-1]
    others = sum(len(by) for by in ordered[:-1])
    counted = f"{others} measurement{'s' * (others > 1)}"
    remark = f"{counted} in another environment, or on another version of the data, left out." if others else ""
    return [best[seed] for seed in sorted(best)], remark


def look_up(values: Any, path: str) -> Any:
    """Return what lies at the dotted `path` ("history.val_accuracy.2") in `values`, or a marker for nothing."""
    for step in path.split("."):
        if isinstance(values, Mapping) and step in values:
            values = values[step]
        elif isinstance(values, list) and step.isdecimal() and int(step) < len(values):
            values = values[int(step)]
        else:
            return MISSING
    return values


def beside(values: Mapping[str, Any], path: str, name: str) -> Any:
    """Return `name` from the innermost dictionary on the way to `path`, or None."""
    steps = path.split(".")
    for length in range(len(steps) - 1, -1, -1):
        around = look_up(values, ".".join(steps[:length])) if length else values
        if isinstance(around, Mapping):
            return around.get(name)
    return None
