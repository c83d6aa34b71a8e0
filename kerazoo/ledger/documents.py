"""A study's documents, with their claims and what the report draws of them: TOML files, read and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kerazoo.ledger.entries import Entry, faults_of_entry
from kerazoo.ledger.shapes import faults_of, key, made, schema_of

MOST_LINES = 4  # of a figure: as many colours are told apart


@dataclass(frozen=True)
class ChineseFigure:
    """The texts of a figure in Chinese."""

    title: str = key("The `title`.", default="")
    heading: str = key("The `heading`.", default="")
    across: str = key("The `across`.", default="")
    remark: str = key("The `remark`.", default="")


@dataclass(frozen=True)
class Figure:
    """What the report's page draws of an experiment."""

    document: str
    kind: Literal["curves", "lines", "confusion", "digits", "weights", "text"] = key(
        "curves: a picture a metric of a training, against the printed numbers. lines: one picture, a line a name of "
        "`lines`. confusion: a confusion matrix. digits: pictures with the digit that they show and the one that is "
        "read. weights: a matrix of attention weights. text: a generated text."
    )
    experiment: str = key("The name of an experiment.")
    title: str = key("The heading of the figure.")
    heading: str = key("The section of the page.", default="Curves")
    paths: list[str] = key("Where the values lie; curves follow one another.", default_factory=list)
    lines: dict[str, str] = key("For 'lines': the path of each line, by its name.", default_factory=dict)
    stride: int = key("Epochs from one number of a curve to the next.", default=1)
    across: str = key("What the horizontal axis counts.", default="epoch")
    log: bool = key("Whether the vertical axis is logarithmic.", default=False)
    remark: str = key("A sentence to stand with the figure.", default="")
    zh: ChineseFigure = key("The figure's texts in Chinese.", default_factory=ChineseFigure)
    file: str = ""


@dataclass(frozen=True)
class ChineseDocument:
    """The texts of a document in Chinese."""

    title: str = key("The `title`.", default="")


@dataclass(frozen=True)
class Document:
    """A file of a study."""

    document: str = key("The document's short name.")
    title: str = key("The document's title.")
    claim: list[Any] = key("The claims, as [[claim]] tables.")
    figure: list[Any] = key("What the report draws, as [[figure]] tables.", default_factory=list)
    zh: ChineseDocument = key("The document's texts in Chinese.", default_factory=ChineseDocument)


def study_schema() -> dict[str, Any]:
    """Return the JSON Schema of a study's documents."""
    schema = schema_of(Document)
    for name, shape in (("claim", Entry), ("figure", Figure)):
        schema["properties"][name]["items"] = schema_of(shape)
    address = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A document of a kerazoo study"}
    return {**address, **schema}


def read_document(path: Path) -> tuple[list[Entry], list[Figure], list[str]]:
    """Return the claims and figures of a file, and what is wrong with it: a line each, with the file and the claim."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        return [], [], [f"{path.name}: it cannot be read as TOML: {error}"]
    faults = [f"{path.name}: {fault}" for fault in faults_of(Document, content)]
    tables = {name: content.get(name, []) for name in ("claim", "figure")}
    for name, listed in tables.items():
        if not isinstance(listed, list) or not all(isinstance(table, dict) for table in listed):
            faults.append(f"{path.name}: wanted {name}s as [[{name}]] tables")
    if faults:
        return [], [], faults
    heading = {"document": content["document"], "file": path.name}
    titles = {"title": content["title"], "title_zh": content.get("zh", {}).get("title", "")}
    entries: list[Entry] = []
    for place, table in enumerate(tables["claim"], start=1):
        where = f"{path.name}, {table.get('id', f'claim {place}')}"
        wrong = list(faults_of(Entry, table))
        if not wrong:
            entries.append(made(Entry, table, **titles, **heading))
            wrong = list(faults_of_entry(entries[-1]))
        faults += [f"{where}: {fault}" for fault in wrong]
    figures: list[Figure] = []
    for place, table in enumerate(tables["figure"], start=1):
        wrong = list(faults_of(Figure, table))
        if not wrong:
            figures.append(made(Figure, table, **heading))
            wrong = list(_faults_of_figure(figures[-1]))
        faults += [f"{path.name}, figure {place}: {fault}" for fault in wrong]
    return entries, figures, faults


def _faults_of_figure(figure: Figure) -> Iterator[str]:
    """Yield what is wrong with the values of `figure`, a sentence each."""
    if figure.kind == "lines" and not 0 < len(figure.lines) <= MOST_LINES:
        yield f"kind 'lines' wants 1 to {MOST_LINES} `lines`, a path by its name"
    if figure.kind != "lines" and not figure.paths:
        yield f"kind '{figure.kind}' wants `paths`"
    if figure.stride < 1:
        yield f"stride = {figure.stride}; wanted a whole number above 0"
