"""What the reports are made of: the ledger's entries, the claims with their verdicts, and the rows that count."""

from __future__ import annotations

import functools
import os
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kerazoo.ledger.catalog import experiments
from kerazoo.ledger.claims import choose, judge_all, read_ledger, record_directory
from kerazoo.ledger.entries import Entry, is_number
from kerazoo.ledger.record import Row, read_rows
from kerazoo.ledger.selection import select
from kerazoo.registry import list_models, spec
from kerazoo.report import wording
from kerazoo.schema import Claim, ModelSpec
from kerazoo.weights import manifest

_CELL = re.compile(r"history\.(?P<metric>\w+)\.(?P<place>\d+)")


@dataclass(frozen=True)
class Contents:
    """All that a report tells.

    `rows` are those that count for the verdicts, by experiment, in the order of their seeds; `models` the zoo's own;
    `weights` what the manifest of the pretrained weights says of each model that has some.
    """

    claims: tuple[Claim, ...]
    entries: tuple[Entry, ...]
    rows: Mapping[str, list[Row]]
    models: tuple[ModelSpec, ...]
    weights: Mapping[str, Mapping[str, Any]]

    def of_model(self, name: str) -> list[Claim]:
        """Return the claims about a model, and those that its spec names."""
        chosen = {entry.id for entry in choose(list(self.entries), [name])}
        return [claim for claim in self.claims if claim.id in chosen]

    @functools.cached_property
    def cells(self) -> dict[str, tuple[str, int]]:
        """The claims, by id, that are cells of a printed table of epochs: their metric and epoch, from 1."""
        found = {entry.id: _CELL.fullmatch(entry.value) for entry in self.entries if is_number(entry.documented)}
        return {name: (cell["metric"], int(cell["place"]) + 1) for name, cell in found.items() if cell}

    def printed_curves(self, experiment: str) -> dict[str, dict[int, float]]:
        """Return the numbers that a document prints epoch by epoch: for each metric, epoch (from 1) to value."""
        curves: dict[str, dict[int, float]] = defaultdict(dict)
        for claim in self.claims:
            if claim.check == experiment and claim.id in self.cells:
                metric, epoch = self.cells[claim.id]
                curves[metric][epoch] = claim.documented
        return dict(curves)

    def values(self, experiment: str) -> list[dict[str, Any]]:
        """Return the values of an experiment, a dictionary a seed; empty where nothing was measured."""
        return [row["values"] for row in self.rows.get(experiment, [])]

    def provenance(self) -> dict[str, str]:
        """Return where the measurements come from, in a few lines by their names."""
        rows = [row for found in self.rows.values() for row in found]
        machines = sorted({wording.machine(row["environment"]) for row in rows})
        data = sorted({f"{name} {version}" for row in rows for name, version in row["data"].items()})
        days = sorted({row["measured_at"][:10] for row in rows})
        return {
            "Measurements": f"{len(rows)} rows" + (f", {days[0]} to {days[-1]}" if days else ""),
            "Data": ", ".join(data) or "none",
            "Machines": "; ".join(machines) or "none",
        }


def gather(ledger: str | os.PathLike[str] | None = None, record: str | os.PathLike[str] | None = None) -> Contents:
    """Return the contents of a report on the ledger and the record, by default the packaged ones.

    Raises:
        InputError: `record` is not a directory.
        LedgerError: an entry of the ledger is not as it must be.
    """
    entries, rows = read_ledger(ledger), read_rows(record_directory(record))
    known = experiments()
    revisions = {name: known[name].revision if name in known else None for name in {row["experiment"] for row in rows}}
    chosen = {name: select(rows, name, revision)[0] for name, revision in sorted(revisions.items())}
    models = [spec(name) for name in list_models()]
    return Contents(
        claims=tuple(judge_all(entries, rows)),
        entries=tuple(entries),
        rows={name: found for name, found in chosen.items() if found},
        models=tuple(one for one in models if one.builder.__module__.startswith("kerazoo.models.")),
        weights=manifest(),
    )
