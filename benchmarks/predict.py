"""Inference speed: kerazoo's `predict` against Keras's `model.predict` and PyTorch, by the batch and one by one.

    python benchmarks/predict.py [--models imdb_lstm] [--quick] [--json]

All have the same weights and take turns in one process; the first turn does not count. Ratios are formed turn by turn:
above 1, kerazoo is faster.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import common

from kerazoo.quiet import start_keras

BATCH = 512


def main(argv: list[str]) -> None:
    """Measure, append rows, print."""
    options = common.parser(__doc__, "predict.jsonl").parse_args(argv)
    models = common.choose_models(options.models)
    start_keras()
    import hardware
    from measure import set_up
    from work import prepare

    device, _, repeats, about = set_up(options)
    product = hardware.matmul_flops(options.precision, device)
    peak = hardware.dense_peak(device, options.precision)
    rows = []
    for name in models:
        common.note(f"{name} ...")
        work = prepare(name, device, options.precision)
        row = {"benchmark": "predict", "time": common.now(), "quick": options.quick, "repeats": repeats}
        row |= measure(work, 2 if options.quick else 8, 10 if options.quick else 50, repeats, not options.no_torch)
        row |= {"matmul_flops_per_s": product, "peak": peak}
        for side in row["batch"]["contenders"].values():
            if not isinstance(side, str):
                achieved = row["flops_per_sample"] * side["samples_per_s"]
                side["utilisation_of_matmul"] = hardware.utilisation(achieved, product)
                side["utilisation_of_peak"] = hardware.utilisation(achieved, peak)
        rows.append(row | {"environment": about})
        common.append_row(options.out, rows[-1])
    common.finish(rows, options, tables(rows, options.threads))


def measure(work: Any, batches: int, calls: int, repeats: int, torch: bool) -> dict[str, Any]:
    """Return the row of one model.

    Args:
        work: the model, and the data to predict on.
        batches: batches of 512 in one call and turn.
        calls: calls with one example in a turn.
        repeats: turns that count.
        torch: whether PyTorch takes part, if it can.
    """
    import flops
    import numpy as np
    from measure import no_torch
    from peers import fitting

    from kerazoo.engine import predict

    ours = fitting.build(work)
    plain = fitting.Plain(work, ours).model
    x, _ = work.take(batches * BATCH)
    sides: dict[str, Callable[[Any], Any]] = {
        "kerazoo": lambda part: predict(ours, part, batch_size=BATCH),
        "keras": lambda part: plain.predict(part, batch_size=BATCH, verbose=0),
    }
    reason = no_torch(work, torch)
    if not reason:
        from peers.torch_training import Torch

        peer = Torch(work, ours)
        sides["torch"] = lambda part: peer.predict(peer.tensor(part)).numpy()
    absent = {"torch": reason} if reason else {}
    outputs = {name: np.asarray(side(x[:BATCH])) for name, side in sides.items()}
    differences = {name: float(np.abs(output - outputs["keras"]).max()) for name, output in outputs.items()}
    return {
        "model": work.name,
        "options": work.options,
        "data": work.source,
        "flops_per_sample": flops.forward_flops(ours, work.length),
        "flops_how": flops.HOW,
        "largest_difference_to_keras": differences | absent,
        "batch": _compare(sides, [x], repeats, len(x)) | {"batch_size": BATCH, "absent": absent},
        "one": _compare(sides, [x[i : i + 1] for i in range(calls)], repeats, calls) | {"absent": absent},
    }


def _compare(sides: dict[str, Callable[[Any], Any]], parts: list[Any], repeats: int, examples: int) -> dict[str, Any]:
    """Return microseconds and ratios of calling each side on each of the `parts`."""
    from timing import interleave, ratios, spread

    def timed(side):
        began = time.perf_counter()
        for part in parts:
            side(part)  # returns NumPy arrays: the device is done
        return time.perf_counter() - began

    taken = interleave({name: lambda side=side: timed(side) for name, side in sides.items()}, repeats)
    results = {}
    for name, seconds in taken.items():
        us = spread([1e6 * s / examples for s in seconds])
        results[name] = {"us_per_sample": us, "samples_per_s": 1e6 / us["median"]}
    return {
        "contenders": results,
        "ratios": {name: ratios(taken["kerazoo"], taken[name]) for name in sides if name != "kerazoo"},
    }


def tables(rows: list[dict[str, Any]], threads: int) -> list[Any]:
    """Return a table for batches and one for single examples."""
    made = []
    for part, title in (("batch", f"Prediction in batches of {BATCH}"), ("one", "Prediction of one example a call")):
        lines, notes = [], set()
        for row in rows:
            for side, result in row[part]["contenders"].items():
                ratio = "" if side == "kerazoo" else common.show_spread(row[part]["ratios"][side])
                shares = (result.get("utilisation_of_matmul"), result.get("utilisation_of_peak"))
                times = (common.show_spread(result["us_per_sample"]), result["samples_per_s"], ratio)
                difference = "" if side == "keras" else row["largest_difference_to_keras"][side]
                lines.append((row["model"], side, *times, *(shares if part == "batch" else ()), difference))
            notes |= {f"\n{side}: {reason}" for side, reason in row[part]["absent"].items()}
        use = ("of matmul", "of GPU peak") if part == "batch" else ()
        columns = ("model", "contender", "us/sample", "samples/s", "ratio", *use, "largest difference")
        caption = f"{threads} threads for every contender; median (least-greatest) of {rows[0]['repeats']} turns"
        made.append(common.table(title, columns, lines, caption + "".join(sorted(notes))))
    return made


if __name__ == "__main__":
    sys.exit(common.run(main))
