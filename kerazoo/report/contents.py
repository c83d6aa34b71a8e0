"""What the reports are made of: a study's entries, the claims with their verdicts, and the rows that count."""

from __future__ import annotations

import functools
import math
import os
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kerazoo.ledger.documents import Figure
from kerazoo.ledger.finding import StudyName
from kerazoo.ledger.record import Row, select
from kerazoo.ledger.study import Study, load_study
from kerazoo.ledger.values import is_number
from kerazoo.registry import list_models, spec
from kerazoo.report import wording
from kerazoo.report.languages import LANGUAGES, Language, say
from kerazoo.schema import Claim, ModelSpec
from kerazoo.weights import manifest

_NUMBER = re.compile(r"\d+(?:\.\d+)*")
_CELL = re.compile(r"history\.(?P<metric>\w+)\.(?P<place>\d+)")


@dataclass(frozen=True)
class Contents:
    """All that a report tells.

    `claims` are in the order of the documents' sections, as far as these are numbered. `rows` are those that count for
    the verdicts, by experiment, in the order of their seeds; `models` the zoo's own, in a report on another study those
    that it is about; `weights` what the manifest of the pretrained weights says of each model that has some.
    """

    study: Study
    claims: tuple[Claim, ...]
    rows: Mapping[str, list[Row]]
    models: tuple[ModelSpec, ...]
    weights: Mapping[str, Mapping[str, Any]]

    def of_model(self, name: str) -> list[Claim]:
        """Return the claims about a model, and those that its spec names."""
        chosen = {entry.id for entry in self.study.choose([name])}
        return [claim for claim in self.claims if claim.id in chosen]

    def documents(self, language: Language = "en") -> dict[str, str]:
        """Return the titles of the documents by their short names."""
        return {claim.document: wording.title(claim, language) for claim in self.claims}

    @property
    def languages(self) -> tuple[Language, ...]:
        """The languages of the pages: Chinese too, where the study has titles or texts in it."""
        return LANGUAGES if any(claim.zh for claim in self.claims) else ("en",)

    @property
    def figures(self) -> list[Figure]:
        """What the study asks to be drawn, and the curves of every other training of its record."""
        told = {figure.experiment for figure in self.study.figures}
        more = [name for name in self.rows if name not in told and self._has_curves(name)]
        models = {claim.check: claim.model for claim in self.claims}
        return [
            *self.study.figures,
            *(Figure("", "curves", name, models.get(name) or name, paths=["history"]) for name in more),
        ]

    def _has_curves(self, experiment: str) -> bool:
        """Tell whether an experiment has a history of several epochs."""
        history = next(iter(self.values(experiment)), {}).get("history")
        return isinstance(history, dict) and any(isinstance(one, list) and len(one) > 1 for one in history.values())

    @functools.cached_property
    def cells(self) -> dict[str, tuple[str, int]]:
        """The claims, by id, that are cells of a printed table of epochs: their metric and epoch, from 1."""
        found = {entry.id: _CELL.fullmatch(entry.value) for entry in self.study.entries if is_number(entry.documented)}
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

    def provenance(self, language: Language = "en") -> dict[str, str]:
        """Return where the measurements come from, in a few lines by their names."""
        rows = [row for found in self.rows.values() for row in found]
        machines = sorted({wording.machine(row["environment"], language) for row in rows})
        data = sorted({f"{name} {version}" for row in rows for name, version in row["data"].items()})
        days = sorted({row["measured_at"][:10] for row in rows})
        none, comma = say("none", language), say(", ", language)
        period = [say(" – ", language).join(sorted({days[0], days[-1]}))] if days else []
        return {
            say("Measurements", language): comma.join([say("{n} rows", language, n=len(rows)), *period]),
            say("Data", language): comma.join(data) or none,
            say("Machines", language): say("; ", language).join(machines) or none,
        }


def gather(study: StudyName = None, record: str | os.PathLike[str] | None = None) -> Contents:
    """Return the contents of a report on a study and its record, by default kerazoo's own.

    Raises:
        InputError: `study` or `record` is not a directory.
        LedgerError: the study is not as it must be.
    """
    found = load_study(study)
    rows = found.rows(record)
    chosen = {name: select(rows, name, one.revision)[0] for name, one in sorted(found.experiments.items())}
    claims = sorted(found.judge(found.entries, rows), key=_place)
    own = [one for one in map(spec, list_models()) if one.builder.__module__.startswith("kerazoo.models.")]
    about = {claim.model for claim in claims}
    return Contents(
        study=found,
        claims=tuple(claims),
        rows={name: used for name, used in chosen.items() if used},
        models=tuple(one for one in own if found.packaged or one.name in about),
        weights=manifest(),
    )


def _place(claim: Claim) -> tuple[str, list[float]]:
    """Return what claims are ordered by: the document, and the section's number; what has none comes last."""
    number = _NUMBER.match("0" if claim.section == "abstract" else claim.section)
    return claim.document, [float(part) for part in number[0].split(".")] if number else [math.inf]
