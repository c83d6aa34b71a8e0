"""Render README's results and docs/ anew from the record: `python -m kerazoo.report.refresh`, in a checkout."""

from __future__ import annotations

import sys
from pathlib import Path

import kerazoo
from kerazoo.errors import InputError, KerazooError
from kerazoo.files import to_json
from kerazoo.ledger.documents import study_schema
from kerazoo.ledger.published import VERDICTS, verdicts_file
from kerazoo.ledger.schemas import claim_schema, row_schema
from kerazoo.report import articles, cards, markdown, speed
from kerazoo.report.contents import Contents, gather
from kerazoo.report.languages import LANGUAGES, file_name
from kerazoo.report.writing import write_files

BEGIN, END = "<!-- results: rendered from the record -->", "<!-- end -->"


def rendered(root: Path, contents: Contents) -> dict[Path, str]:
    """Return the text of every rendered file of the checkout at `root`, by path.

    Raises:
        InputError: `root` has no README.md, or no README.zh-CN.md, with the markers of the results.
    """
    results, docs = root / "benchmarks" / "results", root / "docs"
    return {
        **{root / name: text for name, text in _readmes(root, results, contents).items()},
        docs / "speed.md": speed.speed_document(results),
        docs / "study.schema.json": to_json(study_schema()),
        docs / "claim.schema.json": to_json(claim_schema()),
        docs / "row.schema.json": to_json(row_schema()),
        contents.study.record / VERDICTS: verdicts_file(contents.claims),
        **{docs / name: text for name, text in markdown.claims_documents(contents).items()},
        **{docs / "articles" / name: text for name, text in articles.pages(contents).items()},
        **{docs / "models" / f"{name}.md": text for name, text in cards.documents(contents).items()},
    }


def _readmes(root: Path, results: Path, contents: Contents) -> dict[str, str]:
    """Return README in each language, by the names of the files."""
    texts = {}
    for language in LANGUAGES:
        name = file_name("README", ".md", language)
        path = root / name
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        text = with_block(text, BEGIN, markdown.results_block(contents, language), name)
        block = speed.speed_block(results, training_alone=True, language=language)
        texts[name] = with_block(text, speed.BEGIN, block, name)
    return texts


def with_block(readme: str, begin: str, block: str, name: str = "README.md") -> str:
    """Return the text of the file `name` with `block` between the marker `begin` and the next end marker.

    Raises:
        InputError: the marker is not there once, or no end follows it.
    """
    before, found, rest = readme.partition(begin)
    _, end, after = rest.partition(END)
    if not (found and end) or begin in after:
        raise InputError(f"{name} wants '{begin}' once, and '{END}' after it; run this in a checkout of kerazoo")
    return f"{before}{begin}\n\n{block}\n\n{END}{after}"


def main() -> int:
    """Rewrite what differs, and name it."""
    root = Path(kerazoo.__file__).parents[1]
    try:
        texts = rendered(root, gather())
    except KerazooError as error:
        print(f"kerazoo: error: {error}", file=sys.stderr)
        return 2
    changed = {path: text for path, text in texts.items() if not path.is_file() or path.read_text("utf-8") != text}
    for path in write_files(changed):
        print(path.relative_to(root))
    return 0


if __name__ == "__main__":
    sys.exit(main())
