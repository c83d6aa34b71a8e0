"""Predictions for the terminal and as JSON, as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Any

from rich.console import Console
from rich.text import Text

from kerazoo.files import to_json
from kerazoo.report.tables import plain_table
from kerazoo.schema import Prediction

_ROWS = 50  # a table at a time
_HEAVY = 5  # words in a row of the table
_HEAVY_JSON = 10


def show_predictions(console: Console, predictions: Iterable[Prediction]) -> None:
    """Print a row for each prediction: what it is of, the class, its probability, and what nearly was or weighed.

    Below them stands how words were weighed.
    """
    given = iter(predictions)
    method = None
    while rows := _until_error(islice(given, _ROWS)):
        found, error = rows
        if found:
            console.print(_table(found, method is None))
            method = found[0].method
        if error:
            raise error
        if not found:
            break
    if method:
        console.print(f"Words are weighed by {method}; `kerazoo demo` weighs them by occlusion.")


def _until_error(given: Iterator[Prediction]) -> tuple[list[Prediction], Exception | None]:
    """Return the predictions up to one that cannot be made, and why."""
    found: list[Prediction] = []
    try:
        found.extend(given)
    except Exception as error:
        return found, error
    return found, None


def _table(rows: list[Prediction], heading: bool) -> Any:
    table = plain_table("input", "answer", "probability", "weighed most" if rows[0].words else "next")
    table.show_header = heading
    table.columns[2].justify = "right"
    for one in rows:
        table.add_row(Text(one.input), Text(one.label), f"{one.probability:.1%}", Text(_why(one)))
    return table


def _why(one: Prediction) -> str:
    if one.words:
        return ", ".join(f"{word.text} {word.weight:+.2f}" for word in one.heaviest(_HEAVY))
    others = sorted((share, label) for label, share in one.probabilities.items() if label != one.label)
    return f"{others[-1][1]} {others[-1][0]:.1%}" if others else ""


def write_json(file: IO[str], predictions: Iterable[Prediction]) -> None:
    """Write one JSON array, a line for each prediction as it comes; whole also where a later one cannot be made."""
    begun = False
    try:
        for one in predictions:
            file.write((",\n" if begun else "[\n") + to_json(record(one), indent=None).rstrip("\n"))
            begun = True
    finally:
        if begun:
            file.write("\n]\n")


def record(one: Prediction) -> dict[str, Any]:
    """Return a prediction as plain values; of the words, the ten that weighed most, and how they were weighed."""
    words = [{"word": word.text, "weight": word.weight, "known": word.known} for word in one.heaviest(_HEAVY_JSON)]
    fields = ("input", "label", "probability", "probabilities")
    return {field: getattr(one, field) for field in fields} | ({"words": words, "method": one.method} if words else {})
