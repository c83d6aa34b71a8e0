"""All measurements for a machine with a GPU, the most important first, within a time limit (see gpu.sh).

    python benchmarks/gpu.py [--cpu] [--limit 450] [--out DIRECTORY]

Rows are appended as soon as they are there, so that a cut loses none of them. Without a GPU nothing is measured; --cpu
rehearses on the CPU with a few steps.
"""

import argparse
import contextlib
import functools
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import common
import device as machine
import generate
import predict
import train
from contest import TOLERANCE
from pool import Absent
from session import Session

from kerazoo.errors import KerazooError

MODELS = (
    "imdb_lstm",
    "mnist_mlp_dropout",
    "textgen_lstm",
    "imdb_transformer",
    "mnist_mlp",
    "attention_block",
    "toy_mlp",
)
DOCUMENTED = ("mnist_mlp_dropout", "imdb_lstm")
CONTENDERS = ["*-jax", "torch-*"]
PRECISIONS = ("float32", "mixed_bfloat16")
TURN_S = 0.3
PATIENCE_S = 45.0
"""For each part of a contender's warm-up: one that compiles for longer is left out, for the others' sake."""


def main(argv: list[str]) -> None:
    """Measure what there is time for."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--cpu", action="store_true", help="rehearse on the CPU, with a few steps")
    arguments.add_argument("--limit", type=common.positive, default=450, metavar="SECONDS", help="end by then")
    arguments.add_argument("--models", nargs="+", default=list(MODELS), metavar="NAME")
    arguments.add_argument("--out", type=Path, default=Path(os.environ.get("OUT") or common.RESULTS))
    given = arguments.parse_args(argv)
    models = common.choose_models(given.models)
    if not given.cpu and not machine.gpus():
        print(machine.NO_GPU)
        return
    chosen = ["--device", "cpu" if given.cpu else "gpu", "--limit", str(given.limit), "--contenders", *CONTENDERS]
    options = common.parser("", "").parse_args([*chosen, *(["--quick"] if given.cpu else ["--repeats", "5"])])
    with Session(options, fresh=False) as session:
        session.patience, began = PATIENCE_S, time.monotonic()
        if not given.cpu:
            session.turn_s = TURN_S
        run = Run(session, given.out, models)
        for title, part in run.parts():
            if session.out_of_time:
                common.note(f"{title}: no time left")
                continue
            common.note(f"{time.monotonic() - began:.0f} s: {title} ...")
            with run.surviving(title):
                part()
    run.tell()


class Run:
    """The parts of the measurement, and their rows by the file that they go to."""

    def __init__(self, session: Session, out: Path, models: list[str]):
        self.session, self.out, self.models = session, out, models
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def parts(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield title and function of each part, the most important first."""
        first, second = PRECISIONS
        main, others = self.models[:2], self.models[2:]
        yield from self._each("train", self.train, self.models, first)
        for name in DOCUMENTED:
            if name in self.models:
                yield f"the whole recipe of {name}", functools.partial(self.document, name)
        yield "losses against a CPU", self.agree
        yield from self._each("train", self.train, main, second)
        for precision in PRECISIONS:
            if generate.NAME in self.models:
                yield f"generate, {precision}", functools.partial(self.generate, precision)
            yield from self._each("predict with", self.predict, self.models, precision)
            if precision == first:
                yield from self._each("train", self.train, others, second)

    def _each(
        self, what: str, call: Callable[[str, str], None], names: list[str], precision: str
    ) -> Iterator[tuple[str, Callable[[], None]]]:
        for name in names:
            yield f"{what} {name}, {precision}", functools.partial(call, name, precision)

    def train(self, name: str, precision: str) -> None:
        """Measure the training of a model; torch.compile for the first two, where it takes least from the others."""
        self.session.precision = precision
        self.add("train", train.measure_model(self.session, name, compiled=name in self.models[:2]))

    def predict(self, name: str, precision: str) -> None:
        """Measure predictions with a model."""
        self.session.precision = precision
        self.add("predict", predict.measure_model(self.session, name, compiled=name in self.models[:2]))

    def generate(self, precision: str) -> None:
        """Measure the writing of text."""
        self.session.precision = precision
        self.add("generate", generate.measure_model(self.session))

    def document(self, name: str) -> None:
        """Train by the document's recipe, on the real data, and evaluate on the test split."""
        self.session.precision = "float32"
        few = {"epochs": 1, "examples": 1000} if self.session.options.quick else {"epochs": None, "examples": None}
        with self.session.contest() as contest:
            result = contest.ask("kerazoo-jax", "document", 150.0, name=name, **few)
            row = {"benchmark": "document", **self.session.record(contest)}
            self.add("document", row | {"result": result or contest.absent["kerazoo-jax"], "model": name})

    def agree(self) -> None:
        """Compare the losses on this device with those of the same code on the CPU."""
        options = argparse.Namespace(**{**vars(self.session.options), "device": "cpu", "contenders": ["kerazoo-jax"]})
        options.limit = max(1, round(self.session.left))
        found = {
            row["model"]: row for row in self.rows.get("train", []) if row["environment"]["precision"] == "float32"
        }
        with Session(options, fresh=False) as other:
            for name, row in found.items():
                side = row["contenders"].get("kerazoo-jax")
                if isinstance(side, str) or side is None or other.out_of_time:
                    continue
                with other.work(name) as folder, other.contest() as contest:
                    contest.every("open", 60.0, folder=str(folder), compare=True)
                    steps = row["loss_compared_after_steps"]
                    loss = contest.every("compare", 60.0, steps=steps).get("kerazoo-jax")
                    shared = {"benchmark": "agreement", "model": name, "steps": steps, "loss": side["loss"]}
                    apart = None if loss is None else abs(side["loss"] - loss) / max(abs(loss), 1e-12)
                    within = apart is not None and apart <= TOLERANCE["float32"]
                    told = {
                        "loss_on_cpu": contest.absent["kerazoo-jax"] if loss is None else loss,
                        "difference": apart,
                        "agrees": within,
                    }
                    self.add("agreement", {**shared, **told, **self.session.record(contest)})

    def add(self, file: str, row: dict[str, Any]) -> None:
        """Append a row to its file, unless time was up before any contender was measured."""
        parts = [row, *(row[part] for part in ("batch", "one") if part in row)]
        if self.session.out_of_time and "contenders" in parts[-1] and not any(part.get("best") for part in parts):
            return
        self.rows.setdefault(file, []).append(row)
        common.append_row(self.out / f"{file}.jsonl", row)

    @contextlib.contextmanager
    def surviving(self, title: str) -> Iterator[None]:
        """Report an error, and go on with the next part."""
        try:
            yield
        except (KerazooError, Absent, ArithmeticError, LookupError, TypeError, ValueError, OSError) as error:
            common.note(f"{title}: not measured: {type(error).__name__}: {error}")

    def tell(self) -> None:
        """Print tables of all measurements, to the terminal and into a file."""
        tables: list[Any] = []
        for precision in PRECISIONS:
            rows = {
                file: [row for row in rows if row["environment"]["precision"] == precision]
                for file, rows in self.rows.items()
            }
            for file, script in (("train", train), ("predict", predict), ("generate", generate)):
                tables += script.tables(rows[file]) if rows.get(file) else []
        lines = [(row["model"], *_documented(row["result"])) for row in self.rows.get("document", [])]
        tables.append(common.table("By the documents' recipes", ("model", "epochs", "seconds", "test split"), lines))
        lines = [(r["model"], r["steps"], r["loss"], r["loss_on_cpu"], r["difference"], "yes" if r["agrees"] else "NO")
                 for r in self.rows.get("agreement", [])]  # fmt: skip
        columns = ("model", "steps", "loss here", "loss on a CPU", "difference", "agrees")
        tables.append(common.table("The same losses as on a CPU", columns, lines))
        common.show_tables(tables, self.out / "report.txt")


def _documented(result: dict[str, Any] | str) -> tuple[Any, ...]:
    if isinstance(result, str):
        return result, None, None
    return result["epochs"], result["seconds"], ", ".join(f"{k} {v:.4f}" for k, v in result["metrics"].items())


if __name__ == "__main__":
    sys.exit(common.run(main))
