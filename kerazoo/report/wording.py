"""How verdicts and measured values are put into words, the same on the page, in Markdown and on the terminal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kerazoo.ledger.rules import combined
from kerazoo.ledger.values import text_of, with_margin
from kerazoo.schema import Claim, Verdict

MEANINGS = {
    Verdict.REPRODUCED: "measured, within the tolerance",
    Verdict.HOLDS: "true as printed",
    Verdict.UNDECIDED: "measured, and too few seeds or too much spread to tell",
    Verdict.NOT_REPRODUCED: "measured, and outside the tolerance",
    Verdict.WRONG: "false as printed",
    Verdict.MIXED: "true in part",
    Verdict.NOT_RUNNABLE: "a program that fails as printed",
    Verdict.NOT_COMPARABLE: "nothing is printed to compare with, or the hardware is not named",
    Verdict.NOT_MEASURED: "no measurement in the record",
}
"""The verdicts in the order in which they are told."""


def words(verdict: str) -> str:
    """Return a verdict as people write it."""
    return str(verdict).replace("_", " ")


def facts(claims: Iterable[Claim]) -> dict[str, Verdict]:
    """Return the verdict on each fact that `claims` state, by the fact's id."""
    verdicts: dict[str, list[Verdict]] = defaultdict(list)
    for claim in claims:
        verdicts[claim.fact].append(claim.verdict)
    return {fact: combined(found) for fact, found in verdicts.items()}


def counts(claims: Iterable[Claim]) -> dict[Verdict, int]:
    """Return the number of facts of each verdict; verdicts that none has are left out."""
    found = Counter(facts(claims).values())
    return {verdict: found[verdict] for verdict in MEANINGS if found[verdict]}


def summary(claims: Iterable[Claim]) -> str:
    """Return the counts of facts in one line: "12 facts (of 20 claims): 4 reproduced, 8 hold"."""
    claims = list(claims)
    found = counts(claims)
    total = sum(found.values())
    if total == len(claims):
        return f"{total} claim{'s' * (total != 1)}: {_listed(found)}" if total else "no claims"
    return f"{total} fact{'s' * (total != 1)} (of {len(claims)} claims): {_listed(found)}"


def cells(claims: Iterable[Claim]) -> str:
    """Return the counts of numbers of a table in one line: "40 numbers: 9 reproduced, 31 not reproduced"."""
    found = Counter(claim.verdict for claim in claims)
    return f"{found.total()} numbers: {_listed({one: found[one] for one in MEANINGS if found[one]})}"


def _listed(counted: Mapping[Verdict, int]) -> str:
    return ", ".join(f"{count} {_plural(verdict, count)}" for verdict, count in counted.items())


def documents(count: int) -> str:
    """Return how many documents there are, in words."""
    return "1 article" if count == 1 else f"{count} articles"


def _plural(verdict: Verdict, count: int) -> str:
    return "hold" if verdict is Verdict.HOLDS and count != 1 else words(verdict)


def documented(claim: Claim) -> str:
    """Return what the document says, with its unit."""
    if claim.documented is None:
        return "no number"
    return _with_unit(_plain(claim, claim.documented), claim)


def measured(claim: Claim) -> str:
    """Return what was measured: the mean with the half width of its 95 % interval, the unit and the seeds."""
    if claim.rule == "source":
        return claim.correct or "by the source"
    if claim.measured is None:
        return "not measured"
    if claim.n == 1:
        return _with_unit(_plain(claim, claim.measured), claim)
    seeds = f"({claim.n} seeds)"
    if not claim.interval or not claim.sd:
        return f"{_with_unit(_plain(claim, claim.measured), claim)} {seeds}"
    half = (claim.interval[1] - claim.interval[0]) / 2
    return f"{_with_unit(with_margin(claim.measured, half), claim)} {seeds}"


def test_error(claim: Claim) -> str:
    """Return the interval that the finite test set gives an accuracy, or an empty text."""
    if claim.binomial is None:
        return ""
    low, high = claim.binomial
    return f"Of the test set's finite size alone (Wilson, 95 %): {low:.4f} to {high:.4f}."


def provenance(claim: Claim) -> str:
    """Return which experiment measured a claim, with which seeds, on which data, where and when."""
    if not claim.n:
        return ""
    seeds = f"seeds {', '.join(map(str, claim.seeds))}" if claim.n > 1 else ""
    data = ", ".join(f"{name} {version}" for name, version in claim.data.items())
    day = (claim.measured_at or "")[:10]
    return "; ".join(filter(None, (f"experiment {claim.check}", seeds, data, machine(claim.environment), day)))


def machine(environment: Mapping[str, Any]) -> str:
    """Return an environment in one line."""
    if not environment:
        return ""
    versions = environment.get("versions", {})
    device = ", ".join(environment.get("gpus") or []) or f"{environment.get('cpu')}, {environment.get('cores')} cores"
    named = [f"{label} {versions[name]}" for label, name in _PACKAGES.items() if name in versions]
    deterministic = "deterministic" if environment.get("deterministic_ops") else ""
    return ", ".join(filter(None, [device, *named, str(environment.get("precision", "")), deterministic]))


_PACKAGES = {"TensorFlow": "tensorflow", "Keras": "keras"}


def weights(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return what the manifest says of a model's pretrained weights, in a few lines by their names."""
    test, data, chosen = (entry.get(name, {}) for name in ("test", "data", "chosen"))
    low, high = test.get("accuracy_interval") or (None, None)
    measures = [f"{name} {text_of(value)}" for name, value in test.items() if isinstance(value, float)]
    interval = "" if low is None else f"; of the accuracy, 95 % interval (Wilson) {low:.4f} to {high:.4f}"
    chosen_on = f"of epoch {chosen['epoch']}, by {chosen['by']} on {chosen['on']}" if chosen else ""
    lines = {
        "test split": f"{', '.join(measures)}{interval}" if measures else "",
        "trained on": " ".join(str(data[name]) for name in ("name", "version") if name in data),
        "recipe": str(entry.get("recipe", {}).get("improved") or "the document's"),
        "chosen": chosen_on,
        "file": f"{entry.get('file')}, {entry.get('bytes', 0):,} bytes, sha256 {entry.get('sha256')}",
    }
    return {name: line for name, line in lines.items() if line}


@dataclass(frozen=True)
class Repair:
    """A change that a printed program needs: what is done and why, and the call that fails without it."""

    what: str
    why: str
    call: str
    error: str


def repairs(claim: Claim) -> list[Repair]:
    """Return the changes that a printed program needs to run, in their order."""
    found = []
    for one in claim.repairs:
        given = one if isinstance(one, Mapping) else {"what": one}
        found.append(Repair(*(str(given.get(name) or "") for name in ("what", "why", "call", "error"))))
    return found


def _plain(claim: Claim, value: Any) -> str:
    if isinstance(value, bool):
        if claim.rule == "runs":
            return "runs" if value else "fails"
        return "as stated" if value else "not as stated"
    return text_of(value)


def _with_unit(text: str, claim: Claim) -> str:
    is_number = text[:1].isdigit() or text[:1] in "-["
    if claim.unit == "class":  # the number is a name
        return f"{claim.unit} {text}"
    return f"{text} {claim.unit}" if claim.unit and is_number else text
