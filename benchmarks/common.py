"""What all benchmark scripts share: command line, rows of results, tables."""

import argparse
import datetime
import fnmatch
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from device import PRECISIONS, cores
from peers import CONTENDERS
from rich.console import Console
from rich.table import Table
from rich.text import Text

import kerazoo
from kerazoo.errors import InputError, KerazooError

RESULTS = Path(__file__).parent / "results"


class _Parser(argparse.ArgumentParser):
    """Reports a mistake in one line, without the usage before it."""

    def parse_args(self, *given: Any, **how: Any) -> Any:
        """Read the command line; the rows of a quick run, which is to see that it works, go beside the results."""
        options = super().parse_args(*given, **how)
        if getattr(options, "quick", False) and options.out.parent == RESULTS:
            options.out = Path("runs", "benchmarks", options.out.name)
        return options

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (see {self.prog} --help)")


def parser(description: str | None, out: str) -> argparse.ArgumentParser:
    """Return a parser with the options that every benchmark takes; rows go to results/`out` by default."""
    made = _Parser(description=(description or "").partition("\n")[0])
    made.add_argument("--models", nargs="+", metavar="NAME", help="models or patterns such as 'mnist_*'; default: all")
    made.add_argument("--device", default="auto", help="auto (a GPU if there is one), cpu, gpu or gpu:N")
    made.add_argument("--precision", default="float32", choices=PRECISIONS)
    made.add_argument("--repeats", type=positive, help="turns that count; at least 5 for a result (default 7)")
    made.add_argument("--threads", type=positive, default=cores(), help="of every contender; default: all cores")
    made.add_argument("--quick", action="store_true", help="few steps and turns, to see that it works")
    made.add_argument("--contenders", nargs="+", metavar="NAME", help="contenders or patterns such as '*-jax'")
    made.add_argument("--limit", type=positive, metavar="SECONDS", help="end by then, with what there is")
    made.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    made.add_argument("--out", type=Path, default=RESULTS / out, help="file that rows are appended to")
    return made


def positive(text: str) -> int:
    """Return the whole number above 0 that `text` is, for argparse."""
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return number


def choose_contenders(patterns: Sequence[str] | None) -> list[str]:
    """Return the contenders that match the patterns, in the order of `CONTENDERS`; all without patterns.

    Raises:
        InputError: a pattern names none.
    """
    for pattern in patterns or ():
        if not fnmatch.filter(CONTENDERS, pattern):
            raise InputError(f"--contenders {pattern}: wanted some of {', '.join(CONTENDERS)}")
    return [name for name in CONTENDERS if any(fnmatch.fnmatch(name, pattern) for pattern in patterns or ["*"])]


def choose_models(patterns: Sequence[str] | None) -> list[str]:
    """Return the models that match the patterns, in the order given; all without patterns.

    Raises:
        InputError: a pattern names none.
    """
    chosen: dict[str, None] = {}
    for pattern in patterns or ["*"]:
        found = kerazoo.list_models(pattern)
        if not found:
            kerazoo.spec(pattern)  # raises with the nearest match
        chosen.update(dict.fromkeys(found))
    return list(chosen)


def run(main: Callable[[list[str]], None], argv: list[str] | None = None) -> int:
    """Call `main` and return the exit code: 0; 1 for an error, 2 for wrong input, told in one line; 130 for Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is open is closed: workers end
    try:
        main(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except KerazooError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1
    return 0


def note(text: str) -> None:
    """Print progress on standard error."""
    print(text, file=sys.stderr, flush=True)


def now() -> str:
    """Return the time, in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def append_row(path: Path, row: dict[str, Any]) -> None:
    """Append `row` to `path` as one line of JSON, whole or not at all."""
    line = json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":  # a run was killed while it wrote: its row must not spoil this one
                line = "\n" + line
        file.write(line.encode())


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of `path`; broken lines are passed over."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


def finish(rows: list[dict[str, Any]], options: argparse.Namespace, tables: Iterable[Table]) -> None:
    """Print the JSON document or the tables; the rows themselves were appended when they were measured."""
    if options.json:
        print(json.dumps({"rows": rows}, ensure_ascii=False, indent=1, allow_nan=False))
        return
    show_tables(tables)
    print(f"{len(rows)} row(s) appended to {options.out}")


def show_tables(tables: Iterable[Table], path: Path | None = None) -> None:
    """Print the tables, and write them into the file `path`, if there is to be one."""
    console = Console(width=None if sys.stdout.isatty() else 180, record=path is not None)
    for one in tables:
        console.print(one, "")
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(console.export_text(), encoding="utf-8")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], caption: str = "") -> Table:
    """Return a table; the first two columns are names, the others numbers."""
    made = Table(title=title, title_justify="left", caption=caption, caption_justify="left", box=None, pad_edge=False)
    for i, column in enumerate(columns):
        made.add_column(column, justify="left" if i < 2 else "right", overflow="fold")
    for row in rows:
        made.add_row(*(Text(show(cell)) for cell in row))
    return made


def show(value: Any) -> str:
    """Return a cell's text: three significant digits, a text unchanged, a dash for None."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def show_spread(value: Any) -> str:
    """Return "median (min-max)" of a spread; anything else as `show` does."""
    if not isinstance(value, dict):
        return show(value)
    return f"{show(value['median'])} ({show(value['min'])}-{show(value['max'])})"
