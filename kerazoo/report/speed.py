"""README's table of speed and docs/speed.md, from the rows of the benchmarks; for a checkout, which has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kerazoo.report.languages import Language, say

BEGIN = "<!-- speed: rendered from benchmarks/results -->"
_HEADINGS = ("work", "kerazoo on", "times as fast as Keras", "times as fast as PyTorch")
_BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "onnx": "ONNX Runtime"}


_GROWTH = (
    "| {what} | kerazoo, ms a step | times as fast as Keras | times as fast as PyTorch |\n| --- | --- | --- | --- |"
)
_SERVING = (
    "Clients of `kerazoo serve` ask again as soon as they are answered: a digit, a review or 100 characters a request."
)
_LOAD = """| model | clients | requests a second | half are answered in, ms | 99 of 100 in, ms |
| --- | --- | --- | --- | --- |"""
_ABOUT = """# Speed

What `benchmarks/` measured, rendered from its rows. Each figure is the time of the other's fastest form over that of
kerazoo on its faster backend: the median of the turns, with the least and the greatest. All contenders have the same
weights, examples, order and mathematics; each has a process of its own."""


def speed_document(results: Path) -> str:
    """Return docs/speed.md: all works on every device, how the cost of a training step grows, and serving."""
    parts = [_ABOUT, speed_block(results)]
    if growth := growth_block(results):
        figure = "![Time of a training step by size](../benchmarks/results/scaling.png)"
        parts += ["## Growth of a training step", figure, growth]
    if serving := serving_block(results):
        parts += ["## Serving", serving]
    return "\n\n".join(parts) + "\n"


def growth_block(results: Path) -> str:
    """Return a table for each sweep of `scaling.jsonl`, model and device; empty where there are no rows."""
    tables: dict[str, dict[int, str]] = {}
    for row in _rows(results, "scaling"):
        best, value = row["best"], row["value"]
        device = _device(row) if row["sweep"] != "threads" else row["environment"]["device"]["name"]
        title = f"`{row['model']}` by {row['sweep']}, {device}:\n\n{_GROWTH.format(what=row['sweep'])}"
        ours = row["contenders"][best["kerazoo"]]["ms_per_step"]["median"] if "kerazoo" in best else None
        time = f"{ours:,.3g}; {_backend(best['kerazoo'])}" if ours else "not measured"
        line = f"| {value} | {time} | {_peer(row, 'keras')} | {_peer(row, 'torch')} |"
        tables.setdefault(title, {})[value] = line
    lines = (title + "\n" + "\n".join(table[value] for value in sorted(table)) for title, table in tables.items())
    return "\n\n".join(lines)


def serving_block(results: Path) -> str:
    """Return a table of `kerazoo serve` on loopback, the last row of each load; empty where there are no rows."""
    lines: dict[tuple[str, int], str] = {}
    about = ""
    for row in _rows(results, "serve"):
        speed, waits = f"{row['requests_per_s']:,.0f}", [f"{row[key]:.1f}" for key in ("p50_ms", "p99_ms")]
        line = f"| `{row['model']}` | {row['clients']} | {speed} | {' | '.join(waits)} |"
        lines[row["model"], row["clients"]] = line
        about = f"{_SERVING} On {row['environment']['cpu']}, clients and server together:"
    return "\n".join((about, "", _LOAD, *lines.values())) if lines else ""


def _rows(results: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of a benchmark that count: not those of quick runs."""
    path = results / f"{name}.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []
    return [row for row in rows if not row["quick"]]


def speed_block(results: Path, *, training_alone: bool = False, language: Language = "en") -> str:
    """Return a Markdown table for each device: what the best forms of Keras and of PyTorch take, to what kerazoo takes.

    Args:
        results: the directory of `train.jsonl`, `predict.jsonl` and `generate.jsonl`; quick runs do not count, and
            of several runs of the same work on the same device the last one does.
        training_alone: leave out prediction and generation, of which the words are there in English only.
        language: of the words.
    """
    lines: dict[str, dict[str, str]] = {}
    works_of: dict[str, Any] = {"train": _training}
    works_of |= {} if training_alone else {"predict": _prediction, "generate": _generation}
    for name, works in works_of.items():
        for row in _rows(results, name):
            table = lines.setdefault(_device(row, language), {})
            table.update({work: _line(work, compared, language) for work, compared in works(row, language).items()})
    if not lines:
        return say("No results yet: `python benchmarks/train.py` measures them.", language)
    head = "| " + " | ".join(say(name, language) for name in _HEADINGS) + " |\n| --- | --- | --- | --- |"
    return "\n\n".join(
        f"{say('On {device}:', language, device=device)}\n\n{head}\n" + "\n".join(work.values())
        for device, work in lines.items()
    )


def _device(row: dict[str, Any], language: Language = "en") -> str:
    about = row["environment"]
    form = "{name}, {threads} threads, {precision}"
    if about["processes"] != "one a contender":
        form = "{name}, {threads} threads, {precision}, all in one process"
    named = {"name": about["device"]["name"], "threads": about["threads"], "precision": about["precision"]}
    return say(form, language, **named)


def _training(row: dict[str, Any], language: Language) -> dict[str, Any]:
    return {say("train `{model}`, batch {size}", language, model=row["model"], size=row["batch_size"]): row}


def _prediction(row: dict[str, Any], _: Language) -> dict[str, Any]:
    work = f"predict with `{row['model']}`"
    return {f"{work}, batches of {row['batch']['batch_size']}": row["batch"], f"{work}, one example a call": row["one"]}


def _generation(row: dict[str, Any], _: Language) -> dict[str, Any]:
    work = f"generate with `{row['model']}`"
    return {
        f"{work}, one text, against a loop of `model.predict`": row["window"],
        f"{work}, one text, against loops that carry the state": row["one"],
        f"{work}, {row['streams']['streams']} texts, against loops that carry the state": row["streams"],
    }


def _line(work: str, compared: dict[str, Any], language: Language) -> str:
    """Return the line of one work; `compared` has the contenders, the `best` of each peer, and the ratios."""
    peers = (_peer(compared, peer, language) for peer in ("keras", "torch"))
    return f"| {work} | {_ours(compared, language)} | {' | '.join(peers)} |"


def _ours(compared: dict[str, Any], language: Language) -> str:
    """Return the backend on which kerazoo is faster, and what the other one takes."""
    ours = compared["best"].get("kerazoo")
    if ours is None:
        return say("not measured", language)
    told = _backend(ours)
    for name, ratio in compared["ratios"].items():
        if name.startswith("kerazoo-"):
            times, other = f"{ratio['median']:.2f}", _backend(name)
            if ratio["median"] > 1:
                told += say("; {other} takes {times} times as long", language, other=other, times=times)
            else:  # the turns' median ratio and the ratio of their medians disagree
                told += say("; {other} takes about as long", language, other=other)
    return told


def _peer(compared: dict[str, Any], peer: str, language: Language = "en") -> str:
    """Return a spread as "median (least to greatest)", and which form of the peer it is against."""
    name = compared["best"].get(peer)
    found = compared["ratios"].get(name)
    if not found:
        return say("not measured", language)
    digits = 0 if found["median"] >= 100 else 2
    median, least, greatest = (f"{found[key]:,.{digits}f}" for key in ("median", "min", "max"))
    form = compared["contenders"][name]["form"]
    told = say("{median} ({least} to {greatest}); ", language, median=median, least=least, greatest=greatest)
    return told + _form(form if peer == "torch" else f"{_backend(name)}, {form}", language)


def _form(told: str, language: Language) -> str:
    """Return the form of a contender in a language: names stay, and so do words that only benchmarks not told use."""
    for text in ("fit as it comes", " (Keras's epsilon)", ", "):
        told = told.replace(text, say(text, language))
    return told


def _backend(name: str) -> str:
    """Return the backend of a contender of kerazoo or Keras: of "keras-jax" it is JAX."""
    return _BACKENDS[name.partition("-")[2]]
