"""A study: documents whose claims are checked, the experiments that check them, and the record of what was measured.

It is a directory with a TOML file a document, optionally `experiments.py`, and `record/` for the rows.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerazoo.errors import InputError, KerazooError, LedgerError, did_you_mean
from kerazoo.ledger.catalog import Experiment, collect
from kerazoo.ledger.declared import Declared
from kerazoo.ledger.documents import Figure, read_document
from kerazoo.ledger.entries import Entry
from kerazoo.ledger.finding import PACKAGED, StudyName, find, modules_of
from kerazoo.ledger.record import Row, read_rows, select
from kerazoo.ledger.rules import Corrected, corrected
from kerazoo.ledger.verdicts import judge, values_of
from kerazoo.registry import list_models, spec
from kerazoo.schema import Claim

_OUT = Path("runs", "reproduce")


@dataclass(frozen=True)
class Study:
    """What a study claims and how it is measured.

    `module` is that of an installed study, empty for a directory of one's own.
    """

    folder: Path
    module: str
    entries: tuple[Entry, ...]
    figures: tuple[Figure, ...]
    experiments: Mapping[str, Experiment]

    @property
    def packaged(self) -> bool:
        """Whether it is kerazoo's own, whose record is of real data only."""
        return self.folder == PACKAGED

    @property
    def author(self) -> str:
        """Who answers for its verdicts."""
        return "kerazoo developers" if self.packaged else f"the study {self.folder.resolve().name}"

    @property
    def record(self) -> Path:
        """The directory of its rows."""
        return self.folder / "record"

    @property
    def out(self) -> Path:
        """Where `reproduce` writes by default: the record of a study of one's own, else a directory of the caller's."""
        if not self.module:
            return self.record
        return _OUT if self.packaged else _OUT / self.folder.name

    def rows(self, record: str | os.PathLike[str] | None = None) -> list[Row]:
        """Return the rows of the directory `record`, by default the study's own, which need not be there.

        Raises:
            InputError: the directory that was named is not there.
        """
        if record is not None and not Path(record).is_dir():
            raise InputError(f"record '{record}' is not a directory; name one that `kerazoo reproduce` has written")
        return read_rows(self.record if record is None else Path(record), sample=not self.packaged)

    def claims(
        self, names: str | Collection[str] | None = None, record: str | os.PathLike[str] | None = None
    ) -> list[Claim]:
        """Return what the documents claim, judged by the rows of `record`; the arguments are those of `claims`.

        Raises:
            InputError: nothing has that name, or `record` is not a directory.
        """
        return self.judge(self.choose(names), self.rows(record))

    def choose(self, names: str | Collection[str] | None) -> list[Entry]:
        """Return those entries that any of `names` means, as `claims` takes them; None is all.

        Raises:
            InputError: there is no name, or one means none of them; the message names the nearest.
        """
        if names is None:
            return list(self.entries)
        if not names:
            raise InputError("no claim is chosen: the list of names is empty; leave it out (None) for all claims")
        wanted = {entry.id for name in listed(names) for entry in self._named(name)}
        return [entry for entry in self.entries if entry.id in wanted]

    def _named(self, name: str) -> list[Entry]:
        if name in list_models():
            ids = spec(name).claims
            return [one for one in self.entries if one.model == name or any(_is_under(one.id, each) for each in ids)]
        found = [entry for entry in self.entries if _is_under(entry.id, name)]
        found = found or [entry for entry in self.entries if "/" in name and entry.id.startswith(name)]
        if not found:
            documents = sorted({entry.document for entry in self.entries})
            near = did_you_mean(name, [*list_models(), *documents, *(entry.id for entry in self.entries)])
            raise InputError(f"no model or claim is named '{name}'.{near} `kerazoo claims` lists the claims")
        return found

    def judge(
        self, entries: Iterable[Entry], rows: Iterable[Row], absences: Mapping[str, str] | None = None
    ) -> list[Claim]:
        """Return the claims of `entries`, judged by those of `rows` that are of the experiments' present revisions.

        `absences` tells why an experiment has no rows.
        """
        by_experiment = defaultdict(list)
        for row in rows:
            by_experiment[row["experiment"]].append(row)
        families = self._families(by_experiment)
        judged = []
        for entry in entries:
            if entry.rule == "source":
                judged.append(judge(entry, ()))
                continue
            one, absence = self.experiments[entry.check], (absences or {}).get(entry.check, "")
            family = families.get(entry.id)
            judged.append(judge(entry, by_experiment[entry.check], one.revision, absence, one.seeds, family))
        return judged

    def _families(self, rows: Mapping[str, list[Row]]) -> dict[str, Corrected]:
        """Return the corrected p-values of all entries that are of a family, those that were not chosen too."""
        families: dict[str, list[tuple[Entry, list[Any]]]] = defaultdict(list)
        for entry in self.entries:
            if entry.family:
                of_check, revision = rows.get(entry.check, []), self.experiments[entry.check].revision
                used, _ = select(of_check, entry.check, revision, entry.timed)
                families[entry.family].append((entry, values_of(used, entry.value)))
        return corrected(families)


def claims(
    names: str | Collection[str] | None = None,
    *,
    study: StudyName = None,
    record: str | os.PathLike[str] | None = None,
) -> list[Claim]:
    """Return what a study's documents claim, each claim with its verdict and the measurements that it rests on.

    The verdicts are derived now, from the study's entries and the rows of its record.

    Args:
        names: a model ("imdb_lstm"), a document ("blog"), a claim ("blog/accuracy"), or the beginning of several
            ("blog/table/e"), or a list of them; None is all.
        study: a directory, or the name of an installed study; None is the one that comes with kerazoo.
        record: a directory of rows in place of the study's own, such as one that `reproduce` has written.

    Raises:
        InputError: nothing has that name, or `study` or `record` is not a directory.
        LedgerError: the study is not as it must be.
    """
    return load_study(study).claims(names, record)


def load_study(study: StudyName = None) -> Study:
    """Return the study, read and checked.

    Raises:
        InputError: it is neither a directory nor the name of an installed study.
        LedgerError: it is not as it must be; the message names the file and the claim.
    """
    found, faults = read_study(study)
    if faults:
        more = f" ({len(faults) - 1} more: `kerazoo claims --check` lists them)" if len(faults) > 1 else ""
        raise LedgerError(f"{faults[0]}{more}")
    return found


def read_study(study: StudyName = None) -> tuple[Study, list[str]]:
    """Return the study, and what is wrong with it, a line each; with a fault it is of no use.

    Raises:
        InputError: it is neither a directory nor the name of an installed study.
    """
    folder, module = find(study)
    entries: list[Entry] = []
    figures: list[Figure] = []
    faults: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        more_entries, more_figures, more_faults = read_document(path)
        entries += more_entries
        figures += more_figures
        faults += more_faults
    if not entries and not faults:
        faults.append(f"'{folder}' holds no study; wanted TOML files, one a document, with [[claim]] tables")
    experiments: dict[str, Experiment] = {}
    try:
        experiments = collect(modules_of(folder, module))
    except KerazooError as error:
        faults.append(f"experiments.py: {error}" if not isinstance(error, LedgerError) else str(error))
    if not faults:
        experiments |= _declared(entries)
        faults = [*_faults_between(entries, figures, experiments)]
    return Study(folder, module, tuple(entries), tuple(figures), experiments), faults


def _faults_between(
    entries: Iterable[Entry], figures: Iterable[Figure], experiments: Mapping[str, Experiment]
) -> Iterable[str]:
    """Yield what is wrong with the claims beside each other and the experiments."""
    entries, known = list(entries), set()
    for entry in entries:
        if entry.id in known:
            yield f"{entry.file}, {entry.id}: the id stands twice; give each claim its own"
        known.add(entry.id)
    named = [(one.file, one.id, one.check) for one in entries if one.rule != "source"]
    for file, name, check in [*named, *((one.file, one.title, one.experiment) for one in figures)]:
        if check not in experiments:
            near = did_you_mean(check, experiments)
            yield f"{file}, {name}: no experiment is named '{check}'.{near}"


def _declared(entries: Iterable[Entry]) -> dict[str, Experiment]:
    """Return the experiments that claims declare; of equal ones that with the most seeds."""
    found: dict[str, Experiment] = {}
    for declared in (entry.experiment for entry in entries):
        if isinstance(declared, Declared):
            one = declared.experiment
            found[one.name] = max(one, found.get(one.name, one), key=lambda each: each.seeds)
    return found


def listed(names: str | Iterable[str] | None) -> list[str]:
    """Return names as a list."""
    return [] if names is None else [names] if isinstance(names, str) else list(names)


def _is_under(claim_id: str, name: str) -> bool:
    return claim_id == name or claim_id.startswith(name.rstrip("/") + "/")
