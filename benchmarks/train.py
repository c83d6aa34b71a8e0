"""Training speed: kerazoo's engine against plain Keras `fit` and PyTorch, the same mathematics checked.

    python benchmarks/train.py [--models mnist_mlp 'imdb_*'] [--quick] [--json]

All three start from the same weights, read the same examples and take turns in one process. A turn is one epoch of N
steps; the first turn does not count. Ratios are formed turn by turn: above 1, kerazoo is faster.
"""

import argparse
import sys
from typing import Any

import common
from common import NO_GPU

from kerazoo.quiet import start_keras

QUICK = "not measured: --quick"
_SECONDS = 2.0  # of one turn of plain Keras, about
_STEP_MS = {"imdb_lstm": 30, "textgen_lstm": 30, "imdb_transformer": 10}  # of plain Keras on 2 cores, about


def main(argv: list[str]) -> None:
    """Measure, append rows, print."""
    arguments = common.parser(__doc__, "train.jsonl")
    arguments.add_argument("--steps", type=common.positive, help="steps of one turn; default: about 2 s of plain Keras")
    options = arguments.parse_args(argv)
    models = common.choose_models(options.models)
    start_keras()
    import hardware
    from measure import measure, set_up
    from work import prepare

    device, _, repeats, about = set_up(options)
    common.note(f"{device.name}, {options.threads} threads for every contender, {options.precision}")
    product = hardware.matmul_flops(options.precision, device)
    peak = hardware.dense_peak(device, options.precision)
    rows = []
    for name in models:
        common.note(f"{name} ...")
        steps = options.steps or default_steps(name, options.quick)
        work = prepare(name, device, options.precision)
        row = {"benchmark": "train", "time": common.now(), "quick": options.quick}
        row |= measure(work, steps, repeats, not options.no_torch) | {"matmul_flops_per_s": product, "peak": peak}
        complete(row, options, product, peak)
        rows.append(row | {"environment": about})
        common.append_row(options.out, rows[-1])
    common.finish(rows, options, tables(rows, options.threads))


def default_steps(name: str, quick: bool) -> int:
    """Return the steps of one turn."""
    return 50 if quick else round(_SECONDS * 1000 / _STEP_MS.get(name, 2))


def complete(row: dict[str, Any], options: argparse.Namespace, product: float, peak: float | str) -> None:
    """Add to each contender of `row` its utilisation and its peak of memory."""
    from hardware import utilisation
    from memory import peak_of

    for side, result in row["contenders"].items():
        if isinstance(result, str):
            continue
        result["utilisation_of_matmul"] = utilisation(result["flops_per_s"], product)
        result["utilisation_of_peak"] = utilisation(result["flops_per_s"], peak)
        memory = QUICK if options.quick else peak_of(row["model"], side, options)
        result["memory"] = {"peak_mib": memory, "gpu_mib": memory} if isinstance(memory, str) else memory
        if row["cudnn_obstacles"] == NO_GPU:
            result["memory"]["gpu_mib"] = NO_GPU


def tables(rows: list[dict[str, Any]], threads: int) -> list[Any]:
    """Return the tables of speed, of agreement and of use of the machine."""
    speed, use, absent = [], [], {}
    for row in rows:
        for side, result in row["contenders"].items():
            if isinstance(result, str):
                absent[side] = result
                continue
            ratio = "" if side == "kerazoo" else common.show_spread(row["ratios"][side])
            agreement = "" if side == "keras" else result["loss_difference_to_keras"]
            ms = common.show_spread(result["ms_per_step"])
            times = (ms, result["samples_per_s"], ratio, result["first_step_s"], agreement)
            speed.append((row["model"], side, row["batch_size"], *times))
            memory = (result["memory"]["peak_mib"], result["memory"]["gpu_mib"])
            shares = (result["utilisation_of_matmul"], result["utilisation_of_peak"])
            use.append((row["model"], side, row["flops_per_sample"], result["flops_per_s"] / 1e9, *shares, *memory))
    forms = {result["form"] for row in rows for result in row["contenders"].values() if not isinstance(result, str)}
    notes = [f"{side}: {reason}" for side, reason in absent.items()]
    data = ", ".join(sorted({f"{row['model']} {row['data']}" for row in rows}))
    caption = "\n".join(
        [
            f"{threads} threads for every contender; median (least-greatest) of {rows[0]['repeats']} turns",
            "ratio: the contender's time / kerazoo's, turn by turn",
            "loss: relative difference to plain Keras after 50 steps, same weights and order, dropout off"
            " (PyTorch with an embedding: see peers/torch_optimizers.py)",
            f"data: {data}; {'; '.join(sorted(forms))}",
            *notes,
        ]
    )
    product = rows[0]["matmul_flops_per_s"] / 1e9
    return [
        common.table(
            "Training",
            ("model", "contender", "batch", "ms/step", "samples/s", "ratio", "first step s", "loss"),
            speed,
            caption,
        ),
        common.table(
            "Use of the machine",
            ("model", "contender", "FLOPs/sample", "GFLOP/s", "of matmul", "of GPU peak", "peak MiB", "GPU MiB"),
            use,
            f"a matrix product in this run: {product:,.0f} GFLOP/s; FLOPs: {rows[0]['flops_how']}",
        ),
    ]


if __name__ == "__main__":
    sys.exit(common.run(main))
