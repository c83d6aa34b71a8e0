"""Comparing the record with a sample of it that is measured again."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from kerazoo.ledger.catalog import Experiment
from kerazoo.ledger.entries import Entry
from kerazoo.ledger.progress import Run
from kerazoo.ledger.record import Row, origin, select
from kerazoo.ledger.statistics import prediction_margin
from kerazoo.ledger.values import MISSING, close, is_number, look_up, text_of

_LONG_RUNS = 3
_RELATIVE, _ABSOLUTE = 1e-5, 1e-6  # float noise: sums in another order, over a training


def sample(experiments: Iterable[Experiment], rows: Iterable[Row], quick: bool, chosen: bool) -> list[Run]:
    """Return the runs to measure again, of those that `rows` hold: always the same ones.

    They are every quick experiment and, without `quick`, a draw of three of the long ones (all of them where the
    caller has `chosen` claims), each with one of its recorded seeds.
    """
    rows, draw = list(rows), random.Random(0)
    short: list[Run] = []
    long: list[Run] = []
    for one in sorted(experiments, key=lambda one: (one.minutes, one.name)):
        used, _ = select(rows, one.name, one.revision)
        if used:
            run = Run(one, draw.choice([row["seed"] for row in used]))
            (short if one.quick else long).append(run)
    if quick:
        return short
    return short + (long if chosen or len(long) <= _LONG_RUNS else draw.sample(long, _LONG_RUNS))


def differences_of(entries: Iterable[Entry], recorded: Sequence[Row], measured: Iterable[Row]) -> list[str]:
    """Return a line for each claim whose value in the rows `measured` now is not the recorded one.

    By the same version of kerazoo, in the environment of the record, on its data (and there on a CPU, or a GPU with
    deterministic operations), both are to be the same but for float noise. Otherwise, and where the value depends on
    the clock, they may differ by the claim's tolerance or by what the spread of the recorded seeds makes of one more
    seed (a 99 % prediction interval), the larger.
    """
    by_check = defaultdict(list)
    for entry in entries:
        by_check[entry.check].append(entry)
    lines: list[str] = []
    for now in measured:
        for entry in by_check[now["experiment"]]:
            rows, _ = select(recorded, now["experiment"], now["revision"], entry.timed)
            before = next((row for row in rows if row["seed"] == now["seed"]), None)
            if before is None or entry.rule == "timing":
                continue
            paths = dict.fromkeys([entry.value, *entry.parts.values()])
            lines += filter(None, (_difference(entry, path, rows, before, now) for path in paths))
    return lines


def _difference(entry: Entry, path: str, rows: Sequence[Row], before: Row, now: Row) -> str:
    old, new = look_up(before["values"], path), look_up(now["values"], path)
    if old is MISSING and new is MISSING:
        return ""
    if _repeatable(before, now) and not entry.clock:
        same, how = _same(old, new), "in the same environment"
    else:
        margin = _margin(entry, [look_up(row["values"], path) for row in rows])
        same, how = margin is None or close(new, old, margin), f"by more than {text_of(margin)}"
    if same:
        return ""
    told = [("nothing" if value is MISSING else text_of(value)) for value in (old, new)]
    return f"{entry.id}, seed {now['seed']}: recorded {told[0]}, now {told[1]}, different {how}"


def _repeatable(before: Row, now: Row) -> bool:
    where = before["environment"]
    repeatable = not where.get("gpus") or where.get("deterministic_ops", False)
    # Another version of kerazoo may round otherwise, or draw other numbers from the same seed.
    return bool(repeatable) and before["kerazoo"] == now["kerazoo"] and origin(before) == origin(now)


def _same(old: Any, new: Any) -> bool:
    """Tell whether two values are the same but for float noise."""
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    if is_number(old) and is_number(new):
        return abs(old - new) <= max(_ABSOLUTE, _RELATIVE * max(abs(old), abs(new)))
    return bool(old == new)


def _margin(entry: Entry, values: Sequence[Any]) -> float | None:
    """Return by how much a value may differ in another environment; None where the record does not tell."""
    if not all(map(is_number, values)):
        return entry.tolerance  # texts, truths and lists of numbers
    declared = entry.tolerance if entry.rule in ("equal", "equivalence") else 0.0
    foreseen = prediction_margin(values)
    if foreseen is None and entry.rule in ("effect", "unstated"):
        return None
    return max(declared, foreseen or 0.0)
