"""Measuring the claims anew: the experiments they need, one row of the record after the other."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kerazoo.errors import InputError
from kerazoo.files import try_writing, write_text
from kerazoo.ledger.finding import StudyName
from kerazoo.ledger.published import VERDICTS, verdicts_file
from kerazoo.ledger.record import Row, read_rows
from kerazoo.ledger.runner import Needs, Runner, plan
from kerazoo.ledger.study import listed, load_study
from kerazoo.ledger.verify import differences_of, sample
from kerazoo.options import whole_number
from kerazoo.schema import Claim


@dataclass(frozen=True)
class Reproduction:
    """What `reproduce` found.

    Attributes:
        claims: the claims that were chosen, judged by the rows in `out` (with `verify`, by the record).
        rows: those that this call measured.
        planned: how many runs the call wanted to have measured, here or before.
        out: the directory of the rows and of `verdicts.json`, which has the study's other claims too; None with
            `verify`, which writes nothing.
        unmeasurable: the experiments that cannot be carried out here, each with the reason.
        failed: the experiments that raised an error, each with its line.
        differences: with `verify`, where a value measured now is not the recorded one.
        seconds: of the whole call.
    """

    claims: list[Claim]
    rows: list[Row] = field(repr=False)
    planned: int
    out: Path | None
    unmeasurable: dict[str, str]
    failed: dict[str, str]
    differences: list[str]
    seconds: float

    @property
    def summary(self) -> dict[str, int]:
        """The number of claims by verdict."""
        return dict(Counter(str(claim.verdict) for claim in self.claims))

    @property
    def ok(self) -> bool:
        """Whether no experiment failed and no value differs from the record; with `verify`, of one at least."""
        return not self.failed and not self.differences and (self.out is not None or bool(self.rows))


def reproduce(
    names: str | Iterable[str] | None = None,
    *,
    claims: str | Iterable[str] | None = None,
    seeds: int | None = None,
    source: str = "auto",
    out: str | os.PathLike[str] | None = None,
    quick: bool = False,
    verify: bool = False,
    data_dir: str | os.PathLike[str] | None = None,
    study: StudyName = None,
    record: str | os.PathLike[str] | None = None,
    verbose: bool = True,
) -> Reproduction:
    """Measure what a study's documents claim, and judge it.

    Rows go to `out` as they are measured; what `out` already holds for this version and environment is not measured
    again, so that a call that was interrupted goes on where it stopped.

    Args:
        names: models, documents or claims to measure, as `kerazoo.claims` takes them, e.g. "imdb_lstm" or
            ["blog", "toy_mlp"]; with `claims` also None, all.
        claims: ids of claims, or the beginnings of several, in addition to those of `names`.
        seeds: how many for each experiment that has chance in it; None is the experiment's own number.
        source: "auto" measures what needs data where the real data is or can be had, "tfds" insists on it, "sample"
            measures it on the embedded sample in a study of one's own, whose rows and notes then say so, and leaves
            it out of kerazoo's own.
        out: the directory of the rows; None is the record of a study of one's own, and otherwise runs/reproduce.
        quick: one seed, and only the exact checks and cheap runs.
        verify: measure a sample of the record again, compare, and write nothing.
        data_dir: a directory in TFDS layout; None is `TFDS_DATA_DIR`, or else TFDS's own default.
        study: a directory, or the name of an installed study; None is the one that comes with kerazoo.
        record: with `verify`, a directory of rows in place of the study's own.
        verbose: show progress on standard error.

    Raises:
        InputError: a name, `seeds`, `source` or a directory cannot be used, or an option has no effect beside another;
            nothing was written.
        LedgerError: the study is not as it must be.
        UnavailableError: `source` is "tfds" and the real data cannot be had.
    """
    begun = time.monotonic()
    _check_options(verify, out, seeds, quick, record)
    chosen = None if names is None and claims is None else [*listed(names), *listed(claims)]
    of_study = load_study(study)
    entries = of_study.choose(chosen)
    if seeds is not None:
        whole_number("seeds", seeds)
    needs = Needs(source, data_dir, sample=not of_study.packaged)
    directory = Path(record or of_study.record) if verify else _writable(of_study.out if out is None else out)
    wanted = {entry.check: of_study.experiments[entry.check] for entry in entries if entry.check}
    absences: dict[str, str] = {}
    if verify:
        runs = sample(wanted.values(), of_study.rows(record), quick, chosen=chosen is not None)
        if not runs:
            quickly = "quick " if quick else ""
            raise InputError(f"there is nothing to verify: '{directory}' has no {quickly}measurement of these claims")
    else:
        runs, absences = plan(wanted.values(), seeds, quick)
    runner = Runner(needs, None if verify else directory, verbose)
    runner.carry_out(runs)
    absences |= runner.unmeasurable | runner.failed
    rows = read_rows(directory, sample=not of_study.packaged)
    judged = of_study.judge(entries, rows, absences)
    found = Reproduction(
        claims=judged,
        rows=runner.rows,
        planned=len(runs),
        out=None if verify else directory,
        unmeasurable=runner.unmeasurable,
        failed=runner.failed,
        differences=differences_of(entries, rows, runner.rows) if verify else [],
        seconds=time.monotonic() - begun,
    )
    if not verify and not (of_study.packaged and directory.resolve() == of_study.record.resolve()):
        every = of_study.judge(of_study.entries, rows, absences)  # of what was not chosen now too: rows may be there
        directory.mkdir(parents=True, exist_ok=True)
        write_text(directory / VERDICTS, verdicts_file(every))
    return found


def _check_options(verify: bool, out: object, seeds: object, quick: bool, record: object) -> None:
    """Refuse what would be passed over.

    Raises:
        InputError: `out` or `seeds` is given with `verify`, `seeds` with `quick`, or `record` without `verify`.
    """
    if verify and out is not None:
        raise InputError(f"out={str(out)!r} with verify, which writes nothing; leave one of the two out")
    if verify and seeds is not None:
        raise InputError(f"seeds={seeds} with verify, which takes a recorded seed; leave one of the two out")
    if quick and seeds is not None:
        raise InputError(f"seeds={seeds} with quick, which takes one seed; leave one of the two out")
    if not verify and record is not None:
        raise InputError(f"record={str(record)!r} without verify; give verify too, or name the rows' directory as out")


def _writable(out: str | os.PathLike[str]) -> Path:
    """Return the directory `out` if rows can be written there.

    Raises:
        InputError: they cannot.
    """
    directory = Path(out)
    if not os.fspath(out) or (directory.exists() and not directory.is_dir()):
        raise InputError(f"out: '{out}' is not a directory; name one for the rows of the record")
    try:
        try_writing(directory)
    except OSError as error:
        raise InputError(f"out: '{directory}' cannot be written: {error.strerror}") from None
    return directory
