"""Training speed: kerazoo's engine against Keras `fit` and PyTorch, with a check that they train the same.

    python benchmarks/train.py [--models mnist_mlp 'imdb_*'] [--contenders '*-jax'] [--quick] [--json]

Each contender has a process of its own; all start from the same weights, read the same examples and take turns. A turn
is one epoch of N steps, after a warm-up in which each finds its fastest form. Ratios are formed turn by turn, to the
faster of kerazoo's two backends: above 1, kerazoo is faster.
"""

import json
import statistics
import sys
from pathlib import Path
from typing import Any

import common
from contest import COARSE, TOLERANCE, Contest, differences, peer_of, verdict
from session import NOT_COMPILED, QUICK, Session
from timing import spread

COMPARED, COMPARED_QUICK = 50, 10
"""Steps after which losses are compared."""
_LEAST_EXAMPLES = 320  # of a turn: an epoch shorter than this is nobody's
_LEAST_STEPS = 100  # of a turn in a full run: what an epoch takes beside its steps would count too much in fewer
_MOST_STEPS = 500


def main(argv: list[str]) -> None:
    """Measure, append rows, print."""
    arguments = common.parser(__doc__, "train.jsonl")
    arguments.add_argument("--steps", type=common.positive, help="steps of one turn; default: about 1 s of Keras")
    options = arguments.parse_args(argv)
    models = common.choose_models(options.models)
    rows = []
    with Session(options) as session:
        common.note(f"{session.device.name}, {options.threads} threads for every contender, {options.precision}")
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
        return {"benchmark": "train", **measure(session, contest, folder, getattr(session.options, "steps", None))}


def measure(
    session: Session,
    contest: Contest,
    folder: Path,
    steps: int | None = None,
    threads: int | None = None,
    compare: bool = True,
) -> dict[str, Any]:
    """Return a row: losses, seconds, ratios, FLOPs and memory of training the work in `folder`.

    Args:
        session: the run.
        contest: the contenders.
        folder: of the work.
        steps: of one turn; None: what takes Keras about a second, less in a quick run.
        threads: of each contender, where they are not those of the command line.
        compare: also compare the losses after some steps from the same weights, in the same order, without dropout.
    """
    quick = session.options.quick
    work = json.loads((folder / "work.json").read_text(encoding="utf-8"))
    contest.every("open", folder=str(folder), compare=compare, seconds=session.patience, together=session.together)
    compared = (COMPARED_QUICK if quick else COMPARED) if compare else 0
    losses = (
        contest.every("compare", steps=compared, seconds=session.patience, together=session.together) if compare else {}
    )
    least = _LEAST_STEPS if compare and not quick else 1
    steps = max(steps or max(_steps(contest, session.turn_s), least), -(-_LEAST_EXAMPLES // work["batch_size"]))
    forms = contest.every("settle", session.patience, steps=steps, quick=quick)
    if not quick:
        contest.every("forget_peak")
    times = contest.turns("train", session.repeats, steps=steps)
    peaks = {} if quick else contest.every("peak")
    products = [seconds for seconds in contest.every("products", length=0.2).values() if seconds]
    floor = 1000 * min(products) if products else None
    states = contest.every("state")
    apart = differences({name: losses.get(name) for name in times})
    tolerance = TOLERANCE.get(work["precision"], COARSE)
    same = [name for name in times if apart.get(name, 0.0) <= tolerance]
    flops = 3 * work["forward_flops"]
    contenders: dict[str, Any] = {}
    for name, taken in times.items():
        step = statistics.median(taken) / steps
        contenders[name] = {
            **forms[name],
            "ms_per_step": spread([1000 * seconds / steps for seconds in taken]),
            "samples_per_s": work["batch_size"] / step,
            **session.use(flops * work["batch_size"] / step),
            "share_of_products": floor and floor / (1000 * step),
            "memory": peaks.get(name) or {"peak_mib": QUICK, "gpu_mib": QUICK},
            **(states.get(name) or {}),
            "loss": losses.get(name),
            "loss_difference_to_keras": apart.get(name),
            "trains_the_same": name in same,
        }
    return {
        **session.record(contest, threads),
        "model": work["name"],
        "batch_size": work["batch_size"],
        "steps": steps,
        "options": work["options"],
        "data": work["data"],
        "flops_per_sample": flops,
        "flops_how": work["flops_how"],
        "products_ms": floor,
        "loss_compared_after_steps": compared or None,
        "contenders": contenders | {name: contest.absent[name] for name in contest.absent},
        **verdict(times, same),
    }


def _steps(contest: Contest, seconds: float) -> int:
    """Return the steps of a turn: as many as take plain Keras (else another contender) about `seconds`."""
    for name in sorted(contest.there, key=lambda one: peer_of(one) != "keras"):
        found = contest.ask(name, "steps_of", length=seconds, most=_MOST_STEPS)
        if found:
            return int(found)
    return 1


def tables(rows: list[dict[str, Any]]) -> list[Any]:
    """Return the tables of speed, of the fastest contender of each library, and of the machine's utilisation."""
    if not rows:
        return []
    speed, use, absent = [], [], []
    for row in rows:
        for name, result in row["contenders"].items():
            if isinstance(result, str):
                speed.append((row["model"], name, row["batch_size"], result.removeprefix("not measured: "), *[""] * 5))
                absent.append(name)
                continue
            loss = result["loss_difference_to_keras"]
            told = loss if result["trains_the_same"] else f"{common.show(loss)}: trains something else"
            ratio = common.show_spread(row["ratios"].get(name, ""))
            ms = common.show_spread(result["ms_per_step"])
            times = (ms, result["samples_per_s"], ratio, result["first_step_s"], told, result["form"])
            speed.append((row["model"], name, row["batch_size"], *times))
            memory = (result["memory"]["peak_mib"], result["memory"]["gpu_mib"])
            names = ("utilisation_of_matmul", "utilisation_of_peak", "share_of_products")
            shares = tuple(result.get(one) for one in names)
            use.append((row["model"], name, row["flops_per_sample"], result["flops_per_s"] / 1e9, *shares, *memory))
    columns = ("model", "contender", "batch", "ms/step", "samples/s", "ratio", "first step s", "loss", "form")
    memory_columns = ("peak MiB", "GPU MiB")
    product = rows[0]["matmul_flops_per_s"]
    measured = f"{product / 1e9:,.0f} GFLOP/s ({rows[0]['matmul_library']})" if product else "not measured"
    return [
        common.table("Training", columns, speed, _caption(rows)),
        best_table([(f"train {row['model']}", row) for row in rows]),
        common.table(
            "Use of the machine",
            ("model", "contender", "FLOPs/sample", "GFLOP/s", "of matmul", "of GPU peak", "floor", *memory_columns),
            use,
            f"the fastest library's matrix product in this run: {measured}; FLOPs: {rows[0]['flops_how']}\n"
            "floor: share of the step that its matrix products alone take the fastest library (chains of Dense layers)",
        ),
    ]


def best_table(works: list[tuple[str, dict[str, Any]]]) -> Any:
    """Return the table of the fastest contender of each library, for each (title, row with "best" and "ratios")."""
    lines = []
    for title, row in works:
        best = row["best"]
        ours = best.get("kerazoo")
        other = next((name for name in row["ratios"] if name.startswith("kerazoo-") and name != ours), None)
        cells: list[Any] = [title, (ours or "-").removeprefix("kerazoo-")]
        cells.append(f"{other.partition('-')[2]}: {common.show(row['ratios'][other]['median'])}" if other else None)
        for peer in ("keras", "torch"):
            name = best.get(peer)
            found = row["ratios"].get(name) if name else None
            form = row["contenders"][name]["form"] if name else None
            cells += [f"{name}: {form}" if name else None, common.show_spread(found) if found else None]
        lines.append(cells)
    columns = ("work", "kerazoo on", "its other backend", "Keras's best", "times as fast", "PyTorch's best")
    return common.table("kerazoo against the best of each", (*columns, "times as fast"), lines)


def _caption(rows: list[dict[str, Any]]) -> str:
    data = ", ".join(sorted({f"{row['model']} {row['data']}" for row in rows}))
    first = rows[0]
    lines = [
        f"{first['environment']['threads']} threads and a process for every contender; median (least-greatest) of "
        f"{first['repeats']} turns",
        "ratio: the contender's time / that of kerazoo on its faster backend, turn by turn",
        f"loss: relative difference to Keras on the same backend after {first['loss_compared_after_steps']} steps, "
        "same weights and order, dropout off (PyTorch: to the nearer)",
        f"data: {data}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(common.run(main))
