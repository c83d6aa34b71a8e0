"""What more would decide which claim: the seeds that are missing, and what they would cost."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from statistics import median

from kerazoo.ledger.finding import StudyName
from kerazoo.ledger.record import select
from kerazoo.ledger.study import load_study
from kerazoo.schema import Claim


@dataclass(frozen=True)
class Step:
    """Seeds of one experiment that are not measured yet.

    Attributes:
        experiment: its name.
        recorded: how many seeds count now: of the experiment's claims, timings left out, for that with the
            fewest.
        asked: how many the experiment asks for.
        wanted: how many would decide every claim in `decides`, at a power of 80 %, and are at least those that the
            experiment asks for.
        decides: the undecided claims of two seeds or more with the seeds that each needs; None where that is more than
            a thousand, which `wanted` passes over.
        minutes: what the seeds up to `wanted` take: as long as the recorded ones did, or as the experiment estimates.
        asked_minutes: the same for the seeds up to `asked`.
    """

    experiment: str
    recorded: int
    asked: int
    wanted: int
    decides: dict[str, int | None]
    minutes: float
    asked_minutes: float


def plan(
    names: str | Collection[str] | None = None,
    *,
    study: StudyName = None,
    record: str | os.PathLike[str] | None = None,
) -> list[Step]:
    """Return what is left to measure of the claims that `names` mean, the cheapest first.

    Args:
        names: as `kerazoo.claims` takes them; None is all.
        study: as there.
        record: as there.

    Raises:
        InputError: nothing has that name, or `study` or `record` is not a directory.
        LedgerError: the study is not as it must be.
    """
    found = load_study(study)
    entries, rows = found.choose(names), found.rows(record)
    by_check: dict[str, list[Claim]] = {}
    for claim in found.judge(entries, rows):
        if claim.check:
            by_check.setdefault(claim.check, []).append(claim)
    steps = []
    for name, claims in by_check.items():
        one = found.experiments[name]
        used, _ = select(rows, name, one.revision)
        recorded = min((claim.n for claim in claims if claim.kind != "timing"), default=len(used))
        known = [claim for claim in claims if claim.n > 1 and one.seeds > 1]  # of one seed the spread is not known
        undecided = {claim.id: claim.decides for claim in known if claim.verdict == "undecided"}
        wanted = max([one.seeds, *(seeds for seeds in undecided.values() if seeds)])
        if wanted > recorded or undecided:
            each = median(row["seconds"] for row in used) / 60 if used else one.minutes
            minutes, asked_minutes = (round(each * max(0, seeds - recorded), 1) for seeds in (wanted, one.seeds))
            steps.append(Step(name, recorded, one.seeds, wanted, undecided, minutes, asked_minutes))
    return sorted(steps, key=lambda step: (step.minutes, step.experiment))
