"""Claims and their verdicts on the terminal and as JSON."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from kerazoo.ledger.reproduce import Reproduction
from kerazoo.ledger.values import text_of
from kerazoo.report.tables import plain_table
from kerazoo.schema import Claim

_LONGEST = 36
_STYLES = {
    "reproduced": "green",
    "holds": "green",
    "wrong": "red",
    "not_runnable": "red",
    "not_reproduced": "red",
    "not_measured": "yellow",
}


def records(claims: Iterable[Claim]) -> list[dict[str, Any]]:
    """Return the claims as plain values for JSON."""
    return [dataclasses.asdict(claim) for claim in claims]


def reproduction_record(found: Reproduction) -> dict[str, Any]:
    """Return what `reproduce` found as plain values for JSON."""
    fields = ("summary", "rows", "planned", "unmeasurable", "failed", "differences", "seconds")
    where = {"out": None if found.out is None else str(found.out)}
    return {"claims": records(found.claims), **{name: getattr(found, name) for name in fields}, **where}


def show_claims(console: Console, claims: Iterable[Claim]) -> None:
    """Print a row a claim, and below it how many have which verdict."""
    claims = list(claims)
    shown = plain_table("claim", "documented", "measured", "verdict")
    shown.columns[0].no_wrap = True
    for claim in claims:
        documented = "-" if claim.documented is None else _short(claim.documented)
        verdict = Text(claim.verdict, style=_STYLES.get(claim.verdict, ""))
        shown.add_row(Text(claim.id), Text(documented), Text(measured_text(claim)), verdict)
    if len(claims) == 1:
        show_one(console, claims[0])
    else:
        console.print(shown)
        _show_summary(console, Counter(str(claim.verdict) for claim in claims))


def show_one(console: Console, claim: Claim) -> None:
    """Print all that a reader wants to know of one claim."""
    shown = plain_table("", "")
    shown.show_header = False
    seeds = f"seeds {', '.join(map(str, claim.seeds))}" if claim.n > 1 else ""
    where = claim.environment
    machine = ", ".join(where.get("gpus") or [str(where.get("cpu", ""))]) if where else ""
    data = ", ".join(f"{name} {version}" for name, version in claim.data.items())
    lines = {
        "claim": f"{claim.id}  (document {claim.document}, section {claim.section})",
        "printed": f"{claim.quote}  ({claim.gloss})",
        "documented": "" if claim.documented is None else f"{text_of(claim.documented)} {claim.unit}",
        "measured": f"{measured_text(claim)} {claim.unit}" if claim.n else "",
        "verdict": str(claim.verdict),
        "note": claim.note,
        "metric": claim.metric,
        "tolerance": f"{claim.tolerance:g}: {claim.reason}",
        "design": claim.design,
        "repairs": "\n".join(map(_repair, claim.repairs)),
        "measured by": "; ".join(filter(None, (claim.check, seeds, data, machine, claim.measured_at))),
    }
    for name, text in lines.items():
        if text.strip():
            shown.add_row(name, Text(text.strip()))
    console.print(shown)


def _repair(repair: Any) -> str:
    if not isinstance(repair, Mapping):
        return str(repair)
    what = repair.get("call") or repair.get("what") or ""
    return f"{what}: {repair.get('why', '')}"


def measured_text(claim: Claim) -> str:
    """Return the measured value of a claim with the half width of its 95 % interval, or "-"."""
    if claim.measured is None:
        return "-"
    if claim.interval and claim.sd:
        return f"{text_of(claim.measured)} ± {text_of((claim.interval[1] - claim.interval[0]) / 2)} (n={claim.n})"
    return _short(claim.measured)


def _short(value: Any) -> str:
    text = text_of(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _show_summary(console: Console, summary: Mapping[str, int]) -> None:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(summary.items()))
    console.print(f"{sum(summary.values())} claims: {counts}" if summary else "no claims")


def show_reproduction(console: Console, found: Reproduction) -> None:
    """Print the verdicts of a reproduction, what failed and what differs, and where its rows are."""
    if found.out is None:
        for line in found.differences:
            console.print(line)
        for name, reason in found.unmeasurable.items():
            console.print(f"not measured: {name}: {reason}")
        count = len(found.differences)
        values = f"{count} value{'s' * (count != 1)} different from the record"
        console.print(f"{len(found.rows)} of {found.planned} planned rows measured again: {values}")
    else:
        show_claims(console, found.claims)
        console.print(f"{len(found.rows)} rows measured in {found.seconds:.0f} s; they are in {found.out}")
    for name, reason in found.failed.items():
        console.print(f"failed: {name}: {reason}", style="red")
