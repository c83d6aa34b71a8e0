"""The command line: the commands of `commands/`, and how errors are told.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 something failed, 2 the
input was wrong, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Annotated, Any

import typer

import kerazoo
from kerazoo import lazy
from kerazoo.commands import answers, claims, training, zoo
from kerazoo.commands.common import err, out
from kerazoo.errors import InputError, KerazooError
from kerazoo.quiet import start_keras

app = typer.Typer(
    name="kerazoo",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Small documented Keras models: build, train and check them."""
    if version:
        out.print(f"kerazoo {kerazoo.__version__}")


_COMMANDS: dict[str, Callable[..., Any]] = {
    "list": zoo.list_command,
    "show": zoo.show,
    "train": training.train,
    "evaluate": training.evaluate,
    "fine-tune": training.fine_tune,
    "predict": answers.predict,
    "generate": answers.generate,
    "claims": claims.claims,
    "reproduce": claims.reproduce,
    "report": claims.report,
    "pretrain": training.pretrain,
    "doctor": zoo.doctor,
}
for _name, _function in _COMMANDS.items():
    app.command(_name)(_function)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, (UserWarning, RuntimeWarning)):
        err.print(f"kerazoo: {message}", style="bold yellow")


def _explain(error: BaseException) -> tuple[str, int]:
    """Return the line and the exit code for `error`."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", 130
    if hasattr(error, "format_message"):  # typer's own errors: an option or value that it cannot parse
        message = error.format_message()
        return f"{message}{'' if message.endswith(('.', '?')) else '.'} See kerazoo --help.", 2
    if isinstance(error, KerazooError):
        return str(error), 2 if isinstance(error, InputError) else 1
    if isinstance(error, OSError):
        return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", 1
    return f"{type(error).__name__}: {error} (--debug shows where)", 1


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; `--debug` shows the traceback of an error."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in given
    given = [one for one in given if one != "--debug"] or ["--help"]
    warnings.showwarning = _show_warning
    lazy.before_first_use.append(start_keras)
    try:
        code = app(given, prog_name="kerazoo", standalone_mode=False)
        if code != 130:
            return code if isinstance(code, int) else 0
        raise KeyboardInterrupt  # which typer has made a code of
    except BrokenPipeError:  # the reader has gone, e.g. `kerazoo list | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, Exception) as error:
        if debug:
            traceback.print_exc()
        line, code = _explain(error)
        err.print(f"kerazoo: {'' if code == 130 else 'error: '}{' '.join(line.split())}")
        return code


if __name__ == "__main__":
    sys.exit(main())
