"""What the commands share: consoles, options that several take, checks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

import kerazoo
from kerazoo.errors import InputError
from kerazoo.files import to_json

out = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 1000)  # piped: a row, a line
err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

Name = Annotated[str, typer.Argument(help="A model's name; `kerazoo list` prints them.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
DataDir = Annotated[str | None, typer.Option(help="Directory in TFDS layout (default: TFDS_DATA_DIR, or TFDS's own).")]
Source = Annotated[str, typer.Option(help="auto, tfds (the real data) or sample (the embedded stand-in).")]
RunDir = Annotated[str | None, typer.Option(help="Directory for the run's files (default: runs/NAME/DATE-TIME).")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Set an option; `show` lists them.")
]
Epochs = Annotated[
    int | None, typer.Option(help="Passes over the training data (default: the recipe's, or the resumed run's).")
]
BatchSize = Annotated[int | None, typer.Option(help="Examples a step (default: the recipe's).")]
Seed = Annotated[int, typer.Option(help="Seed of weights, order and dropout.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the run that the run directory holds.")]
ModelFileOption = typer.Option("--model", help="A .keras file, such as model.keras in a run directory.")
Split = Annotated[float | None, typer.Option(help="Validate on this fraction of the training split.")]
Study = Annotated[str | None, typer.Option(help="Directory of a study, or the name of an installed one.")]
Record = Annotated[str | None, typer.Option(help="Directory of rows in place of the study's own.")]
Stop = Annotated[int | None, typer.Option(help="Stop after so many epochs without a better validation loss.")]


def print_json(document: Any) -> None:
    """Print `document` as JSON, alone on standard output."""
    out.file.write(to_json(document))


def run_directory(name: str, given: str | None, resume: bool = False) -> Path:
    """Return the run directory that is `given`, or a new one for the model `name`.

    Raises:
        InputError: `resume` without one, or an empty text.
    """
    from kerazoo.training.run_directory import default_run_directory

    if resume and given is None:
        raise InputError("--resume needs --run-dir, the directory of the run to go on with")
    if given == "":
        raise InputError("--run-dir is an empty text; name a directory")
    return Path(given) if given is not None else default_run_directory(name)


def must_exist(model_file: str) -> None:
    """Refuse the name of a model file that is not there."""
    if not Path(model_file).is_file():  # said now, not after TensorFlow's seconds of import
        raise kerazoo.ModelFileError(f"'{model_file}' is not a file; name a .keras file")
