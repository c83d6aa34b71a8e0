"""The command line: the commands of `commands/`, and how errors are told.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 something failed, 2 the
input was wrong, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

import click

from kerazoo import lazy
from kerazoo._version import __version__
from kerazoo.commands import answers, claims, exporting, training, zoo
from kerazoo.commands.common import tell
from kerazoo.errors import InputError, KerazooError, did_you_mean
from kerazoo.printable import printable
from kerazoo.quiet import start_keras

_COMPLETE = "_KERAZOO_COMPLETE"
_EPILOG = f"""\b
Completion by the tab key (bash; zsh and fish likewise):
  eval "$({_COMPLETE}=bash_source kerazoo)"
"""


class _Commands(click.Group):
    """The commands in the order in which they are given, and for a wrong name the nearest one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` begins with."""
        if not ctx.resilient_parsing and not args[0].startswith("-") and args[0] not in self.commands:
            raise click.UsageError(f"There is no command '{args[0]}'.{did_you_mean(args[0], self.commands)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, epilog=_EPILOG, context_settings={"show_default": True})
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error; may stand anywhere.")
@click.version_option(__version__, message="kerazoo %(version)s", help="Print the version.")
def app() -> None:
    """Small documented Keras models: build, train and check them.

    NAME, in what follows, is that of a model; `kerazoo list` prints them.
    """


for _command in (
    zoo.list_command,
    zoo.show,
    training.train,
    training.evaluate,
    training.fine_tune,
    answers.predict,
    answers.generate,
    answers.demo,
    exporting.export,
    exporting.serve,
    exporting.push,
    claims.claims,
    claims.reproduce,
    claims.report,
    training.pretrain,
    zoo.doctor,
):
    app.add_command(_command)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, (UserWarning, RuntimeWarning)):
        tell(f"kerazoo: {message}", bold=True, fg="yellow")


def _explain(error: BaseException) -> tuple[str, int]:
    """Return the line and the exit code for `error`."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", 130
    if isinstance(error, click.ClickException):  # an option or value that cannot be parsed
        message, context = error.format_message(), getattr(error, "ctx", None)
        where = context.command_path if context else "kerazoo"
        return f"{message}{'' if message.endswith(('.', '?')) else '.'} See {where} --help.", 2
    if isinstance(error, KerazooError):
        return str(error), 2 if isinstance(error, InputError) else 1
    if isinstance(error, OSError):
        return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", 1
    if _out_of_memory(error):
        return "the memory is too small for this; choose a smaller model, smaller batches or less data", 1
    return f"{type(error).__name__}: {error} (--debug shows where)", 1


def _out_of_memory(error: BaseException | None) -> bool:
    """Tell whether memory was short when `error`, or one that led to it, was raised; the backends say so in words."""
    while error is not None:
        if isinstance(error, MemoryError) or "OOM when allocating" in str(error) or "RESOURCE_EXHAUSTED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; `--debug` shows the traceback of an error."""
    if instruction := os.environ.get(_COMPLETE):
        from click.shell_completion import shell_complete

        return shell_complete(app, {}, "kerazoo", _COMPLETE, instruction)
    given = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in given
    given = [one for one in given if one != "--debug"] or ["--help"]
    warnings.showwarning = _show_warning
    lazy.before_first_use.append(start_keras)
    try:
        with app.make_context("kerazoo", given) as context:
            code = app.invoke(context)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as done:  # after --help or --version
        return done.exit_code
    except BrokenPipeError:  # the reader has gone, e.g. `kerazoo list | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, Exception) as error:
        if debug:
            import traceback

            click.echo(printable(traceback.format_exc(), keep="\n"), err=True, nl=False)
        line, code = _explain(error)
        tell(f"kerazoo: {'' if code == 130 else 'error: '}{' '.join(line.split())}")
        return code
