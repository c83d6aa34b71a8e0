"""Claims and their verdicts on the terminal and as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from kerazoo.ledger.planning import Step
from kerazoo.ledger.reproduce import Reproduction
from kerazoo.ledger.values import text_of
from kerazoo.report import wording
from kerazoo.report.answers import answer
from kerazoo.report.languages import Language, say
from kerazoo.report.tables import plain_table
from kerazoo.schema import Claim

_LONGEST = 48
_STYLES = {
    "reproduced": "green",
    "holds": "green",
    "wrong": "red",
    "not_runnable": "red",
    "not_reproduced": "red",
    "undecided": "magenta",
    "mixed": "magenta",
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


def show_claims(console: Console, claims: Iterable[Claim], language: Language = "en", name: str = "") -> None:
    """Print a row a claim, and below it how many have which verdict; a claim alone is told in full.

    So is the claim that is called `name`, above the table of the others, which are its children.
    """
    claims = list(claims)
    told = claims if len(claims) == 1 else [claim for claim in claims if claim.id == name]
    for claim in told:
        show_one(console, claim, language)
    others = [claim for claim in claims if claim not in told]
    if others or not claims:
        _show_table(console, others, language)


def _show_table(console: Console, claims: Sequence[Claim], language: Language) -> None:
    shown = plain_table(*(say(name, language) for name in ("claim", "documented", "measured", "verdict")))
    shown.columns[0].no_wrap = True
    for claim in claims:
        values = (Text(_short(tell(claim, language))) for tell in (wording.documented, wording.measured))
        verdict = Text(wording.words(claim.verdict, language), style=_STYLES.get(claim.verdict, ""))
        shown.add_row(Text(claim.id), *values, verdict)
    console.print(shown)
    console.print(wording.summary(claims, language))
    if any(claim.source == "sample" for claim in claims):
        console.print(say(wording.SAMPLE, language))


def show_one(console: Console, claim: Claim, language: Language = "en") -> None:
    """Print all that a reader wants to know of one claim; in Chinese what the study tells in Chinese."""
    shown = plain_table("", "")
    shown.show_header = False
    in_chinese = language != "en"
    form = "{id}  (document {document}, {section})" if claim.section else "{id}  (document {document})"
    section = wording.section(claim.section, language)
    gloss = f"  ({claim.gloss})" if claim.gloss and not in_chinese else ""
    lines = {
        "claim": say(form, language, id=claim.id, document=claim.document, section=section),
        "quote": f"{claim.quote}{gloss}",
        "documented": wording.documented(claim, language),
        "measured": wording.measured(claim, language),
        "test set": wording.test_error(claim, language),
        "verdict": wording.words(claim.verdict, language),
        "why": answer(claim, language),
        "correct": claim.correct,
        "source": wording.reference(claim, language),
        "note": wording.note(claim, language),
        "metric": wording.metric(claim, language),
        "tolerance": _tolerance(claim, in_chinese),
        "design": claim.zh.get("design", "") if in_chinese else claim.design,
        "repairs": "" if in_chinese else "\n".join(map(_repair, wording.repairs(claim))),
        "measured by": wording.provenance(claim, language),
    }
    for name, text in lines.items():
        if text.strip():
            shown.add_row(say(name, language), Text(text.strip()))
    console.print(shown)


def _tolerance(claim: Claim, in_chinese: bool) -> str:
    """Return the tolerance, in English with its reason; nothing for what a source settles, whose note has it."""
    if claim.rule == "source":
        return ""
    return text_of(claim.tolerance or "") if in_chinese else f"{claim.tolerance:g}: {claim.reason}"


def _repair(one: wording.Repair) -> str:
    reason = f": {one.why}" if one.why else ""
    return f"{one.what}{reason}" + (f" Without it `{one.call}` fails: {one.error}" if one.call else "")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def show_plan(console: Console, steps: Sequence[Step]) -> None:
    """Print what is left to measure: a row an experiment, with the claims that it would decide."""
    if not steps:
        console.print("Nothing of this is left to measure: every experiment has its seeds, and no claim is undecided.")
        return
    shown = plain_table("experiment", "seeds", "asked for", "wanted", "minutes", "would decide")
    for step in steps:
        decides = ", ".join(f"{name} ({seeds or 'over 1000'})" for name, seeds in step.decides.items())
        counts = map(str, (step.recorded, step.asked, step.wanted))
        cells = (step.experiment, *counts, f"{step.minutes:.1f}", decides)
        shown.add_row(*map(Text, cells))
    console.print(shown)
    asked, wanted = (sum(minutes) for minutes in zip(*((one.asked_minutes, one.minutes) for one in steps), strict=True))
    beyond = sum(seeds is None for step in steps for seeds in step.decides.values())
    but = f", but for {beyond} that would take over 1000 seeds" if beyond else ""
    wants = f"to decide every claim{but}: {wanted:.0f} minutes"
    console.print(f"To the seeds that experiments ask for: {asked:.0f} minutes; {wants}. `--seeds N` measures them.")


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
