"""The report as an HTML page a language, which asks nothing of the network: what `templates/page.html.j2` is given."""

from __future__ import annotations

import functools
import re
from pathlib import PurePosixPath
from typing import Any

import jinja2
from markupsafe import Markup

import kerazoo
from kerazoo.ledger.values import is_number, text_of
from kerazoo.report import answers, formulas, languages, wording
from kerazoo.report.contents import Contents
from kerazoo.report.figures import Drawn, drawn
from kerazoo.report.languages import Language, file_name, is_chinese, known, quantity, say
from kerazoo.schema import Claim

_FILTERS = ("verdict", "document", "model", "kind")


def pages(contents: Contents) -> dict[str, str]:
    """Return the pages by the names of their files; each links to the others."""
    return {file_name("report", ".html", language): page(contents, language) for language in contents.languages}


def page(contents: Contents, language: Language = "en") -> str:
    """Return the report as HTML."""
    figures = [one for figure in contents.figures if (one := drawn(contents, figure, language))]
    sections: dict[str, list[Drawn]] = {}
    for one in figures:
        sections.setdefault(one.figure.heading, []).append(one)
    others = {other: file_name("report", ".html", other) for other in contents.languages if other != language}
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            contents=contents,
            language=language,
            say=functools.partial(_say, language),
            documents=contents.documents(language),
            sections=sections,
            programs=[claim for claim in contents.claims if claim.kind == "program" and claim.n],
            filters={
                name: sorted({str(getattr(claim, name)) for claim in contents.claims} - {""}) for name in _FILTERS
            },
            others=others,
            provenance={
                **contents.provenance(language),
                say("Rendered by", language): f"kerazoo {kerazoo.__version__}",
            },
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
    environment.globals |= {"wording": wording, "answers": answers, "languages": languages, "details": _details}
    environment.filters |= {"prose": prose, "quoted": quoted, "words": wording.words, "number": _number}
    environment.filters |= {"slug": _slug, "option": _option, "correct": correct, "section": _section}
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
    if claim.kind == "program":
        return Markup("<code>{}</code>").format(claim.quote)
    if formulas.is_latex(claim.quote):
        return _formula(claim.quote)
    return Markup('<q lang="zh">{}</q>' if is_chinese(claim.quote) else "<q>{}</q>").format(claim.quote)


def correct(claim: Claim) -> Markup:
    """Return what would be right: a formula typeset, the name of a program's file, or a text."""
    if answers.is_program(claim):
        return Markup("<code>{}</code>").format(PurePosixPath(claim.correct).name)
    return _formula(claim.correct) if formulas.is_latex(claim.correct) else prose(claim.correct)


def _formula(latex: str) -> Markup:
    return Markup('<span class="formula">{}</span>').format(formulas.mathml(latex))


def _details(claim: Claim, language: Language) -> dict[str, str]:
    """Return what a row tells on demand, by its names."""
    tolerance = quantity(text_of(claim.tolerance), claim.unit, language) if claim.unit else f"{claim.tolerance:g}"
    in_chinese = language != "en"
    lines = {
        "Note": wording.note(claim, language),
        "Measured is": wording.metric(claim, language),
        "Tolerance": tolerance if claim.tolerance else "",
        "Rule": "" if in_chinese else claim.reason,
        "Design": claim.zh.get("design", "") if in_chinese else claim.design,
        "Test-set error": wording.test_error(claim, language),
        "Provenance": wording.provenance(claim, language),
    }
    return {say(name, language): text for name, text in lines.items() if text}


def _say(language: Language, text: str, **values: object) -> str:
    return say(text, language, **values)


def _option(value: str, name: str, language: Language) -> str:
    """Return a value of a filter as people write it: a verdict and a kind in words, a name as it is."""
    if name == "verdict":
        return wording.words(value, language)
    return known(value, language) if name == "kind" else value


def _section(section: str, language: Language) -> str:
    """Return where a claim stands: "§3.1", or the name of a part that has no number."""
    if not section[:1].isdigit():
        return known(section, language)
    return f"§{section if language == 'en' else section.replace(', ', '、')}"


def _number(value: Any) -> Any:
    """Return a number as it is, to sort by, and None for anything else."""
    return value if is_number(value) else None


def _slug(text: str) -> str:
    return re.sub(r"\W+", "-", text.lower())
