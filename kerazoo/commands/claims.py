"""Commands about the documents' claims: claims, reproduce, report."""

from __future__ import annotations

from typing import Any

import click

import kerazoo
from kerazoo.commands import common
from kerazoo.commands.common import JSON, LEDGER, RECORD, argument, flag, option, path, print_json, terminal

_REPORT_DIR = path("--out out_dir", "Directory to write to.", default="report")


@click.command("claims", params=[argument("name", required=False), LEDGER, RECORD, JSON])
def claims(name: str | None, ledger: str | None, record: str | None, as_json: bool) -> None:
    """Show what the documents claim, and the verdicts.

    NAME is a model, a document (001) or a claim (001/program); without it all claims are shown.
    """
    from kerazoo.report import verdicts

    found = kerazoo.claims(name, ledger=ledger, record=record)
    if as_json:
        print_json(verdicts.records(found))
    else:
        verdicts.show_claims(terminal(), found)


@click.command(
    "reproduce",
    params=[
        argument("names", metavar="[NAME]...", nargs=-1),
        option("--claims claim_ids", "Only this claim (repeatable).", metavar="ID", multiple=True),
        option("--seeds", "Seeds per training (default: each experiment's own number).", int),
        common.SOURCE,
        common.DATA_DIR,
        flag("--quick", "One seed; only exact checks and cheap trainings."),
        flag("--verify", "Measure a sample of the record again and compare."),
        path("--out out_dir", "Directory for the measurements (default: runs/reproduce)."),
        LEDGER,
        RECORD,
        JSON,
    ],
)
def reproduce(
    names: tuple[str, ...], claim_ids: tuple[str, ...], out_dir: str | None, as_json: bool, **options: Any
) -> int:
    """Measure the documents' claims again.

    NAME is a model or a document; without it all claims are measured. What was interrupted goes on where it stopped.
    """
    from kerazoo.report import verdicts

    found = kerazoo.reproduce(list(names) or None, claims=list(claim_ids) or None, out=out_dir, **options)
    if as_json:
        print_json(verdicts.reproduction_record(found))
    else:
        verdicts.show_reproduction(terminal(), found)
    return 0 if found.ok else 1


@click.command("report", params=[_REPORT_DIR, LEDGER, RECORD, JSON])
def report(out_dir: str, ledger: str | None, record: str | None, as_json: bool) -> None:
    """Write the verdicts as a web page and as Markdown."""
    from kerazoo.report import write_report

    files = [str(path) for path in write_report(out_dir, ledger=ledger, record=record)]
    if as_json:
        print_json({"files": files})
    else:
        for file in files:
            common.say(file)
