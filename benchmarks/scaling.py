"""How the cost of a training step grows with the batch, the length of the sequence, the width and the threads.

    python benchmarks/scaling.py [--sweeps batch length width threads] [--quick] [--json]

Every point is measured as `train.py` measures: contenders in turns, same weights, same examples. Each number of threads
has a process of its own, as TensorFlow takes its threads once.
"""

import argparse
import json
import subprocess
import sys
from typing import Any

import common

from kerazoo.errors import InputError, KerazooError
from kerazoo.quiet import start_keras

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
    arguments.add_argument("--point", action="store_true", help=argparse.SUPPRESS)  # a process of the threads sweep
    options = arguments.parse_args(argv)
    chosen = set(common.choose_models(options.models))
    points = [point for sweep in options.sweeps for point in points_of(sweep, options.quick) if point[1] in chosen]
    if not points:
        raise InputError(f"no sweep of {', '.join(options.sweeps)} is made on {', '.join(sorted(chosen))}")
    if options.point:
        print(json.dumps(measure_point(options, "threads", options.models[0], options.threads, common.note)))
        return
    rows = []
    for sweep, name, value in points:
        common.note(f"{sweep} {value}: {name} ...")
        point = in_process(options, name, value) if sweep == "threads" else measure_point(options, sweep, name, value)
        rows.append(point)
        common.append_row(options.out, point)
    common.finish(rows, options, [tables(rows)])


def points_of(sweep: str, quick: bool) -> list[tuple[str, str, int]]:
    """Return (sweep, model, value) for each point; a quick sweep has one model and two values."""
    models, values, few = SWEEPS[sweep]
    return [(sweep, name, value) for name in (models[:1] if quick else models) for value in (few if quick else values)]


def settings(sweep: str, name: str, value: int) -> dict[str, Any]:
    """Return what `work.prepare` takes for a point."""
    if sweep == "batch":
        return {"batch_size": value}
    if sweep == "length":
        return {"data_options": {"sequence_length": value}, "sequence_length": value}
    if sweep == "width":
        return {"units": (value, value) if name.startswith("mnist") else value}
    return {}


def measure_point(options: argparse.Namespace, sweep: str, name: str, value: int, note: Any = None) -> dict[str, Any]:
    """Return the row of one point, measured in this process."""
    start_keras()
    from measure import measure, set_up
    from work import prepare

    if not hasattr(options, "on"):  # TensorFlow is set up once
        options.on, _, _, options.about = set_up(options)
    work = prepare(name, options.on, options.precision, **settings(sweep, name, value))
    steps = 5 if options.quick else None
    repeats = options.repeats or (3 if options.quick else 5)
    row = {"benchmark": "scaling", "time": common.now(), "quick": options.quick, "sweep": sweep, "value": value}
    row |= measure(work, steps, repeats, not options.no_torch, compare=False)
    return row | {"environment": options.about}


def in_process(options: argparse.Namespace, name: str, threads: int) -> dict[str, Any]:
    """Return the row of a point with so many threads, measured in a process of its own."""
    command = [sys.executable, __file__, "--point", "--sweeps", "threads", "--models", name, "--threads", str(threads)]
    command += ["--device", options.device, "--precision", options.precision]
    command += ["--repeats", str(options.repeats)] if options.repeats else []
    command += [flag for flag in ("--quick", "--no-torch") if getattr(options, flag[2:].replace("-", "_"))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise KerazooError(f"the process with {threads} threads ended with exit code {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def tables(rows: list[dict[str, Any]]) -> Any:
    """Return the table of all points."""
    lines, notes = [], set()
    for row in rows:
        sides = row["contenders"]
        notes |= {f"{side}: {result}" for side, result in sides.items() if isinstance(result, str)}
        ms = [_ms(sides.get(side)) for side in ("kerazoo", "keras", "torch")]
        ratios = [common.show_spread(row["ratios"].get(side)) if _there(sides, side) else None for side in _PEERS]
        lines.append((row["sweep"], row["model"], row["value"], *ms, sides["kerazoo"]["samples_per_s"], *ratios))
    columns = ("sweep", "model", "value", "kerazoo ms/step", "keras ms/step", "torch ms/step", "kerazoo samples/s")
    return common.table("Scaling", (*columns, "keras / kerazoo", "torch / kerazoo"), lines, "\n".join(sorted(notes)))


_PEERS = ("keras", "torch")


def _there(sides: dict[str, Any], side: str) -> bool:
    return isinstance(sides.get(side), dict)


def _ms(result: Any) -> Any:
    return common.show_spread(result["ms_per_step"]) if isinstance(result, dict) else None


if __name__ == "__main__":
    sys.exit(common.run(main))
