"""From an entry of the ledger and the rows of the record to a verdict; nothing else goes in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from kerazoo.ledger import statistics
from kerazoo.ledger.entries import Entry
from kerazoo.ledger.record import Row, select
from kerazoo.ledger.values import MISSING, beside, close, is_number, look_up, text_of, with_margin
from kerazoo.schema import Claim, Verdict

_OF_ENTRY = {one.name for one in fields(Entry)} & {one.name for one in fields(Claim)} - {"binomial", "fact"}


@dataclass(frozen=True)
class _Finding:
    """What a rule makes of the values: the verdict, one or two sentences, and the number that stands for them all."""

    verdict: Verdict
    note: str
    measured: Any
    summary: statistics.Summary | None = None


def judge(entry: Entry, rows: Iterable[Row], revision: int | None = None, absence: str = "", seeds: int = 1) -> Claim:
    """Return the claim of `entry` with the verdict that the rows of its experiment give.

    Args:
        entry: the claim; its `rule` decides.
        rows: of the record; those of other experiments are passed over.
        revision: of the experiment; rows of another do not count. None is the newest among the rows.
        absence: why there are no rows, where the caller knows.
        seeds: how many the experiment wants; the note tells where there are fewer.
    """
    shared = {name: getattr(entry, name) for name in _OF_ENTRY} | {"check": entry.check, "fact": entry.fact or entry.id}
    chosen, remark = select(rows, entry.check, revision)
    if not chosen:
        reason = absence or remark or f"The record holds no measurement by the experiment '{entry.check}'."
        return Claim(**shared, verdict=Verdict.NOT_MEASURED, note=_sentence(reason))
    values = [look_up(row["values"], entry.value) for row in chosen]
    measured = tuple(row["seed"] for row in chosen)
    found = _RULES[entry.rule](entry, values) if _usable(entry, values) else _unusable(entry, measured, values)
    if entry.rule in _OVER_SEEDS and len(chosen) == 1 < seeds and found.summary:
        found = _undecided_by_one(found)
    summary = found.summary
    sample = "Measured on the embedded sample, not on the real data" if chosen[0]["source"] == "sample" else ""
    missing = f"Measured with {len(chosen)} of the {seeds} seeds wanted" if len(chosen) < seeds else ""
    notes = [
        found.note,
        *_told_beside(entry, chosen),
        sample,
        missing,
        *_notes(chosen, entry.value),
        entry.caveat,
        remark,
    ]
    share = entry.binomial is not None and is_number(found.measured) and 0 <= found.measured <= 1
    return Claim(
        **shared,
        verdict=found.verdict,
        note=" ".join(filter(None, map(_sentence, notes))),
        measured=found.measured,
        sd=summary.sd if summary else None,
        interval=summary.interval if summary else None,
        n=len(chosen),
        binomial=statistics.binomial_interval(found.measured, entry.binomial) if share and entry.binomial else None,
        seeds=measured,
        values=tuple(None if value is MISSING else value for value in values),
        source=chosen[0]["source"],
        data=chosen[0]["data"],
        environment=chosen[0]["environment"],
        measured_at=max(row["measured_at"] for row in chosen),
        repairs=tuple(beside(chosen[0]["values"], entry.value, "repairs") or ()),
        evidence=_all_or_none(beside(row["values"], entry.value, "evidence") for row in chosen),
    )


def _notes(rows: Sequence[Row], path: str) -> list[str]:
    """Return the experiment's own note: the seeds' common one, or else the first seed's."""
    notes = [beside(row["values"], path, "note") or row["values"].get("note") or "" for row in rows]
    return [notes[0] if len(set(notes)) == 1 or not notes[0] else f"Seed {rows[0]['seed']}: {notes[0]}"]


def _told_beside(entry: Entry, rows: Sequence[Row]) -> list[str]:
    """Return what the effect of `entry` does not tell, a sentence for each name of its `beside`."""
    return [_aside(name, path, [look_up(row["values"], path) for row in rows]) for name, path in entry.beside.items()]


def _aside(name: str, path: str, values: Sequence[Any]) -> str:
    if not all(map(is_number, values)):
        return f"The rows have no number at '{path}'."
    summary = statistics.summarise(values)
    low, high = summary.interval or (summary.mean, summary.mean)
    seeds = f"{summary.n} seed{'s' * (summary.n > 1)}"
    return f"{name}: {with_margin(summary.mean, (high - low) / 2)} ({seeds})."


def _all_or_none(found: Iterable[Any]) -> tuple[Any, ...]:
    listed = tuple(found)
    return listed if any(one is not None for one in listed) else ()


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if not text or text.endswith((".", "!", "?", ".)")) else f"{text}."


def _usable(entry: Entry, values: Sequence[Any]) -> bool:
    if entry.rule in ("true", "runs"):
        return all(isinstance(value, bool) for value in values)
    if entry.rule in ("equivalence", "effect"):
        return all(map(is_number, values))
    return all(value is not None and value is not MISSING for value in values)


def _unusable(entry: Entry, seeds: Sequence[int], values: Sequence[Any]) -> _Finding:
    for seed, value in zip(seeds, values, strict=True):
        if value is MISSING:
            reason = f"The row of seed {seed} has nothing at '{entry.value}'."
        elif value is None:
            reason = f"With seed {seed} the value is not a finite number."
        elif not _usable(entry, [value]):
            reason = (
                f"The row of seed {seed} has {value!r} at '{entry.value}', which the rule '{entry.rule}' cannot judge."
            )
        else:
            continue
        return _Finding(Verdict.NOT_MEASURED, reason, None)
    raise AssertionError("every value is usable")


def _settled(entry: Entry, agrees: bool) -> Verdict:
    """Return the verdict on what needs no statistics."""
    if entry.kind == "metric":
        return Verdict.REPRODUCED if agrees else Verdict.NOT_REPRODUCED
    return Verdict.HOLDS if agrees else Verdict.WRONG


def _true(entry: Entry, values: Sequence[bool]) -> _Finding:
    return _Finding(_settled(entry, all(values)), _share("true", values), all(values))


def _runs(_: Entry, values: Sequence[bool]) -> _Finding:
    verdict = Verdict.HOLDS if all(values) else Verdict.NOT_RUNNABLE
    return _Finding(verdict, _share("runs", values), all(values))


def _share(what: str, values: Sequence[bool]) -> str:
    return "" if len(set(values)) == 1 else f"{what} with {sum(values)} of {len(values)} seeds"


def _equal(entry: Entry, values: Sequence[Any]) -> _Finding:
    agrees = all(close(value, entry.documented, entry.tolerance) for value in values)
    numbers = _number_summary(values)
    note = "" if agrees else f"Printed: {text_of(entry.documented)}; computed: {text_of(values[0])}."
    return _Finding(_settled(entry, agrees), note, numbers.mean if numbers and numbers.sd else values[0], numbers)


def _equivalence(entry: Entry, values: Sequence[float]) -> _Finding:
    summary = statistics.summarise(values)
    margin = f"{text_of(entry.documented)} ± {text_of(entry.tolerance)}"
    if summary.interval is None:
        agrees = close(summary.mean, entry.documented, entry.tolerance)
        verdict = Verdict.REPRODUCED if agrees else Verdict.NOT_REPRODUCED
        return _Finding(verdict, f"One seed, no test: compared with {margin}.", summary.mean, summary)
    p = statistics.equivalence(values, entry.documented, entry.tolerance)
    level = statistics.SIGNIFICANCE
    needed = f"needs p < {level:g} (a {100 * (1 - 2 * level):g} % interval within it)"
    note = f"Measured: {_spread(summary)}; equivalence to {margin} by two one-sided t tests: p = {p:.2g}, {needed}."
    low, high = summary.interval
    if p < level:
        verdict = Verdict.REPRODUCED
    elif high < entry.documented - entry.tolerance or low > entry.documented + entry.tolerance:
        verdict = Verdict.NOT_REPRODUCED
    else:
        verdict = Verdict.UNDECIDED
        note += _more(statistics.seeds_to_show(values, entry.documented, entry.tolerance))
    return _Finding(verdict, note, summary.mean, summary)


def _effect(entry: Entry, values: Sequence[float]) -> _Finding:
    summary = statistics.summarise(values)
    if summary.interval is None:
        verdict = Verdict.HOLDS if summary.mean > entry.tolerance else Verdict.NOT_REPRODUCED
        note = f"One seed, no test: to hold, it must lie above {text_of(entry.tolerance)}."
        return _Finding(verdict, note, summary.mean, summary)
    low, high = summary.interval
    note = f"Measured: {_spread(summary)}; to hold, the interval must lie above {text_of(entry.tolerance)}."
    if low > entry.tolerance:
        verdict = Verdict.HOLDS
    elif high <= entry.tolerance:
        verdict = Verdict.NOT_REPRODUCED
    else:
        verdict = Verdict.UNDECIDED
        distance = abs(summary.mean - entry.tolerance)
        note += _more(statistics.seeds_to_separate(distance, summary.sd or 0.0, summary.n))
    return _Finding(verdict, note, summary.mean, summary)


def _more(seeds: int | None) -> str:
    """Return how many seeds would decide, as a sentence."""
    count = "more than a thousand seeds" if seeds is None else f"{seeds} seeds"
    return f" Undecided: with this mean and spread {count} would decide (power 80 %)."


def _undecided_by_one(found: _Finding) -> _Finding:
    """Return the finding on one seed of an experiment that wants several, which have no spread to be judged by."""
    return replace(found, verdict=Verdict.UNDECIDED, note=f"{found.note} Undecided: one seed tells no spread.")


def _timing(_: Entry, values: Sequence[Any]) -> _Finding:
    return _described("The document does not name its hardware; the measured value is ours.", values)


def _unstated(_: Entry, values: Sequence[Any]) -> _Finding:
    return _described("The document prints no number to compare with.", values)


def _described(note: str, values: Sequence[Any]) -> _Finding:
    summary = _number_summary(values)
    measured = summary.mean if summary else values[0]
    spread = f"Measured: {_spread(summary)}." if summary and summary.n > 1 else ""
    return _Finding(Verdict.NOT_COMPARABLE, f"{note} {spread}", measured, summary)


def _number_summary(values: Sequence[Any]) -> statistics.Summary | None:
    return statistics.summarise(values) if all(map(is_number, values)) else None


def _spread(summary: statistics.Summary) -> str:
    low, high = summary.interval or (summary.mean, summary.mean)
    mean, sd = text_of(summary.mean), text_of(summary.sd)
    return f"mean {mean} over {summary.n} seeds, sd {sd}, 95 % interval {text_of(low)} to {text_of(high)}"


_RULES = {
    "true": _true,
    "equal": _equal,
    "runs": _runs,
    "equivalence": _equivalence,
    "effect": _effect,
    "timing": _timing,
    "unstated": _unstated,
}
_OVER_SEEDS = ("equivalence", "effect")
