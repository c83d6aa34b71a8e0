"""Inference speed: kerazoo's `predict` against Keras and PyTorch, in batches and with one example a call.

    python benchmarks/predict.py [--models imdb_lstm] [--contenders '*-jax'] [--quick] [--json]

Each contender has a process of its own; all have the same weights and take turns. kerazoo answers on TensorFlow, on JAX
and, as it does with the packaged weights, in ONNX Runtime; ratios are formed turn by turn, to the fastest of the three:
above 1, kerazoo is faster.
"""

import json
import sys
from pathlib import Path
from typing import Any

import common
import numpy as np
from contest import Contest, peer_of, verdict
from session import NOT_COMPILED, Session
from timing import spread
from train import best_table

BATCH = 512
_TOLERANCE = {"float32": 1e-3}  # the largest difference of an output; of narrower numbers `_COARSE`
_COARSE = 0.1


def main(argv: list[str]) -> None:
    """Measure, append rows, print."""
    options = common.parser(__doc__, "predict.jsonl").parse_args(argv)
    models = common.choose_models(options.models)
    rows = []
    with Session(options, fresh=False, trains=False) as session:
        for name in models:
            if session.out_of_time:
                common.note(f"{name}: no time left")
                break
            common.note(f"{name} ...")
            rows.append(measure_model(session, name, compiled=not options.quick or name == models[0]))
            common.append_row(options.out, rows[-1])
    common.finish(rows, options, tables(rows))


def measure_model(session: Session, name: str, compiled: bool = True) -> dict[str, Any]:
    """Return the row of the model `name`; `compiled`: with torch.compile, which takes long."""
    with session.work(name) as folder, session.contest() as contest:
        if not compiled and "torch-compile" in contest.there:
            contest.drop("torch-compile", NOT_COMPILED)
        return {"benchmark": "predict", **measure(session, contest, folder)}


def measure(session: Session, contest: Contest, folder: Path) -> dict[str, Any]:
    """Return a row: microseconds, ratios and differences of predicting with the work in `folder`."""
    quick = session.options.quick
    batches, calls = (2, 10) if quick else (8, 50)
    work = json.loads((folder / "work.json").read_text(encoding="utf-8"))
    contest.every("open", folder=str(folder), seconds=session.patience, together=session.together)
    for name in list(contest.there):
        contest.ask(name, "outputs", session.patience, count=BATCH, path=str(folder / f"outputs-{name}.npy"))
    apart = _differences(folder, contest.there)
    forms = contest.every(
        "settle_predict", batches=batches, batch=BATCH, quick=quick, seconds=session.patience, together=session.together
    )
    tolerance = _TOLERANCE.get(work["precision"], _COARSE)
    states = contest.every("state")
    row: dict[str, Any] = {
        **session.record(contest),
        "model": work["name"],
        "options": work["options"],
        "data": work["data"],
        "flops_per_sample": work["forward_flops"],
        "flops_how": work["flops_how"],
    }
    for part, examples in (("batch", batches * BATCH), ("one", calls)):
        if part == "batch":
            times = contest.turns("predict_batches", session.repeats)
        else:
            times = contest.turns("predict_one", session.repeats, calls=calls)
        same = [name for name in times if apart.get(name, 0.0) <= tolerance]
        results = {}
        for name, taken in times.items():
            us = spread([1e6 * seconds / examples for seconds in taken])
            per_second = 1e6 / us["median"]
            form = forms[name]["form" if part == "batch" else "one_form"]
            results[name] = {"form": form, "us_per_sample": us, "samples_per_s": per_second}
            results[name] |= states.get(name) or {}
            results[name] |= {"largest_difference_to_keras": apart.get(name), "predicts_the_same": name in same}
            if part == "batch":
                results[name] |= session.use(work["forward_flops"] * per_second)
        row[part] = {"batch_size": BATCH if part == "batch" else 1, "contenders": results, **verdict(times, same)}
    for part in ("batch", "one"):
        row[part]["contenders"] |= contest.absent
    return row


def _differences(folder: Path, names: list[str]) -> dict[str, float]:
    """Return the largest difference of each contender's outputs to Keras's, if possible on the same backend."""
    outputs = {name: np.load(folder / f"outputs-{name}.npy") for name in names}
    found = {}
    for name, output in outputs.items():
        own = f"keras-{name.partition('-')[2]}"
        reference = own if own in outputs else next((other for other in outputs if peer_of(other) == "keras"), None)
        if reference:
            found[name] = float(np.abs(output.reshape(outputs[reference].shape) - outputs[reference]).max())
    return found


def tables(rows: list[dict[str, Any]]) -> list[Any]:
    """Return tables for batches, for single examples, and of the fastest contender of each library."""
    if not rows:
        return []
    made, works = [], []
    for part, title in (("batch", f"Prediction in batches of {BATCH}"), ("one", "Prediction of one example a call")):
        lines = []
        for row in rows:
            works.append((f"{row['model']}, {'batches' if part == 'batch' else 'one example'}", row[part]))
            for name, result in row[part]["contenders"].items():
                if isinstance(result, str):
                    blank = [""] * (6 if part == "batch" else 4)
                    lines.append((row["model"], name, result.removeprefix("not measured: "), *blank))
                    continue
                ratio = common.show_spread(row[part]["ratios"].get(name, ""))
                shares = (result.get("utilisation_of_matmul"), result.get("utilisation_of_peak"))
                difference = result["largest_difference_to_keras"]
                told = difference if result["predicts_the_same"] else f"{common.show(difference)}: another result"
                times = (common.show_spread(result["us_per_sample"]), result["samples_per_s"], ratio)
                lines.append((row["model"], name, *times, *(shares if part == "batch" else ()), told, result["form"]))
        use = ("of matmul", "of GPU peak") if part == "batch" else ()
        columns = ("model", "contender", "us/sample", "samples/s", "ratio", *use, "difference to Keras", "form")
        threads = rows[0]["environment"]["threads"]
        caption = f"{threads} threads and a process for every contender; median (least-greatest) of "
        made.append(common.table(title, columns, lines, f"{caption}{rows[0]['repeats']} turns"))
    return [*made, best_table(works)]


if __name__ == "__main__":
    sys.exit(common.run(main))
