"""The report as one HTML page that asks nothing of the network: what `templates/page.html.j2` is given."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import jinja2
from markupsafe import Markup

import kerazoo
from kerazoo.ledger.values import is_number
from kerazoo.report import formulas, wording
from kerazoo.report.contents import Contents
from kerazoo.report.figures import Drawn, drawn
from kerazoo.schema import Claim

_FILTERS = ("verdict", "document", "model", "kind")
_COMMON = 4  # so many claims share a note before it is told once
_SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z])")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def page(contents: Contents) -> str:
    """Return the report as HTML."""
    figures = [one for figure in contents.figures if (one := drawn(contents, figure))]
    sections: dict[str, list[Drawn]] = {}
    for one in figures:
        sections.setdefault(one.figure.heading, []).append(one)
    notes = common_notes(contents.claims)
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            contents=contents,
            sections=sections,
            programs=[claim for claim in contents.claims if claim.kind == "program" and claim.n],
            filters={
                name: sorted({str(getattr(claim, name)) for claim in contents.claims} - {""}) for name in _FILTERS
            },
            notes=notes,
            own_notes={claim.id: _own_note(claim, notes) for claim in contents.claims},
            provenance={**contents.provenance(), "Rendered by": f"kerazoo {kerazoo.__version__}"},
        )
    )


@functools.cache
def environment() -> jinja2.Environment:
    """Return what fills the templates: everything is escaped that is not marked as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kerazoo.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals |= {"wording": wording, "details": _details}
    environment.filters |= {"prose": prose, "quoted": quoted, "words": wording.words, "number": _number, "slug": _slug}
    return environment


def prose(text: str) -> Markup:
    """Return a text whose parts between backquotes are code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backquote without its partner
        return Markup("{}").format(text)
    return Markup("").join(
        Markup("<code>{}</code>" if place % 2 else "{}").format(part) for place, part in enumerate(parts)
    )


def quoted(claim: Claim) -> Markup:
    """Return the document's words: a formula typeset, a program's line as code, a text in its language."""
    if claim.kind != "program" and formulas.is_latex(claim.quote):
        return Markup('<span class="formula">{}</span>').format(formulas.mathml(claim.quote))
    if claim.kind == "program":
        return Markup("<code>{}</code>").format(claim.quote)
    return Markup('<q lang="zh">{}</q>' if _CHINESE.search(claim.quote) else "<q>{}</q>").format(claim.quote)


def common_notes(claims: Sequence[Claim]) -> dict[str, str]:
    """Return the sentences that stand in the notes of several claims, each with a letter by which rows refer to it."""
    counted = Counter(sentence for claim in claims for sentence in set(_SENTENCE.split(claim.note)))
    shared = [sentence for sentence, count in counted.items() if count >= _COMMON and sentence]
    return {sentence: chr(ord("a") + place) for place, sentence in enumerate(shared[:26])}


def _own_note(claim: Claim, notes: dict[str, str]) -> tuple[str, list[str]]:
    """Return what of a claim's note is its own, and the letters of what it shares."""
    sentences = _SENTENCE.split(claim.note or claim.reason)
    own = " ".join(sentence for sentence in sentences if sentence not in notes)
    return own, [notes[sentence] for sentence in sentences if sentence in notes]


def _details(claim: Claim) -> dict[str, str]:
    """Return what a row tells on demand, by its names."""
    lines = {
        "Measured is": claim.metric,
        "Tolerance": f"{claim.tolerance:g} {claim.unit}".strip() if claim.tolerance else "",
        "Rule": claim.reason,
        "Design": claim.design,
        "Test-set error": wording.test_error(claim),
        "Provenance": wording.provenance(claim),
    }
    return {name: text for name, text in lines.items() if text}


def _number(value: Any) -> Any:
    """Return a number as it is, to sort by, and None for anything else."""
    return value if is_number(value) else None


def _slug(text: str) -> str:
    return re.sub(r"\W+", "-", text.lower())
