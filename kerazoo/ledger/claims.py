"""Every claim with its verdict, from the ledger and the record; no TensorFlow."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path

from kerazoo.errors import InputError, did_you_mean
from kerazoo.ledger.catalog import experiments
from kerazoo.ledger.entries import Entry, load_entries
from kerazoo.ledger.record import RECORD, Row, read_rows
from kerazoo.ledger.verdicts import judge_claim
from kerazoo.registry import list_models, spec
from kerazoo.schema import Claim


def claims(
    name: str | None = None,
    *,
    ledger: str | os.PathLike[str] | None = None,
    record: str | os.PathLike[str] | None = None,
) -> list[Claim]:
    """Return what the documents claim, each claim with its verdict and the measurements that it rests on.

    The verdicts are derived now, from the entries of the ledger and the rows of the record.

    Args:
        name: a model ("imdb_lstm"), a document ("001"), a claim ("001/program"), or the beginning of several
            ("001/epoch-table"); None is all.
        ledger: a directory of TOML files in place of the packaged ledger.
        record: a directory of rows in place of the packaged record, such as the one `reproduce` has written.

    Raises:
        InputError: nothing has that name, or `record` is not a directory.
        LedgerError: an entry of the ledger is not as it must be.
    """
    entries = choose(read_ledger(ledger), None if name is None else [name])
    return judge_all(entries, read_rows(record_directory(record)))


def read_ledger(ledger: str | os.PathLike[str] | None) -> list[Entry]:
    """Return the entries of the ledger, whose checks must be in the catalog."""
    return load_entries(ledger, experiments())


def record_directory(record: str | os.PathLike[str] | None) -> Path:
    """Return the directory of the record to read.

    Raises:
        InputError: the directory that was named is not there.
    """
    if record is not None and not Path(record).is_dir():
        raise InputError(f"record '{record}' is not a directory; name one that `kerazoo reproduce` has written")
    return RECORD if record is None else Path(record)


def choose(entries: list[Entry], names: Collection[str] | None) -> list[Entry]:
    """Return those `entries` that any of `names` means, as `claims` takes them; None is all.

    Raises:
        InputError: there is no name, or one means none of them; the message names the nearest.
    """
    if names is None:
        return entries
    if not names:
        raise InputError("no claim is chosen: the list of names is empty; leave it out (None) for all claims")
    wanted = {entry.id for name in names for entry in _named(entries, name)}
    return [entry for entry in entries if entry.id in wanted]


def _named(entries: list[Entry], name: str) -> list[Entry]:
    if name in list_models():
        ids = spec(name).claims
        return [entry for entry in entries if entry.model == name or any(_is_under(entry.id, one) for one in ids)]
    found = [entry for entry in entries if _is_under(entry.id, name)]
    found = found or [entry for entry in entries if "/" in name and entry.id.startswith(name)]
    if not found:
        known = [*list_models(), *sorted({entry.document for entry in entries}), *(entry.id for entry in entries)]
        near = did_you_mean(name, known)
        raise InputError(f"no model or claim is named '{name}'.{near} `kerazoo claims` lists the claims")
    return found


def _is_under(claim_id: str, name: str) -> bool:
    return claim_id == name or claim_id.startswith(name.rstrip("/") + "/")


def judge_all(entries: Iterable[Entry], rows: Iterable[Row], absences: dict[str, str] | None = None) -> list[Claim]:
    """Return the claims of `entries`, judged by those of `rows` that are of the experiments' present revisions.

    `absences` tells why an experiment has no rows.
    """
    by_experiment = defaultdict(list)
    for row in rows:
        by_experiment[row["experiment"]].append(row)
    known = experiments()
    judged = []
    for entry in entries:
        one, absence = known.get(entry.check), (absences or {}).get(entry.check, "")
        revision, seeds = (one.revision, one.seeds) if one else (None, 1)
        judged.append(judge_claim(entry, by_experiment[entry.check], revision, absence, seeds))
    return judged
