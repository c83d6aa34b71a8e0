"""How the cost of a training step grows: sweeps of batch size, sequence length, width and threads.

    python benchmarks/scaling.py [--sweeps batch threads] [--models imdb_lstm] [--quick] [--json]

Each point is a comparison as in train.py, without the comparison of losses: about a second of Keras a turn.
"""

import argparse
import sys
from typing import Any

import common
from contest import PEERS
from session import Session
from train import measure

from kerazoo.errors import InputError

# For each sweep the models it is made on, and the values; a quick run does the values in the third place.
SWEEPS: dict[str, tuple[tuple[str, ...], tuple[int, ...], tuple[int, ...]]] = {
    "batch": (("mnist_mlp_dropout", "imdb_lstm"), tuple(2**k for k in range(13)), (32, 256)),
    "length": (("imdb_lstm", "imdb_transformer"), (25, 50, 100, 200, 400, 800), (25, 50)),
    "width": (("mnist_mlp_dropout", "imdb_lstm"), (64, 128, 256, 512, 1024, 2048), (64, 128)),
    "threads": (("mnist_mlp_dropout", "imdb_lstm", "imdb_transformer"), (1, 2), (1, 2)),
}


def main(argv: list[str]) -> None:
    """Measure, append rows, print."""
    arguments = common.parser(__doc__, "scaling.jsonl")
    arguments.add_argument("--sweeps", nargs="+", choices=list(SWEEPS), default=list(SWEEPS))
    options = arguments.parse_args(argv)
    options.repeats = options.repeats or (3 if options.quick else 5)
    chosen = set(common.choose_models(options.models))
    points = [point for sweep in options.sweeps for point in points_of(sweep, options.quick) if point[1] in chosen]
    if not points:
        raise InputError(f"no sweep of {', '.join(options.sweeps)} is made on {', '.join(sorted(chosen))}")
    rows = []
    with Session(options, fresh=False) as session:
        for sweep, name, value in points:
            if session.out_of_time:
                common.note(f"{sweep} {value}: {name}: no time left")
                break
            common.note(f"{sweep} {value}: {name} ...")
            rows.append(measure_point(session, options, sweep, name, value))
            common.append_row(options.out, rows[-1])
    common.finish(rows, options, [tables(rows)])


def points_of(sweep: str, quick: bool) -> list[tuple[str, str, int]]:
    """Return (sweep, model, value) for each point; a quick sweep has one model and two values."""
    models, values, few = SWEEPS[sweep]
    return [(sweep, name, value) for name in (models[:1] if quick else models) for value in (few if quick else values)]


def settings(sweep: str, name: str, value: int) -> dict[str, Any]:
    """Return the arguments of `Session.work` for a point."""
    if sweep == "batch":
        return {"batch_size": value}
    if sweep == "length":
        return {"data_options": {"sequence_length": value}, "options": {"sequence_length": value}}
    if sweep == "width":
        return {"options": {"units": (value, value) if name.startswith("mnist") else value}}
    return {}


def measure_point(session: Session, options: argparse.Namespace, sweep: str, name: str, value: int) -> dict[str, Any]:
    """Return the row of one point."""
    threads = value if sweep == "threads" else options.threads
    with session.work(name, **settings(sweep, name, value)) as folder, session.contest(threads) as contest:
        if options.quick and "torch-compile" in contest.there:
            contest.drop("torch-compile", "not measured: --quick")
        row = measure(session, contest, folder, threads=threads, compare=False)
    return {"benchmark": "scaling", "sweep": sweep, "value": value, **row}


def tables(rows: list[dict[str, Any]]) -> Any:
    """Return the table of all points, with the fastest contender of each library."""
    lines = []
    for row in rows:
        cells: list[Any] = []
        for peer in ("kerazoo", *PEERS):
            name = row["best"].get(peer)
            ms = row["contenders"][name]["ms_per_step"] if name else None
            cells += [name and name.partition("-")[2], common.show_spread(ms)]
        ratios = [common.show_spread(row["ratios"].get(row["best"].get(peer))) for peer in PEERS]
        lines.append((row["sweep"], row["model"], row["value"], *cells, *ratios))
    names = [column for peer in ("kerazoo", *PEERS) for column in (f"{peer} on", "ms/step")]
    columns = ("sweep", "model", "value", *names, "keras / kerazoo", "torch / kerazoo")
    return common.table("Scaling", columns, lines)


if __name__ == "__main__":
    sys.exit(common.run(main))
