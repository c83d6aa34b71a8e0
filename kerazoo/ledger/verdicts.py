"""From an entry of the ledger and the rows of the record to a verdict; nothing else goes in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from kerazoo.ledger import statistics
from kerazoo.ledger.entries import Entry
from kerazoo.ledger.record import Row, select
from kerazoo.ledger.rules import Corrected, Finding, applied, of_parts, undecided_by_one
from kerazoo.ledger.values import MISSING, beside, is_number, look_up, text_of, with_margin
from kerazoo.schema import Claim, Verdict

_OF_ENTRY = {one.name for one in fields(Entry)} & {one.name for one in fields(Claim)}
_OF_ENTRY -= {"binomial", "fact", "answer", "zh", "parts"}
_OVER_SEEDS = ("equivalence", "effect")


def judge(
    entry: Entry,
    rows: Iterable[Row],
    revision: int | None = None,
    absence: str = "",
    seeds: int = 1,
    family: Corrected | None = None,
) -> Claim:
    """Return the claim of `entry` with the verdict that the rows of its experiment give.

    Args:
        entry: the claim; its `rule` decides.
        rows: of the record; those of other experiments are passed over.
        revision: of the experiment; rows of another do not count. None is the newest among the rows.
        absence: why there are no rows, where the caller knows.
        seeds: how many the experiment wants; the note tells where there are fewer.
        family: the p-values of a number that is one of several, corrected for their number.
    """
    shared = {name: getattr(entry, name) for name in _OF_ENTRY} | {"check": entry.check, "fact": entry.fact or entry.id}
    if entry.rule == "source":
        notes = [entry.reason, f"Source: {entry.reference}", entry.caveat]
        note = " ".join(filter(None, map(_sentence, notes)))
        return _told(entry, Claim(**shared, verdict=Verdict(entry.finding), note=note))
    chosen, remark = select(rows, entry.check, revision, entry.timed)
    if not chosen:
        reason = absence or remark or f"The record holds no measurement by the experiment '{entry.check}'."
        return _told(entry, Claim(**shared, verdict=Verdict.NOT_MEASURED, note=_sentence(reason)))
    found = _found(entry, chosen, seeds, family)
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
    claim = Claim(
        **shared,
        verdict=found.verdict,
        note=" ".join(filter(None, map(_sentence, notes))),
        measured=found.measured,
        sd=summary.sd if summary else None,
        interval=summary.interval if summary else None,
        n=len(chosen),
        binomial=statistics.binomial_interval(found.measured, entry.binomial) if share and entry.binomial else None,
        seeds=tuple(row["seed"] for row in chosen),
        values=tuple(None if value is MISSING else value for value in values_of(chosen, entry.value)),
        source=chosen[0]["source"],
        data=chosen[0]["data"],
        environment=_environment(chosen),
        measured_at=max(row["measured_at"] for row in chosen),
        repairs=tuple(beside(chosen[0]["values"], entry.value, "repairs") or ()),
        evidence=_all_or_none(beside(row["values"], entry.value, "evidence") for row in chosen),
        decides=found.decides,
        parts=found.parts,
    )
    return _told(entry, claim)


def values_of(rows: Iterable[Row], path: str) -> list[Any]:
    """Return what lies at `path` in the values of each row, or a marker for nothing."""
    return [look_up(row["values"], path) for row in rows]


def _found(entry: Entry, rows: Sequence[Row], seeds: int, family: Corrected | None) -> Finding:
    """Return what the entry's rule makes of the rows: of its value, or of each of its parts."""

    def of(path: str) -> Finding:
        found = applied(replace(entry, value=path), values_of(rows, path), [row["seed"] for row in rows], family)
        by_one = entry.rule in _OVER_SEEDS and len(rows) == 1 < seeds and found.summary
        return undecided_by_one(found) if by_one else found

    shown = of(entry.value)
    if not entry.parts:
        return shown
    parts = {name: of(path) for name, path in entry.parts.items()}
    notes = [
        f"{name}: {str(part.verdict).replace('_', ' ')}. {_sentence(part.note)}".strip() for name, part in parts.items()
    ]
    verdicts = {name: part.verdict for name, part in parts.items()}
    verdict = of_parts(verdicts.values())
    more = [part.decides for part in parts.values() if part.decides and verdict is Verdict.UNDECIDED]
    decides = max(more, default=None)
    return replace(shown, verdict=verdict, note=" ".join(notes), decides=decides, parts=verdicts)


def _environment(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the first row's environment; where rows of several numbers of cores count, with these as a list."""
    cores = sorted({row["environment"].get("cores", 0) for row in rows})
    return {**rows[0]["environment"], **({"cores": cores} if len(cores) > 1 else {})}


def _told(entry: Entry, claim: Claim) -> Claim:
    """Return the claim with its answer, if that is one to its verdict, and its texts in Chinese."""
    texts = {one.name: getattr(entry.zh, one.name) for one in fields(entry.zh)} | {"title": entry.title_zh}
    answer = ""
    if entry.answer and entry.answer.verdict == claim.verdict:
        values = {name: text_of(getattr(claim, name)) for name in ("measured", "documented", "n")}
        answer, texts["answer"] = (_filled(text, values) for text in (entry.answer.en, entry.answer.zh))
    return replace(claim, answer=answer, zh={name: text for name, text in texts.items() if text})


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with `{measured}` and the like replaced; every other brace stays."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


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
