"""Commands about the documents' claims: claims, reproduce, report."""

from __future__ import annotations

from typing import Annotated

import typer

import kerazoo
from kerazoo.commands.common import DataDir, Json, Ledger, Record, Source, out, print_json


def claims(
    name: Annotated[str | None, typer.Argument(help="A model, a document (001) or a claim (001/program).")] = None,
    ledger: Ledger = None,
    record: Record = None,
    as_json: Json = False,
) -> None:
    """Show what the documents claim, what was measured, and the verdicts."""
    from kerazoo.report import verdicts

    found = kerazoo.claims(name, ledger=ledger, record=record)
    if as_json:
        print_json(verdicts.records(found))
    else:
        verdicts.show_claims(out, found)


def reproduce(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Models or documents.")] = None,
    claim_ids: Annotated[list[str] | None, typer.Option("--claims", metavar="ID", help="Claims (repeatable).")] = None,
    seeds: Annotated[int | None, typer.Option(help="Seeds a training (default: each experiment's own).")] = None,
    source: Source = "auto",
    data_dir: DataDir = None,
    quick: Annotated[bool, typer.Option("--quick", help="One seed; exact checks and cheap runs only.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Measure a sample of the record again and compare.")] = False,
    out_dir: Annotated[str | None, typer.Option("--out", help="Directory of the rows (runs/reproduce).")] = None,
    ledger: Ledger = None,
    record: Record = None,
    as_json: Json = False,
) -> int:
    """Measure the documents' claims anew; what was interrupted goes on."""
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
        ledger=ledger,
        record=record,
    )
    if as_json:
        print_json(verdicts.reproduction_record(found))
    else:
        verdicts.show_reproduction(out, found)
    return 0 if found.ok else 1


def report(
    out_dir: Annotated[str, typer.Option("--out", help="Directory to write to.")] = "report",
    ledger: Ledger = None,
    record: Record = None,
    as_json: Json = False,
) -> None:
    """Write the verdicts as a page, report.html, and as Markdown, with a card for each model."""
    from kerazoo.report import write_report

    files = [str(path) for path in write_report(out_dir, ledger=ledger, record=record)]
    if as_json:
        print_json({"files": files})
    else:
        out.print("\n".join(files))
