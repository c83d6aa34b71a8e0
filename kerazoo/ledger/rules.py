"""The rules by which values become a finding: one function a rule, and what families of numbers change in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kerazoo.ledger import statistics
from kerazoo.ledger.entries import Entry
from kerazoo.ledger.values import MISSING, close, is_number, text_of
from kerazoo.schema import Verdict


@dataclass(frozen=True)
class Finding:
    """What a rule makes of the values: the verdict, one or two sentences, and the number that stands for them all.

    `decides` is how many seeds would decide what is undecided; None where that is not known, or more than a thousand.
    `parts` are the verdicts on the parts of a claim that has some.
    """

    verdict: Verdict
    note: str
    measured: Any
    summary: statistics.Summary | None = None
    decides: int | None = None
    parts: Mapping[str, Verdict] = field(default_factory=dict)


@dataclass(frozen=True)
class Corrected:
    """The two p-values of a number that is one of a family of `size`, corrected for it by Holm's procedure.

    `within` is that of the mean's lying within the tolerance, `outside` that of its lying outside.
    """

    name: str
    size: int
    within: float
    outside: float


def corrected(families: Mapping[str, Sequence[tuple[Entry, Sequence[Any]]]]) -> dict[str, Corrected]:
    """Return the corrected p-values of the entries of each family, by the entries' ids.

    Args:
        families: entries of rule 'equivalence' with the values of their seeds; entries with fewer than two numbers
            are not tested, and do not count.
    """
    found = {}
    for family, members in families.items():
        tested = [(entry, values) for entry, values in members if len(values) > 1 and all(map(is_number, values))]
        pairs = [_p_values(entry, values) for entry, values in tested]
        within, outside = (statistics.holm([pair[side] for pair in pairs]) for side in (0, 1))
        for (entry, _), *both in zip(tested, within, outside, strict=True):
            found[entry.id] = Corrected(family, len(tested), *both)
    return found


def applied(entry: Entry, values: Sequence[Any], seeds: Sequence[int], family: Corrected | None = None) -> Finding:
    """Return what the rule of `entry` makes of `values`, one a seed.

    Args:
        entry: of any rule but 'source'.
        values: at least one.
        seeds: those of the values, to name them by.
        family: the corrected p-values, where the entry is one of a family.
    """
    if not _usable(entry, values):
        return _unusable(entry, seeds, values)
    if entry.rule == "equivalence":
        return _equivalence(entry, values, family)
    return _RULES[entry.rule](entry, values)


def undecided_by_one(found: Finding) -> Finding:
    """Return the finding on one seed of an experiment that wants several, which have no spread to be judged by."""
    return replace(found, verdict=Verdict.UNDECIDED, note=f"{found.note} Undecided: one seed tells no spread.")


def combined(verdicts: Iterable[str]) -> Verdict:
    """Return what several verdicts on one fact come to.

    It is mixed where some are for it and others against it, contradicted where none is for it, and undecided where
    none is against it and some are undecided.
    """
    found = set(map(Verdict, verdicts))
    positive, negative = found & _FOR, found & _AGAINST
    if Verdict.MIXED in found or (positive and negative):
        return Verdict.MIXED
    for group in (negative, found & {Verdict.UNDECIDED}, positive):
        if group:
            return min(group, key=list(Verdict).index)
    return Verdict.NOT_COMPARABLE if Verdict.NOT_COMPARABLE in found else Verdict.NOT_MEASURED


def of_parts(verdicts: Iterable[Verdict]) -> Verdict:
    """Return what the verdicts on the parts of one claim come to: as `combined`, but it stands only by all of them."""
    found = set(verdicts)
    verdict = combined(found)
    return Verdict.NOT_MEASURED if verdict in _FOR and Verdict.NOT_MEASURED in found else verdict


_FOR = {Verdict.REPRODUCED, Verdict.HOLDS}
_AGAINST = {Verdict.NOT_REPRODUCED, Verdict.WRONG, Verdict.NOT_RUNNABLE}


def _usable(entry: Entry, values: Sequence[Any]) -> bool:
    if entry.rule in ("true", "runs"):
        return all(isinstance(value, bool) for value in values)
    if entry.rule in ("equivalence", "effect"):
        return all(map(is_number, values))
    return all(value is not None and value is not MISSING for value in values)


def _unusable(entry: Entry, seeds: Sequence[int], values: Sequence[Any]) -> Finding:
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
        return Finding(Verdict.NOT_MEASURED, reason, None)
    raise AssertionError("every value is usable")


def _settled(entry: Entry, agrees: bool) -> Verdict:
    """Return the verdict on what needs no statistics."""
    if entry.kind == "metric":
        return Verdict.REPRODUCED if agrees else Verdict.NOT_REPRODUCED
    return Verdict.HOLDS if agrees else Verdict.WRONG


def _true(entry: Entry, values: Sequence[bool]) -> Finding:
    return Finding(_settled(entry, all(values)), _share("true", values), all(values))


def _runs(_: Entry, values: Sequence[bool]) -> Finding:
    verdict = Verdict.HOLDS if all(values) else Verdict.NOT_RUNNABLE
    return Finding(verdict, _share("runs", values), all(values))


def _share(what: str, values: Sequence[bool]) -> str:
    return "" if len(set(values)) == 1 else f"{what} with {sum(values)} of {len(values)} seeds"


def _equal(entry: Entry, values: Sequence[Any]) -> Finding:
    agrees = all(close(value, entry.documented, entry.tolerance) for value in values)
    numbers = _number_summary(values)
    note = "" if agrees else f"Printed: {text_of(entry.documented)}; computed: {text_of(values[0])}."
    return Finding(_settled(entry, agrees), note, numbers.mean if numbers and numbers.sd else values[0], numbers)


def _p_values(entry: Entry, values: Sequence[float]) -> tuple[float, float]:
    """Return the p-values of the mean's lying within the tolerance of what is printed, and outside it."""
    claimed = (entry.documented, entry.tolerance)
    return statistics.equivalence(values, *claimed), statistics.contradiction(values, *claimed)


def _equivalence(entry: Entry, values: Sequence[float], family: Corrected | None) -> Finding:
    summary = statistics.summarise(values)
    margin = f"{text_of(entry.documented)} ± {text_of(entry.tolerance)}"
    if summary.interval is None:
        agrees = close(summary.mean, entry.documented, entry.tolerance)
        verdict = Verdict.REPRODUCED if agrees else Verdict.NOT_REPRODUCED
        return Finding(verdict, f"One seed, no test: compared with {margin}.", summary.mean, summary)
    within, outside = (family.within, family.outside) if family else _p_values(entry, values)
    level = statistics.SIGNIFICANCE
    needed = f"needs p < {level:g} (a {100 * (1 - 2 * level):g} % interval within it)"
    test = f"equivalence to {margin} by two one-sided t tests: p = {within:.2g}, {needed}"
    note = f"Measured: {_spread(summary)}; {test}."
    if family:
        note += f" The p-values are corrected for the {family.size} numbers of {family.name} (Holm)."
    if within < level:
        return Finding(Verdict.REPRODUCED, note, summary.mean, summary)
    if outside < level:
        note += f" That it is outside: p = {outside:.2g}."
        return Finding(Verdict.NOT_REPRODUCED, note, summary.mean, summary)
    seeds = statistics.seeds_to_show(values, entry.documented, entry.tolerance, family.size if family else 1)
    return Finding(Verdict.UNDECIDED, note + _more(seeds), summary.mean, summary, seeds)


def _effect(entry: Entry, values: Sequence[float]) -> Finding:
    summary = statistics.summarise(values)
    if summary.interval is None:
        verdict = Verdict.HOLDS if summary.mean > entry.tolerance else Verdict.NOT_REPRODUCED
        note = f"One seed, no test: to hold, it must lie above {text_of(entry.tolerance)}."
        return Finding(verdict, note, summary.mean, summary)
    low, high = summary.interval
    note = f"Measured: {_spread(summary)}; to hold, the interval must lie above {text_of(entry.tolerance)}."
    if low > entry.tolerance:
        verdict = Verdict.HOLDS
    elif high <= entry.tolerance:
        verdict = Verdict.NOT_REPRODUCED
    else:
        distance = abs(summary.mean - entry.tolerance)
        seeds = statistics.seeds_to_separate(distance, summary.sd or 0.0, summary.n)
        return Finding(Verdict.UNDECIDED, note + _more(seeds), summary.mean, summary, seeds)
    return Finding(verdict, note, summary.mean, summary)


def _more(seeds: int | None) -> str:
    """Return how many seeds would decide, as a sentence."""
    count = "more than a thousand seeds" if seeds is None else f"{seeds} seeds"
    return f" Undecided: with this mean and spread {count} would decide (power 80 %)."


def _timing(_: Entry, values: Sequence[Any]) -> Finding:
    return _described("The document does not name its hardware; the measured value is ours.", values)


def _unstated(entry: Entry, values: Sequence[Any]) -> Finding:
    if entry.documented is None:
        return _described("The document prints no number to compare with.", values)
    if is_number(entry.documented):
        return _described("The document supposes its number and does not say that it was measured.", values)
    return _described("The document does not claim it.", values)


def _described(note: str, values: Sequence[Any]) -> Finding:
    summary = _number_summary(values)
    measured = summary.mean if summary else values[0]
    spread = f"Measured: {_spread(summary)}." if summary and summary.n > 1 else ""
    return Finding(Verdict.NOT_COMPARABLE, f"{note} {spread}", measured, summary)


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
    "effect": _effect,
    "timing": _timing,
    "unstated": _unstated,
}
