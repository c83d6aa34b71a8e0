"""Commands about the documents' claims: claims, reproduce, report."""

from __future__ import annotations

from typing import Annotated

import typer

import kerazoo
from kerazoo.commands.common import DataDir, Json, Record, Source, Study, err, out, print_json


def claims(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Models, documents, claims.")] = None,
    study: Study = None,
    record: Record = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what is wrong with the study.")] = False,
    as_json: Json = False,
) -> int:
    """Show what a study's documents claim, what was measured, and the verdicts."""
    from kerazoo.report import verdicts

    if check:
        return _check(study)
    found = kerazoo.claims(names or None, study=study, record=record)
    if as_json:
        print_json(verdicts.records(found))
    else:
        verdicts.show_claims(out, found)
    return 0


def _check(study: str | None) -> int:
    """Print a line that nothing is wrong, or on standard error a line for each of the first faults."""
    from kerazoo.ledger.study import read_study

    found, faults = read_study(study)
    for fault in faults[:_MOST_FAULTS]:
        err.print(f"kerazoo: error: {' '.join(fault.split())}")
    if faults:
        return 2
    counts = {"claim": len(found.entries), "document": len({entry.document for entry in found.entries})}
    told = [f"{count} {name}{'s' * (count != 1)}" for name, count in counts.items()]
    out.print(f"{found.folder}: {' of '.join(told)}, nothing wrong")
    return 0


_MOST_FAULTS = 20


def reproduce(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Models, documents, claims.")] = None,
    claim_ids: Annotated[list[str] | None, typer.Option("--claims", metavar="ID", help="Claims (repeatable).")] = None,
    seeds: Annotated[int | None, typer.Option(help="Seeds a training (default: each experiment's own).")] = None,
    source: Source = "auto",
    data_dir: DataDir = None,
    quick: Annotated[bool, typer.Option("--quick", help="One seed; exact checks and cheap runs only.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Measure a sample of the record again and compare.")] = False,
    out_dir: Annotated[
        str | None, typer.Option("--out", help="Directory of the rows (runs/reproduce, or DIR/record).")
    ] = None,
    study: Study = None,
    record: Record = None,
    as_json: Json = False,
) -> int:
    """Measure a study's claims anew; what was interrupted goes on."""
    from kerazoo.report import verdicts

    found = kerazoo.reproduce(
        names,
        claims=claim_ids,
        seeds=seeds,
        source=source,
        data_dir=data_dir,
        quick=quick,
        verify=verify,
        out=out_dir,
        study=study,
        record=record,
    )
    if as_json:
        print_json(verdicts.reproduction_record(found))
    else:
        verdicts.show_reproduction(out, found)
    return 0 if found.ok else 1


def report(
    out_dir: Annotated[str, typer.Option("--out", help="Directory to write to.")] = "report",
    study: Study = None,
    record: Record = None,
    as_json: Json = False,
) -> None:
    """Write the verdicts as a page, report.html, and as Markdown, with a card for each model."""
    from kerazoo.report import write_report

    files = [str(path) for path in write_report(out_dir, study=study, record=record)]
    if as_json:
        print_json({"files": files})
    else:
        out.print("\n".join(files))
