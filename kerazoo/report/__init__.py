"""What people read: tables on the terminal, and the report on the claims as a page and as Markdown."""

from __future__ import annotations

import os
from pathlib import Path


def write_report(
    out: str | os.PathLike[str] = "report",
    *,
    study: str | os.PathLike[str] | None = None,
    record: str | os.PathLike[str] | None = None,
    ro_crate: bool = False,
) -> list[Path]:
    """Write the report on a study under the directory `out`, and return the files.

    They are `report.html`, one page that needs no network, `claims.md`, a page a document in `articles/`, and a card a
    model in `models/`; of a study with texts in Chinese also `report.zh-CN.html`, `claims.zh-CN.md` and such pages of
    the documents. All are rendered from the study and its record; nothing is trained. They are written once all are
    rendered, and replace those of an earlier report.

    Args:
        out: the directory; it is made if it is not there.
        study: a directory, or the name of an installed study; None is the one that comes with kerazoo.
        record: a directory of rows in place of the study's own.
        ro_crate: also write the study, the rows that count, the verdicts as data, and `ro-crate-metadata.json`, which
            describes all of it and what measured it, so that `out` is an RO-Crate.

    Raises:
        InputError: `out` is a file, `record` is not a directory, or nothing was measured.
        LedgerError: the study is not as it must be.
        OSError: the disk does not take the files.
    """
    from kerazoo.errors import InputError
    from kerazoo.report import articles, cards, markdown
    from kerazoo.report.contents import gather
    from kerazoo.report.page import pages
    from kerazoo.report.writing import output_directory, write_files

    folder = output_directory(out)
    contents = gather(study, record)
    if not contents.rows:
        where = contents.study.record if record is None else record
        of = "" if study is None else f" --study {study}"
        raise InputError(f"'{where}' has no measurement of these claims; `kerazoo reproduce{of}` makes some")
    texts = {
        **pages(contents),
        **markdown.claims_documents(contents),
        **{f"articles/{name}": text for name, text in articles.pages(contents).items()},
        **{f"models/{name}.md": text for name, text in cards.documents(contents).items()},
    }
    if ro_crate:
        from kerazoo.report.crate import crate

        texts = crate(contents, texts)
    return write_files({folder / name: text for name, text in texts.items()})
