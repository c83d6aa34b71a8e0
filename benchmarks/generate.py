"""Generation speed: characters a second of kerazoo's `generate` against loops in Python with the same weights.

    python benchmarks/generate.py [--quick] [--json]

All draw at temperature 1 from `textgen_lstm` with random weights, and take turns in one process; the first turn does
not count. Ratios are formed turn by turn: above 1, kerazoo with one stream is faster. "stateful loop" is a compiled
step called once a character, its state carried; "predict loop" is `model.predict` on the last 40 characters.
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import common

from kerazoo.quiet import start_keras

NAME, STREAMS, WINDOW = "textgen_lstm", 64, 40


def main(argv: list[str]) -> None:
    """Measure, append a row, print."""
    options = common.parser(__doc__, "generate.jsonl").parse_args(argv)
    if common.choose_models(options.models or [NAME]) != [NAME]:
        raise common.InputError(f"--models {' '.join(options.models)}: only {NAME} generates")
    start_keras()
    import hardware
    from measure import set_up

    device, torch, repeats, about = set_up(options)
    row = {"benchmark": "generate", "time": common.now(), "quick": options.quick, "repeats": repeats}
    row |= {"load_average": os.getloadavg() if hasattr(os, "getloadavg") else None}
    why = None if torch else common.TORCH_OFF if options.no_torch else common.NO_TORCH
    row |= measure(device, hardware.policy(options.precision), 1 if options.quick else 5, repeats, why)
    rows = [row | {"environment": about}]
    common.append_row(options.out, rows[0])
    common.finish(rows, options, [table(rows[0], options.threads)])


def measure(device: common.Device, policy: str, size: int, repeats: int, no_torch: str | None) -> dict[str, Any]:
    """Return characters a second of each contender, and ratios; a turn is `size` thousand characters of the fastest."""
    from timing import interleave, ratios, spread

    import kerazoo
    from kerazoo.factory import dtype_policy

    with dtype_policy(policy):
        model = kerazoo.build(NAME, seed=0)
    vocabulary = kerazoo.Vocabulary.learn(["".join(map(chr, range(32, 97)))], "char")

    def ours(streams: int) -> Callable[[int], Any]:
        return lambda length: kerazoo.generate(model, ["A"] * streams, length=length, seed=0, vocabulary=vocabulary)

    sides: dict[str, tuple[Callable[[int], Any], int, int]] = {  # what to call, with how many steps, of how many texts
        "kerazoo": (ours(1), 1000 * size, 1),
        f"kerazoo, {STREAMS} streams": (ours(STREAMS), 200 * size, STREAMS),
        "stateful loop": (stateful(model, jit=False), 100 * size, 1),
        "stateful loop, XLA": (stateful(model, jit=True), 100 * size, 1),
        "predict loop": (predicting(model), 4 * size, 1),
    }
    absent = {"torch loop": no_torch} if no_torch else {}
    if not no_torch:
        sides["torch loop"] = (torch_loop(model, device), 200 * size, 1)

    def timed(call: Callable[[int], Any], steps: int, texts: int) -> float:
        began = time.perf_counter()
        call(steps)  # returns text or a list of ids: the device is done
        return (time.perf_counter() - began) / (steps * texts)

    taken = interleave({name: lambda side=side: timed(*side) for name, side in sides.items()}, repeats)
    results = {}
    for name, seconds in taken.items():
        us = spread([1e6 * s for s in seconds])
        results[name] = {"us_per_character": us, "characters_per_s": 1e6 / us["median"], "steps": sides[name][1]}
    return {
        "model": NAME,
        "contenders": results | absent,
        "ratios": {name: ratios(taken["kerazoo"], taken[name]) for name in sides if name != "kerazoo"} | absent,
    }


def stateful(model: Any, jit: bool) -> Callable[[int], list[int]]:
    """Return a loop that calls one compiled step a character; tokens stay on the device until the end."""
    import tensorflow as tf

    embedding, lstm, dense = model.layers[1:]

    @tf.function(jit_compile=jit)
    def step(token, h, c, seed):
        _, (h, c) = lstm.cell(embedding(token), [h, c], training=False)
        uniform = tf.random.stateless_uniform((1, 1), seed, alg="philox")
        reached = tf.cumsum(dense(h), axis=-1)
        return tf.argmax(reached > uniform * reached[:, -1:], axis=-1, output_type=tf.int32), h, c

    def loop(length: int) -> list[int]:
        token, state = tf.constant([34]), tf.zeros((1, lstm.units), lstm.compute_dtype)
        h = c = state
        seeds = tf.stack([tf.zeros(length, tf.int32), tf.range(length)], axis=1)
        written = []
        for seed in tf.unstack(seeds):
            token, h, c = step(token, h, c, seed)
            written.append(token)
        return tf.concat(written, 0).numpy().tolist()

    return loop


def predicting(model: Any) -> Callable[[int], list[int]]:
    """Return a loop of `model.predict` on a window a character."""
    import numpy as np

    def loop(length: int) -> list[int]:
        random, ids = np.random.default_rng(0), [34] * WINDOW
        for _ in range(length):
            reached = model.predict(np.array([ids[-WINDOW:]], "int32"), verbose=0)[0].cumsum()
            ids.append(int((reached > random.random() * reached[-1]).argmax()))
        return ids

    return loop


def torch_loop(model: Any, device: common.Device) -> Callable[[int], list[int]]:
    """Return an eager PyTorch loop, its LSTM's input product tabulated: each step is the least work a step can be."""
    import torch

    weights = [torch.from_numpy(array).to(device.torch_name) for array in model.get_weights()]
    embeddings, kernel, recurrent, bias, head, head_bias = weights

    @torch.inference_mode()
    def loop(length: int) -> list[int]:
        table = torch.addmm(bias, embeddings, kernel)
        token = torch.tensor([34], device=table.device)
        h = c = torch.zeros(1, len(recurrent), device=table.device)
        written = []
        for _ in range(length):
            i, f, g, o = torch.addmm(table[token], h, recurrent).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            token = torch.multinomial(torch.addmm(head_bias, h, head).softmax(1), 1)[0]
            written.append(token)
        return torch.cat(written).tolist()

    return loop


def table(row: dict[str, Any], threads: int) -> Any:
    """Return the table of the row."""
    lines, notes = [], ""
    for side, result in row["contenders"].items():
        if isinstance(result, str):
            notes += f"\n{side}: {result}"
            continue
        ratio = "" if side == "kerazoo" else common.show_spread(row["ratios"][side])
        times = (common.show_spread(result["us_per_character"]), result["characters_per_s"], ratio)
        lines.append((row["model"], side, *times))
    load = f"load {row['load_average'][0]:.1f} before; " if row["load_average"] else ""
    caption = f"{load}{threads} threads for every contender; median (least-greatest) of {row['repeats']} turns{notes}"
    columns = ("model", "contender", "us/character", "characters/s", "ratio")
    return common.table("Generation of text", columns, lines, caption)


if __name__ == "__main__":
    sys.exit(common.run(main))
