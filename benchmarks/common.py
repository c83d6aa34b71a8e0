"""What all benchmark scripts share: command line, choice of the device, rows of results, tables."""

import argparse
import datetime
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.table import Table

import kerazoo
from kerazoo.errors import InputError, KerazooError

RESULTS = Path(__file__).parent / "results"
NO_GPU = "not measured: no GPU"
NO_TORCH = "not measured: PyTorch is not installed; pip install 'kerazoo[bench]'"
TORCH_OFF = "not measured: --no-torch"
PRECISIONS = ("float32", "tf32", "mixed_bfloat16", "mixed_float16")
"""float32 is full float32 on every device; tf32 lets a GPU round the factors of matrix products to 10 bits."""


@dataclass(frozen=True)
class Device:
    """Where all contenders run: the CPU, or one GPU by its place in TensorFlow's and PyTorch's lists."""

    kind: str
    name: str
    index: int = 0

    @property
    def torch_name(self) -> str:
        """PyTorch's name of the device."""
        return f"cuda:{self.index}" if self.kind == "gpu" else "cpu"


def choose_device(wanted: str, gpus: Sequence[str], cpu: str) -> Device:
    """Return the device that `wanted` ("auto", "cpu", "gpu" or "gpu:N") names, given the names of what there is.

    Raises:
        InputError: there is no such device.
    """
    kind, _, number = wanted.partition(":")
    if kind not in ("auto", "cpu", "gpu") or (number and (kind != "gpu" or not number.isdecimal())):
        raise InputError(f"--device {wanted}: wanted auto, cpu, gpu or gpu:N")
    if kind == "cpu" or (kind == "auto" and not gpus):
        return Device("cpu", cpu)
    index = int(number or 0)
    if not gpus:
        raise InputError(f"--device {wanted}: TensorFlow sees no GPU here; use --device cpu")
    if index >= len(gpus):
        raise InputError(f"--device {wanted}: TensorFlow sees {len(gpus)} GPU(s), numbered from 0")
    return Device("gpu", gpus[index], index)


def check_precision(precision: str, device: Device) -> str:
    """Return `precision` if `device` has it.

    Raises:
        InputError: it has not.
    """
    if precision == "tf32" and device.kind != "gpu":
        raise InputError("--precision tf32 is a mode of GPUs; use float32 on a CPU")
    return precision


class _Parser(argparse.ArgumentParser):
    """Reports a mistake in one line, without the usage before it."""

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
    made.add_argument("--no-torch", action="store_true", help="leave PyTorch out")
    made.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    made.add_argument("--out", type=Path, default=RESULTS / out, help="file that rows are appended to")
    return made


def positive(text: str) -> int:
    """Return the whole number above 0 that `text` is, for argparse."""
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return number


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose_models(patterns: Sequence[str] | None) -> list[str]:
    """Return the models that the patterns name, in the order given; all without patterns.

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
    """Call `main` and return the exit code: 0, or 2 where the user's input was wrong, said in one line."""
    try:
        main(sys.argv[1:] if argv is None else argv)
    except KerazooError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1
    return 0


def note(text: str) -> None:
    """Say on standard error what is being done."""
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
    console = Console(width=None if sys.stdout.isatty() else 180)
    for one in tables:
        console.print(one, "")
    console.print(f"{len(rows)} row(s) appended to {options.out}")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], caption: str = "") -> Table:
    """Return a table; the first two columns are names, the others numbers."""
    made = Table(title=title, title_justify="left", caption=caption, caption_justify="left", box=None, pad_edge=False)
    for i, column in enumerate(columns):
        made.add_column(column, justify="left" if i < 2 else "right", overflow="fold")
    for row in rows:
        made.add_row(*(show(cell) for cell in row))
    return made


def show(value: Any) -> str:
    """Return a cell's text: three digits that count, a reason as it stands, a dash for nothing."""
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
