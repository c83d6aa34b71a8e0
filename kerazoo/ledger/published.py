"""The verdicts that were published with a record, and whether entries and rows still give them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerazoo._version import __version__
from kerazoo.errors import InputError
from kerazoo.files import to_json
from kerazoo.ledger.finding import StudyName
from kerazoo.ledger.study import load_study
from kerazoo.ledger.values import text_of
from kerazoo.schema import Claim

VERDICTS = "verdicts.json"
"""The file of the verdicts, beside the rows."""

_TOLD = ("id", "fact", "verdict", "measured", "n")


@dataclass(frozen=True)
class Recomputed:
    """What `recompute` found: how many verdicts it derived from how many rows, and a line for each that differs."""

    claims: int
    rows: int
    differences: list[str]
    seconds: float


def verdicts_file(claims: Iterable[Claim]) -> str:
    """Return the text of `verdicts.json`: of each claim its verdict, and the measured value by how many seeds."""
    return to_json({"kerazoo": __version__, "claims": [{name: getattr(one, name) for name in _TOLD} for one in claims]})


def recompute(study: StudyName = None, record: str | os.PathLike[str] | None = None) -> Recomputed:
    """Derive every verdict of a study from its entries and rows, and compare it with the published one.

    Raises:
        InputError: `study` or `record` is not a directory, or no verdicts were published there.
        LedgerError: the study is not as it must be.
    """
    begun = time.monotonic()
    found = load_study(study)
    rows = found.rows(record)
    path = Path(record or found.record) / VERDICTS
    published = _published(path)
    derived = {claim.id: claim for claim in found.judge(found.entries, rows)}
    differences = [f"{name}: published, and no longer a claim" for name in published if name not in derived]
    for name, claim in derived.items():
        before = published.get(name)
        if before is None:
            differences.append(f"{name}: {claim.verdict}, not published")
        elif (before["verdict"], before["n"]) != (claim.verdict, claim.n):
            told = f"{before['verdict']} by {before['n']} seeds ({text_of(before['measured'])})"
            now = f"{claim.verdict} by {claim.n} ({text_of(claim.measured)})"
            differences.append(f"{name}: published {told}, derived {now}")
    return Recomputed(len(derived), len(rows), differences, time.monotonic() - begun)


def _published(path: Path) -> dict[str, dict[str, Any]]:
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))["claims"]
        return {one["id"]: {name: one[name] for name in _TOLD} for one in listed}
    except OSError as error:
        told = f"'{path}' cannot be read: {error.strerror}"
        raise InputError(f"{told}; `kerazoo reproduce` writes the verdicts beside its rows") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"'{path}' holds no verdicts; `kerazoo reproduce` writes it anew") from None
