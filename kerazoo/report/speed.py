"""README's table of speed, rendered from the rows that the benchmarks wrote; for a checkout, which has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BEGIN = "<!-- speed: rendered from benchmarks/results -->"


def speed_block(results: Path) -> str:
    """Return a Markdown table for each device of what kerazoo's time is to that of plain Keras and of PyTorch.

    Args:
        results: the directory of `train.jsonl`, `predict.jsonl` and `generate.jsonl`; quick runs do not count, and
            of several runs of the same work on the same device the last one does.
    """
    lines: dict[str, dict[str, str]] = {}
    for name, show in (("train", _training), ("predict", _prediction), ("generate", _generation)):
        path = results / f"{name}.jsonl"
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []
        for row in rows:
            if not row["quick"]:
                lines.setdefault(_device(row), {}).update(show(row))
    if not lines:
        return "No results yet: `python benchmarks/train.py` measures them."
    tables = []
    for device, work in lines.items():
        head = "| work | times as fast as plain Keras | times as fast as PyTorch |\n| --- | --- | --- |"
        tables.append(f"On {device}:\n\n{head}\n" + "\n".join(work.values()))
    return "\n\n".join(tables)


def _device(row: dict[str, Any]) -> str:
    about = row["environment"]
    return f"{about['device']['name']}, {about['threads']['tensorflow_intra_op']} threads, {about['precision']}"


def _training(row: dict[str, Any]) -> dict[str, str]:
    work = f"train `{row['model']}`, batch {row['batch_size']}"
    return {work: _line(work, row["ratios"])}


def _prediction(row: dict[str, Any]) -> dict[str, str]:
    batch, one = f"predict with `{row['model']}`, batches of 512", f"predict with `{row['model']}`, one example a call"
    return {batch: _line(batch, row["batch"]["ratios"]), one: _line(one, row["one"]["ratios"])}


def _generation(row: dict[str, Any]) -> dict[str, str]:
    """Return two lines: against a loop of `model.predict`, and against loops that carry the state."""
    ratios, work = row["ratios"], f"generate with `{row['model']}`, one stream"
    loop, step = f"{work}, against a loop of `model.predict`", f"{work}, against a loop that carries its state"
    return {
        loop: _line(loop, {"keras": ratios["predict loop"]}),
        step: _line(step, {"keras": ratios["stateful loop"], "torch": ratios.get("torch loop")}),
    }


def _line(work: str, ratios: dict[str, Any]) -> str:
    return f"| {work} | {_ratio(ratios.get('keras'))} | {_ratio(ratios.get('torch'))} |"


def _ratio(found: Any) -> str:
    """Return a spread as "median (least to greatest)"; a text says why there is none."""
    if not isinstance(found, dict):
        return "not measured"
    digits = 0 if found["median"] >= 100 else 2
    median, least, greatest = (f"{found[key]:,.{digits}f}" for key in ("median", "min", "max"))
    return f"{median} ({least} to {greatest})"
