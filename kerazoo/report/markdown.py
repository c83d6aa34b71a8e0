"""The verdicts as Markdown: every claim, and the table of results in README."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from kerazoo.report import wording
from kerazoo.report.contents import Contents
from kerazoo.schema import Claim

NOTICE = "<!-- Rendered from the ledger and the record by `python -m kerazoo.report.refresh`; not edited by hand. -->"
_SPECIAL = re.compile(r"([\\\[\]*|~<>#])")


def escaped(text: str) -> str:
    """Return a text for one line of Markdown; what stands between backquotes stays code."""
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0:  # a backquote without its partner
        parts = ["'".join(parts)]
    return "".join(code(part) if place % 2 else _plain(part) for place, part in enumerate(parts))


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def code(text: str) -> str:
    """Return a text as code, in a table too; tags are escaped, for readers that take them for HTML."""
    text = " ".join(text.replace("`", " ").split())
    if "<" in text:
        return f"<code>{_plain(html.escape(text, quote=False))}</code>"
    return f"`{text}`".replace("|", r"\|") if text else ""


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def claims_document(contents: Contents) -> str:
    """Return every claim with its verdict, document by document."""
    sections = [
        f"## Document {number}: {escaped(title)}\n\n"
        + _claim_table([claim for claim in contents.claims if claim.document == number])
        for number, title in contents.documents.items()
    ]
    meanings = table(
        ("verdict", "claims", "means"),
        [
            (wording.words(verdict), str(count), wording.MEANINGS[verdict])
            for verdict, count in wording.counts(contents.claims).items()
        ],
    )
    opening = (
        f"Each claim of {wording.documents(len(contents.documents))} with what is printed, what was measured, and the "
        "verdict that follows. Means are given with the half width of their 95 % interval (Student's t over the seeds)."
    )
    return "\n\n".join(["# Claims and verdicts", NOTICE, opening, meanings, *sections, _provenance(contents)]) + "\n"


def _claim_table(claims: Iterable[Claim]) -> str:
    rows = [
        (
            f"{code(claim.id)} {escaped(claim.gloss or claim.quote)}",
            escaped(wording.documented(claim)),
            escaped(wording.measured(claim)),
            f"**{wording.words(claim.verdict)}**",
            escaped(claim.note or claim.reason),
        )
        for claim in claims
    ]
    return table(("claim", "documented", "measured", "verdict", "why"), rows)


def _provenance(contents: Contents) -> str:
    lines = [f"- {name}: {escaped(text)}" for name, text in contents.provenance().items()]
    return "\n".join(["## Provenance", "", *lines])


def results_block(contents: Contents) -> str:
    """Return the results of README: the counts, and what became of the programs and of their printed results."""
    rows = []
    for model in contents.models:
        about = [claim for claim in contents.claims if claim.model == model.name]
        for claim in about:
            if claim.kind in ("program", "metric") and claim.id not in contents.cells:
                rows.append(_result(model.name, claim))
        cells = [claim for claim in about if claim.id in contents.cells]
        if cells:
            told = (f"[{model.name}](docs/models/{model.name}.md)", "the printed table of epochs", wording.cells(cells))
            rows.append((*told, "", ""))
    headings = ("model", "what", "documented", "measured", "verdict")
    return "\n\n".join([f"{wording.summary(contents.claims)}.", table(headings, rows), *_weights(contents)])


def _weights(contents: Contents) -> list[str]:
    """Return the test results of the pretrained weights; nothing where there are none."""
    rows = [
        (f"[{name}](docs/models/{name}.md)", *(escaped(lines.get(key, "")) for key in ("test split", "recipe")))
        for name, lines in ((name, wording.weights(entry)) for name, entry in sorted(contents.weights.items()))
    ]
    return ["The pretrained weights:", table(("model", "test split", "recipe"), rows)] if rows else []


def _result(model: str, claim: Claim) -> tuple[str, ...]:
    what = claim.metric if claim.documented is None else claim.gloss
    cells = (what, wording.documented(claim), wording.measured(claim), wording.words(claim.verdict))
    return (f"[{model}](docs/models/{model}.md)", *map(escaped, cells))
