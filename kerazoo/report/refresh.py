"""Render README's results and docs/ anew from the record: `python -m kerazoo.report.refresh`, in a checkout."""

from __future__ import annotations

import sys
from pathlib import Path

import kerazoo
from kerazoo.errors import InputError, KerazooError
from kerazoo.report import cards, markdown
from kerazoo.report.contents import Contents, gather
from kerazoo.report.writing import write_files

BEGIN, END = "<!-- results: rendered from the record -->", "<!-- end -->"


def rendered(root: Path, contents: Contents) -> dict[Path, str]:
    """Return the text of every rendered file of the checkout at `root`, by path.

    Raises:
        InputError: `root` has no README.md with the markers of the results.
    """
    readme = root / "README.md"
    return {
        readme: with_results(readme.read_text(encoding="utf-8") if readme.is_file() else "", contents),
        root / "docs" / "claims.md": markdown.claims_document(contents),
        **{root / "docs" / "models" / f"{name}.md": text for name, text in cards.documents(contents).items()},
    }


def with_results(readme: str, contents: Contents) -> str:
    """Return the text of README with the results of `contents` between the markers.

    Raises:
        InputError: the markers are not there, each once.
    """
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise InputError(f"README.md wants '{BEGIN}' and '{END}', each once; run this in a checkout of kerazoo")
    before, rest = readme.split(BEGIN)
    return f"{before}{BEGIN}\n\n{markdown.results_block(contents)}\n\n{END}{rest.split(END)[1]}"


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
