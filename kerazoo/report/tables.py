"""Tables and lines for the terminal."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kerazoo.printable import printable
from kerazoo.schema import ModelSpec


class Terminal(Console):
    """Standard output, safe from what texts from outside may hold; where it is piped, a row is a line."""

    def __init__(self) -> None:
        width = None if sys.stdout.isatty() else 1000
        super().__init__(highlight=False, markup=False, emoji=False, width=width)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a line of text, its control characters shown as escapes."""
        return super().render_str(printable(text), **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as Rich does; where there is no terminal, without the spaces that fill up columns."""
        if self.is_terminal:
            super().print(*objects, **options)
            return
        with self.capture() as captured:
            super().print(*objects, **options)
        self.file.write("\n".join(line.rstrip() for line in captured.get().split("\n")))


class _Rows(Table):
    """A table whose cells hold what texts from outside say, and nothing that breaks out of them."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        """Add a row of texts; a line break in a cell is one only where columns have no headings, as in a list."""
        keep = "" if any(column.header for column in self.columns) else "\n"
        super().add_row(*(Text(printable(cell, keep), getattr(cell, "style", "")) for cell in cells), **options)


def plain_table(*headings: str) -> Table:
    """Return an empty table with those headings, in the style of all; its cells are texts."""
    table = _Rows(box=None, pad_edge=False, header_style="bold", show_header=any(headings))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def model_table(specs: Iterable[ModelSpec]) -> Table:
    """Return a row a model: name, parameters, data, source, and what it does."""
    table = plain_table("model", "parameters", "data", "from", "what")
    table.columns[1].justify = "right"
    for column in table.columns[:2]:
        column.no_wrap = True  # a name is there to be copied
    for one in specs:
        table.add_row(one.name, f"{one.num_params:,}", one.task or "-", str(one.source), one.summary)
    return table


def model_record(one: ModelSpec) -> dict[str, Any]:
    """Return what is known of a model as plain values for JSON."""
    record = {field.name: getattr(one, field.name) for field in dataclasses.fields(one) if field.name != "builder"}
    record["dataset"] = one.task
    for name in ("source", "recipe"):
        record[name] = dataclasses.asdict(record[name])
    for name in ("inputs", "outputs"):
        record[name] = [dataclasses.asdict(tensor) for tensor in record[name]]
    return record


def show_model(console: Console, one: ModelSpec, options: Mapping[str, Mapping[str, Any]]) -> None:
    """Print what is known of a model; `options` maps a heading to the options under it with their defaults."""
    console.print(f"{one.name}  {one.num_params:,} parameters, from {one.source}", style="bold")
    console.print(one.summary)
    recipe = one.recipe
    rate = "" if recipe.learning_rate is None else f" at {recipe.learning_rate:g}"
    table = plain_table("", "")
    for tensor in one.inputs:
        table.add_row("input", str(tensor))
    for tensor in one.outputs:
        table.add_row("output", str(tensor))
    table.add_row("data", one.task or "none of its own")
    further = f", then {recipe.fine_tune_epochs} more of fine-tuning" if recipe.fine_tune_epochs else ""
    epochs = f"{recipe.epochs} epochs{further}"
    table.add_row("recipe", f"{recipe.optimizer}{rate}, {recipe.loss}, batches of {recipe.batch_size}, {epochs}")
    table.add_row("claims", ", ".join(one.claims) or "-")
    for heading, values in options.items():
        listed = ", ".join(f"{name}={value!r}" for name, value in values.items())
        table.add_row(heading, listed or "-")
    console.print(table)


def show_metrics(console: Console, metrics: Mapping[str, float]) -> None:
    """Print metrics in one line."""
    console.print("  ".join(f"{name} {value:.4f}" for name, value in metrics.items()) or "no test split to measure")


def show_pairs(console: Console, pairs: Mapping[str, Any]) -> None:
    """Print names and values in two columns."""
    table = plain_table("", "")
    for name, value in pairs.items():
        table.add_row(name, str(value))
    console.print(table)
