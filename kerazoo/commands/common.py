"""What the commands share: printing, options that several take, checks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import kerazoo
from kerazoo.errors import InputError
from kerazoo.printable import printable

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from kerazoo.report.tables import Terminal


def complete_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the models whose names begin with `incomplete`, for the shell."""
    return [name for name in kerazoo.list_models() if name.startswith(incomplete)]


def complete_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Have the shell complete the names of files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def argument(name: str, **more: Any) -> click.Argument:
    """Return an argument; the shell completes the names of models."""
    return click.Argument([name], **{"shell_complete": complete_names, **more})


def option(names: str, help: str, type: Any = None, **more: Any) -> click.Option:
    """Return an option of these names; its value is a text, unless `type` or the default says otherwise."""
    return click.Option(names.split(), help=help, type=type, **more)


def flag(names: str, help: str) -> click.Option:
    """Return an option that takes no value."""
    return click.Option(names.split(), help=help, is_flag=True)


def path(names: str, help: str, **more: Any) -> click.Option:
    """Return an option for the path of a file or a directory."""
    return option(names, help, metavar="PATH", shell_complete=complete_files, **more)


_SOURCES = "tfds: the real data; sample: the small stand-in; auto: the real data where it can be had."
_SET = "Set an option of the model, its recipe or its data (repeatable); `kerazoo show NAME` lists them."

NAME = argument("name")
JSON = flag("--json as_json", "Print one JSON document.")
DATA_DIR = path("--data-dir", "Directory of TFDS data sets (default: TFDS_DATA_DIR, or TFDS's own).")
SOURCE = option("--source", _SOURCES, click.Choice(("auto", "tfds", "sample")), default="auto")
SET = option("--set assignments", _SET, metavar="FIELD=VALUE", multiple=True)
MODEL = path("--model", "A .keras or .onnx file, or hf://USER/NAME (default: the packaged weights).")
STUDY = path("--study", "Directory of a study, or the name of an installed one (default: the five articles).")
RECORD = path("--record", "Directory of measurements to read in place of the study's own.")
TRAINING = [
    option("--batch-size", "Examples per training step (default: the recipe's).", int),
    option("--seed", "Seed of initial weights, shuffling and dropout (default: 0).", int),
    option("--validation-split", "Hold out this fraction of the training split for validation.", float),
    option("--early-stopping", "Stop after so many epochs without a lower validation loss.", int, metavar="EPOCHS"),
    DATA_DIR,
    SOURCE,
    path("--run-dir", "Directory for the run's files (default: runs/NAME/DATE-TIME)."),
    flag("--overwrite", "Replace the run in --run-dir."),
]


def terminal() -> Terminal:
    """Return where tables are printed."""
    from kerazoo.report.tables import Terminal

    return Terminal()


def say(text: object) -> None:
    """Print a line on standard output."""
    click.echo(printable(text))


def tell(text: object, **style: Any) -> None:
    """Print a line on standard error."""
    click.secho(printable(text), err=True, **style)


def print_json(document: Any) -> None:
    """Print `document` as JSON, alone on standard output."""
    from kerazoo.files import to_json

    sys.stdout.write(to_json(document))


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
