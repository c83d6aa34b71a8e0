"""A document passage by passage, as Markdown: what it says, the verdict, why in a sentence, and what would be right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from kerazoo.report import formulas, wording
from kerazoo.report.answers import answer, is_program
from kerazoo.report.contents import Contents
from kerazoo.report.languages import Language, file_name, is_chinese, say
from kerazoo.report.markdown import NOTICE, anchor, cells_table, claims_file, code, counts_table, escaped, switch
from kerazoo.schema import Claim


def pages(contents: Contents) -> dict[str, str]:
    """Return a page a document and language, by the names of their files."""
    return {
        file_name(document, ".md", language): page(contents, document, language)
        for document in contents.documents()
        for language in contents.languages
    }


def page(contents: Contents, document: str, language: Language) -> str:
    """Return a document's passages, in its order, under the numbers of their sections."""
    claims = [claim for claim in contents.claims if claim.document == document]
    summary = wording.summary(claims, language)
    opening = say("Document {document}. {summary}.", language, document=document, summary=summary)
    title = f"# {escaped(wording.title(claims[0], language))}"
    links = switch(document, contents, language)
    parts = [title, NOTICE, links, opening, counts_table(claims, language)]
    for section, listed in sections(claims).items():
        parts += [f"## {escaped(wording.section(section, language))}", *_passages(contents, listed, language)]
    return "\n\n".join(filter(None, parts)) + "\n"


def sections(claims: Sequence[Claim]) -> dict[str, list[Claim]]:
    """Return claims by their sections."""
    found: dict[str, list[Claim]] = {}
    for claim in claims:
        found.setdefault(claim.section, []).append(claim)
    return found


def _passages(contents: Contents, claims: Sequence[Claim], language: Language) -> list[str]:
    """Return the parts of a section: a quote and its verdicts after the other, and cells of a table as a table."""
    cells = [claim for claim in claims if claim.id in contents.cells]
    by_quote: dict[str, list[Claim]] = {}
    for claim in claims:
        if claim not in cells:
            by_quote.setdefault(claim.quote, []).append(claim)
    parts = []
    for listed in by_quote.values():
        parts += [f"> {_quoted(listed[0])}", *_judged(listed, language)]
    if cells:
        parts += [cells_table(contents, cells, language)]
    return parts


def _quoted(claim: Claim) -> str:
    """Return the document's words: a formula typeset where it is whole, and as code what is no prose."""
    if claim.kind != "program" and formulas.is_latex(claim.quote):
        return _formula(claim.quote)
    return escaped(claim.quote) if is_chinese(claim.quote) else code(claim.quote)


def _formula(text: str) -> str:
    """Return a formula of LaTeX, and an empty text for anything else."""
    if not formulas.is_latex(text):
        return ""
    return f"$`{' '.join(text.split())}`$" if formulas.is_whole(text) and "`" not in text else code(text)


def _judged(claims: Sequence[Claim], language: Language) -> list[str]:
    """Return the verdicts on what one passage claims; what is said of several claims alike stands once."""
    alike: dict[tuple[str, ...], list[Claim]] = {}
    for claim in claims:
        verdict, why = wording.words(claim.verdict, language), escaped(answer(claim, language))
        alike.setdefault((verdict, why, *_beside(claim, language)), []).append(claim)
    form, parts = "**{verdict}**: {why} ({more})", []
    for (verdict, why, *beside), listed in alike.items():
        more = _links(listed, language, named=len(alike) > 1)
        parts.append("\n\n".join([say(form, language, verdict=verdict, why=why, more=more), *beside]))
    return parts


def _links(claims: Sequence[Claim], language: Language, *, named: bool) -> str:
    """Return links to all that is known of the claims.

    Where a quote has several verdicts (`named`), and the sentences are the rules' own, which are alike, the links name
    what was measured.
    """
    if named and not any(claim.answer if language == "en" else claim.zh.get("answer") for claim in claims):
        names = [escaped(wording.metric(claim, language)) for claim in claims]
    else:
        names = [say("more", language)] if len(claims) == 1 else [claim.id.rpartition("/")[2] for claim in claims]
    file, comma = claims_file(language), ", " if language == "en" else "、"
    return comma.join(f"[{name}](../{file}#{anchor(one)})" for name, one in zip(names, claims, strict=True))


def _beside(claim: Claim, language: Language) -> list[str]:
    """Return what would be right, what settles it, and what the study answers to other readings."""
    lines = []
    if claim.correct:
        form = "Corrected program: {correct}" if is_program(claim) else "Correct: {correct}"
        lines.append(say(form, language, correct=_correct(claim)))
    if claim.reference:
        reference = wording.reference(claim, language)
        lines.append(say("Source: {reference}", language, reference=escaped(reference)))
    if caveat := wording.caveat(claim, language):
        lines.append(say("Note: {caveat}", language, caveat=escaped(caveat)))
    return lines


def _correct(claim: Claim) -> str:
    if is_program(claim):
        name = PurePosixPath(claim.correct).name
        return f"[{name}](../programs/{name})"
    return _formula(claim.correct) or escaped(claim.correct)
