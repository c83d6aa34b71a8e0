"""Tables and lines for the terminal."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kerazoo.schema import ModelSpec


def plain_table(*headings: str) -> Table:
    """Return an empty table with those headings, in the style of all."""
    table = Table(box=None, pad_edge=False, header_style="bold")
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
        table.add_row(one.name, f"{one.num_params:,}", one.task or "-", str(one.source), escape(one.summary))
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
    table.show_header = False
    for tensor in one.inputs:
        table.add_row("input", escape(str(tensor)))
    for tensor in one.outputs:
        table.add_row("output", escape(str(tensor)))
    table.add_row("data", one.task or "none of its own")
    further = f", then {recipe.fine_tune_epochs} more of fine-tuning" if recipe.fine_tune_epochs else ""
    epochs = f"{recipe.epochs} epochs{further}"
    table.add_row("recipe", f"{recipe.optimizer}{rate}, {recipe.loss}, batches of {recipe.batch_size}, {epochs}")
    table.add_row("claims", ", ".join(one.claims) or "-")
    for heading, values in options.items():
        listed = ", ".join(f"{name}={value!r}" for name, value in values.items())
        table.add_row(heading, escape(listed) or "-")
    console.print(table)


def show_metrics(console: Console, metrics: Mapping[str, float]) -> None:
    """Print metrics in one line."""
    console.print("  ".join(f"{name} {value:.4f}" for name, value in metrics.items()) or "no test split to measure")


def show_pairs(console: Console, pairs: Mapping[str, Any]) -> None:
    """Print names and values in two columns."""
    table = plain_table("", "")
    table.show_header = False
    for name, value in pairs.items():
        table.add_row(name, escape(str(value)))
    console.print(table)
