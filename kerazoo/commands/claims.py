"""Commands about the documents' claims: claims, reproduce, report."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any

import click

import kerazoo
from kerazoo.commands import common
from kerazoo.commands.common import JSON, RECORD, STUDY, argument, flag, option, path, print_json, terminal
from kerazoo.errors import InputError
from kerazoo.printable import printable

if TYPE_CHECKING:
    from kerazoo.report.languages import Language

_MOST_FAULTS = 20
_FORMATS = "table: for people. csv: a line a claim. claimreview: schema.org's, of the claims that have a rating."
_NAMES = argument("names", metavar="[NAME]...", nargs=-1)
_REPORT_DIR = path("--out out_dir", "Directory to write to.", default="report")
_CRATE = path("--ro-crate crate", "In place of --out: a directory for the report with its study and rows, an RO-Crate.")


@click.command(
    "claims",
    params=[
        _NAMES,
        STUDY,
        RECORD,
        flag("--check", "Only say what is wrong with the study."),
        flag("--recompute", "Derive every verdict anew and compare it with the published one."),
        option("--format form", _FORMATS, click.Choice(("table", "csv", "json", "claimreview")), default="table"),
        option("--lang language", "Language of the words; JSON has both.", click.Choice(("en", "zh")), default="en"),
        option("--url", "For claimreview: the address of the report's page.", default="", show_default=False),
        flag("--json as_json", "The same as --format json."),
    ],
)
def claims(
    names: tuple[str, ...],
    study: str | None,
    record: str | None,
    check: bool,
    recompute: bool,
    form: str,
    as_json: bool,
    **told: Any,
) -> int:
    """Show what documents claim, and the verdicts.

    NAME is a model, a document (001) or a claim (001/program), which is told in full, with a table of the claims below
    it; without a name all claims of the study are shown.
    """
    if as_json and form not in ("table", "json"):
        raise InputError(f"--json is --format json, and --format {form} is given too; leave one of them out")
    as_json = as_json or form == "json"
    if (check or recompute) and not as_json and form != "table":
        raise InputError(f"--check and --recompute print lines, or one JSON document, and not --format {form}")
    if check and recompute:
        raise InputError("--check and --recompute are given; call one after the other")
    if check:
        if names or record:
            raise InputError("--check is of the whole study; leave the names and --record out")
        return _check(study, as_json)
    if recompute:
        if names:
            raise InputError("--recompute is of the whole study; leave the names out")
        return _recompute(study, record, as_json)
    _print_claims(list(names) or None, study, record, "json" if as_json else form, **told)
    return 0


def _print_claims(
    names: list[str] | None, study: str | None, record: str | None, form: str, language: Language, url: str
) -> None:
    from kerazoo.ledger.study import load_study
    from kerazoo.report import exports, verdicts

    if url and form != "claimreview":
        raise InputError("--url is for --format claimreview; leave it out")
    of_study = load_study(study)
    found = of_study.claims(names, record)
    if form == "table":
        verdicts.show_claims(terminal(), found, language, names[0] if names and len(names) == 1 else "")
    elif form == "csv":
        sys.stdout.write(printable(exports.as_csv(found, language), keep="\n\t"))
    elif form == "json":
        print_json(verdicts.records(found))
    else:
        print_json(exports.claim_reviews(found, author=of_study.author, url=url, language=language))


def _check(study: str | None, as_json: bool) -> int:
    """Print a line that nothing is wrong, or on standard error a line for each of the first faults."""
    from kerazoo.ledger.study import read_study

    found, faults = read_study(study)
    if as_json:
        print_json({"study": str(found.folder), "faults": faults})
        return 2 if faults else 0
    for fault in faults[:_MOST_FAULTS]:
        common.tell(f"kerazoo: error: {' '.join(fault.split())}")
    if len(faults) > _MOST_FAULTS:
        common.tell(f"kerazoo: and {len(faults) - _MOST_FAULTS} more")
    if faults:
        return 2
    counts = {"claim": len(found.entries), "document": len({entry.document for entry in found.entries})}
    told = [f"{count} {name}{'s' * (count != 1)}" for name, count in counts.items()]
    common.say(f"{found.folder}: {' of '.join(told)}, nothing wrong")
    return 0


def _recompute(study: str | None, record: str | None, as_json: bool) -> int:
    """Print how many verdicts were derived, and a line for each that is not the published one."""
    from kerazoo.ledger.published import recompute

    found = recompute(study, record)
    if as_json:
        print_json(dataclasses.asdict(found))
    else:
        for line in found.differences:
            common.say(line)
        count = len(found.differences)
        compared = f"{count} different from those published" if count else "all as published"
        common.say(f"{found.claims} verdicts derived from {found.rows} rows in {found.seconds:.1f} s: {compared}")
    return 1 if found.differences else 0


@click.command(
    "reproduce",
    params=[
        _NAMES,
        option("--claims claim_ids", "Only this claim (repeatable).", metavar="ID", multiple=True),
        option("--seeds", "Seeds per training (default: each experiment's own number).", int),
        common.SOURCE,
        common.DATA_DIR,
        flag("--quick", "One seed; only exact checks and cheap trainings."),
        flag("--verify", "Measure a sample of the record again and compare."),
        flag("--plan", "Measure nothing; say which seeds are missing, and which would decide what is undecided."),
        path("--out out_dir", "Directory for the measurements (default: runs/reproduce, or the study's record)."),
        STUDY,
        RECORD,
        JSON,
    ],
)
def reproduce(
    names: tuple[str, ...],
    claim_ids: tuple[str, ...],
    out_dir: str | None,
    plan: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Measure a study's claims again.

    NAME is a model, a document or a claim; without it all are measured. What was interrupted goes on where it stopped.
    """
    from kerazoo.report import verdicts

    if plan:
        from kerazoo.ledger.planning import plan as planned

        given = [f"--{name}" for name in ("seeds", "quick", "verify") if options[name]]
        if given or options["seeds"] == 0:
            raise InputError(f"--plan measures nothing; leave {', '.join(given) or '--seeds'} out")
        steps = planned([*names, *claim_ids] or None, study=options["study"], record=options["record"] or out_dir)
        print_json([dataclasses.asdict(step) for step in steps]) if as_json else verdicts.show_plan(terminal(), steps)
        return 0
    found = kerazoo.reproduce(list(names) or None, claims=list(claim_ids) or None, out=out_dir, **options)
    if as_json:
        print_json(verdicts.reproduction_record(found))
    else:
        verdicts.show_reproduction(terminal(), found)
    return 0 if found.ok else 1


@click.command("report", params=[_REPORT_DIR, _CRATE, STUDY, RECORD, JSON])
def report(out_dir: str, crate: str | None, study: str | None, record: str | None, as_json: bool) -> None:
    """Write the verdicts as a web page and as Markdown."""
    from kerazoo.report import write_report

    out = out_dir if crate is None else crate
    files = [str(path) for path in write_report(out, study=study, record=record, ro_crate=crate is not None)]
    if as_json:
        print_json({"files": files})
    else:
        for file in files:
            common.say(file)
