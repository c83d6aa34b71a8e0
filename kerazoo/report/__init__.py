"""What people read: tables on the terminal, and the report on the claims as a page and as Markdown."""

from __future__ import annotations

import os
from pathlib import Path


def write_report(
    out: str | os.PathLike[str] = "report",
    *,
    ledger: str | os.PathLike[str] | None = None,
    record: str | os.PathLike[str] | None = None,
) -> list[Path]:
    """Write the report on the claims under the directory `out`, and return the files.

    They are `report.html`, one page that needs no network, `claims.md`, and a card a model in `models/`. All are
    rendered from the ledger and the record; nothing is trained. They are written once all are rendered, and replace
    those of an earlier report.

    Args:
        out: the directory; it is made if it is not there.
        ledger: a directory of TOML files in place of the packaged ledger.
        record: a directory of rows in place of the packaged record.

    Raises:
        InputError: `out` is a file, or `record` is not a directory.
        LedgerError: an entry of the ledger is not as it must be.
        OSError: the disk does not take the files.
    """
    from kerazoo.report import cards, markdown
    from kerazoo.report.contents import gather
    from kerazoo.report.page import page
    from kerazoo.report.writing import output_directory, write_files

    folder = output_directory(out)
    contents = gather(ledger, record)
    texts = {
        "report.html": page(contents),
        "claims.md": markdown.claims_document(contents),
        **{f"models/{name}.md": text for name, text in cards.documents(contents).items()},
    }
    return write_files({folder / name: text for name, text in texts.items()})
