"""Generation speed: characters a second of kerazoo's `generate` and of hand-written loops with the same weights.

    python benchmarks/generate.py [--contenders '*-jax'] [--quick] [--json]

Each contender has a process of its own; all draw at temperature 1 from `textgen_lstm` with the same random weights, and
take turns. Their loops carry the state from character to character; Keras also writes by `model.predict` on the last
40 characters, as it is often done. Ratios are to the fastest of kerazoo's forms: above 1, kerazoo is faster.
"""

import sys
from pathlib import Path
from typing import Any

import common
from contest import Contest, peer_of, verdict
from session import Session
from timing import spread
from train import best_table

from kerazoo.errors import InputError

NAME, STREAMS = "textgen_lstm", 64
_LENGTHS = {"kerazoo": 1000, "keras": 100, "torch": 200}
"""Characters of a turn, in a quick run: about as long for each."""
_WINDOW = 4


def main(argv: list[str]) -> None:
    """Measure, append a row, print."""
    options = common.parser(__doc__, "generate.jsonl").parse_args(argv)
    if common.choose_models(options.models or [NAME]) != [NAME]:
        raise InputError(f"--models {' '.join(options.models)}: only {NAME} generates")
    with Session(options, fresh=False, trains=False) as session:
        row = measure_model(session)
        common.append_row(options.out, row)
    common.finish([row], options, tables([row]))


def measure_model(session: Session) -> dict[str, Any]:
    """Return the row of the benchmark."""
    with session.work(NAME) as folder, session.contest() as contest:
        return {"benchmark": "generate", **measure(session, contest, folder)}


def measure(session: Session, contest: Contest, folder: Path) -> dict[str, Any]:
    """Return a row: microseconds a character and ratios, for one text, for many, and by windows."""
    contest.every("open", folder=str(folder), seconds=session.patience, together=session.together)
    size = 1 if session.options.quick else 5
    states = contest.every("state")
    row: dict[str, Any] = {**session.record(contest), "model": NAME}
    for part, streams in (("one", 1), ("streams", STREAMS)):
        there = list(contest.there)
        lengths = {name: size * _LENGTHS[peer_of(name)] // (1 if streams == 1 else 5) for name in there}
        forms = {}
        for name in there:
            answer = contest.ask(
                name, "settle_write", streams=streams, length=lengths[name], quick=session.options.quick
            )
            forms[name] = answer and answer["form"]
        own = {name: {"length": length} for name, length in lengths.items()}
        per_call = contest.turns("write", session.repeats, own, streams=streams)
        times = {name: [s / (lengths[name] * streams) for s in taken] for name, taken in per_call.items()}
        row[part] = {"streams": streams, **_part(times, forms, states), **verdict(times, list(times))}
    row["window"] = _windows(session, contest, _WINDOW * size, row["one"]["best"].get("kerazoo"))
    for part in ("one", "streams"):
        row[part]["contenders"] |= contest.absent
    return row


def _part(times: dict[str, list[float]], forms: dict[str, str], states: dict[str, Any]) -> dict[str, Any]:
    results = {}
    for name, taken in times.items():
        us = spread([1e6 * seconds for seconds in taken])
        results[name] = {"form": forms[name], "us_per_character": us, "characters_per_s": 1e6 / us["median"]}
        results[name] |= states.get(name) or {}
    return {"contenders": results}


def _windows(session: Session, contest: Contest, length: int, ours: str | None) -> dict[str, Any]:
    """Return the times of loops of `predict`, in turns with kerazoo's `ours`, for one text."""
    names = [name for name in contest.there if peer_of(name) == "keras"]
    own: dict[str, dict[str, Any]] = {name: {"length": length, "window": True} for name in names}
    if ours in contest.there:
        own[ours] = {"length": length * _LENGTHS["kerazoo"] // _WINDOW}
    for name in names:
        contest.ask(name, "write", streams=1, **{**own[name], "length": 2})
    taken = contest.turns("write", session.repeats, own, list(own), streams=1)
    times = {name: [seconds / own[name]["length"] for seconds in all_] for name, all_ in taken.items()}
    forms = dict.fromkeys(own, "a loop of predict on the last 40 characters")
    if ours in forms:
        forms[ours] = "kerazoo.generate"
    return {"streams": 1, **_part(times, forms, {}), **verdict(times, list(times))}


def tables(rows: list[dict[str, Any]]) -> list[Any]:
    """Return the table of all parts, and that of the fastest of each peer."""
    (row,) = rows
    lines = []
    titles = {"one": "one text", "streams": f"{STREAMS} texts", "window": "one text, predict"}
    for part, title in titles.items():
        for name, result in row[part]["contenders"].items():
            if isinstance(result, str):
                lines.append((title, name, result.removeprefix("not measured: "), "", "", ""))
                continue
            ratio = common.show_spread(row[part]["ratios"].get(name, ""))
            us = common.show_spread(result["us_per_character"])
            lines.append((title, name, us, result["characters_per_s"], ratio, result["form"]))
    threads = row["environment"]["threads"]
    caption = f"{threads} threads and a process for every contender; median (least-greatest) of {row['repeats']} turns"
    columns = ("work", "contender", "us/character", "characters/s", "ratio", "form")
    works = [(title, row[part]) for part, title in titles.items()]
    return [common.table(f"Generation with {NAME}", columns, lines, caption), best_table(works)]


if __name__ == "__main__":
    sys.exit(common.run(main))
