"""The verdicts as Markdown: every claim, and the tables of results in README and its translation."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from kerazoo.ledger.values import text_of
from kerazoo.report import wording
from kerazoo.report.answers import answer
from kerazoo.report.contents import Contents
from kerazoo.report.languages import NAMES, Language, file_name, is_chinese, say
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


def anchor(claim: Claim) -> str:
    """Return the name by which links find a claim in the files that list them."""
    return claim.id.replace("/", "-")


def claims_documents(contents: Contents) -> dict[str, str]:
    """Return every claim with its verdict, document by document: a text a language, by the names of the files."""
    return {claims_file(language): _claims_document(contents, language) for language in contents.languages}


def claims_file(language: Language) -> str:
    """Return the name of the file that lists every claim."""
    return file_name("claims", ".md", language)


def _claims_document(contents: Contents, language: Language) -> str:
    documents = contents.documents(language)
    sections = [
        f"## {escaped(say('Document {document}: {title}', language, document=number, title=title))}\n\n"
        + _claim_table([claim for claim in contents.claims if claim.document == number], language)
        for number, title in documents.items()
    ]
    opening = say(
        "Each claim of {articles} with what is printed, what was measured, and the verdict that follows. Means are "
        "given with the half width of their 95 % interval (Student's t over the seeds). Several claims may state one "
        "fact; a fact counts once.",
        language,
        articles=wording.documents(len(documents), language),
    )
    title, counted = say("Claims and verdicts", language), counts_table(contents.claims, language)
    parts = [f"# {title}", NOTICE, switch("claims", contents, language), opening, counted, *sections]
    return "\n\n".join(filter(None, [*parts, _provenance(contents, language)])) + "\n"


def switch(stem: str, contents: Contents, language: Language) -> str:
    """Return links to a page in the other languages."""
    others = [one for one in contents.languages if one != language]
    return " · ".join(f"[{NAMES[one]}]({file_name(stem, '.md', one)})" for one in others)


def counts_table(claims: Sequence[Claim], language: Language = "en") -> str:
    """Return how many facts and how many claims have which verdict, and what the verdict means."""
    facts, of_claims = wording.counts(claims), wording.claims_by_verdict(claims)
    rows = [
        (wording.words(verdict, language), *(str(counted.get(verdict, 0)) for counted in (facts, of_claims)), meaning)
        for verdict, meaning in ((one, wording.meaning(one, language)) for one in wording.MEANINGS)
        if verdict in facts or verdict in of_claims
    ]
    return table([say(name, language) for name in ("verdict", "facts", "claims", "means")], rows)


def _claim_table(claims: Iterable[Claim], language: Language) -> str:
    rows = [
        (
            f'<a id="{anchor(claim)}"></a>{code(claim.id)} {_said(claim, language)}',
            escaped(wording.documented(claim, language)),
            escaped(wording.measured(claim, language)),
            f"**{wording.words(claim.verdict, language)}**",
            escaped((" " if language == "en" else "").join(filter(None, _reasons(claim, language)))),
        )
        for claim in claims
    ]
    columns = ("claim", "documented", "measured", "verdict", "why")
    return table([say(name, language) for name in columns], rows)


def _said(claim: Claim, language: Language) -> str:
    """Return what a claim says: in English in other words, in Chinese in the document's own."""
    if language == "en":
        return escaped(claim.gloss or claim.quote)
    return escaped(claim.quote) if is_chinese(claim.quote) else code(claim.quote)


def _reasons(claim: Claim, language: Language) -> Sequence[str]:
    """Return why a claim has its verdict; in English the note names the source, too."""
    if language == "en":
        return claim.answer, claim.note or claim.reason
    reference = wording.reference(claim, language)
    source = say("Source: {reference}", language, reference=reference) if reference else ""
    return answer(claim, language), wording.note(claim, language), source


def _provenance(contents: Contents, language: Language) -> str:
    colon = ": " if language == "en" else "："
    lines = [f"- {name}{colon}{escaped(text)}" for name, text in contents.provenance(language).items()]
    return "\n".join([f"## {say('Provenance', language)}", "", *lines])


def results_block(contents: Contents, language: Language = "en") -> str:
    """Return the results of README: the counts, and what became of the programs and of their printed results.

    A program has one row, however many claims are about its running.
    """
    rows = []
    program = {claim.fact: claim for claim in reversed(contents.claims) if claim.kind == "program"}
    for model in contents.models:
        about = [claim for claim in contents.claims if claim.model == model.name]
        for claim in about:
            told = claim.documented is not None or claim.binomial is not None
            chosen = claim.kind == "metric" or claim is program.get(claim.fact)
            if chosen and told and claim.id not in contents.cells:
                rows.append(_result(model.name, claim, language))
        cells = [claim for claim in about if claim.id in contents.cells]
        if cells:
            what = say("the printed table of epochs", language)
            rows.append((_card(model.name), what, wording.cells(cells, language), "", ""))
    headings = [say(name, language) for name in ("model", "what", "documented", "measured", "verdict")]
    summary = wording.capital(wording.summary(contents.claims, language)) + say(".", language)
    return "\n\n".join([summary, table(headings, rows), *_weights(contents, language)])


def _card(model: str) -> str:
    return f"[{model}](docs/models/{model}.md)"


def _weights(contents: Contents, language: Language) -> list[str]:
    """Return the test results of the pretrained weights, in English with the recipe; nothing where there are none."""
    columns = ("test split", "recipe") if language == "en" else ("test split",)
    rows = []
    for name, entry in sorted(contents.weights.items()):
        told = {**wording.weights(entry), "test split": wording.test_split(entry, language)}
        rows.append((_card(name), *(escaped(told.get(column, "")) for column in columns)))
    headings = [say(name, language) for name in ("model", *columns)]
    return [say("The pretrained weights:", language), table(headings, rows)] if rows else []


def _result(model: str, claim: Claim, language: Language) -> tuple[str, ...]:
    in_english = claim.metric if claim.documented is None else claim.gloss
    what = in_english if language == "en" else wording.metric(claim, language)
    values = (wording.documented(claim, language), wording.measured(claim, language))
    return (_card(model), *map(escaped, (what, *values, wording.words(claim.verdict, language))))


def cells_table(contents: Contents, cells: Sequence[Claim], language: Language = "en") -> str:
    """Return the cells of a printed table of epochs as such a table: printed, measured, and the verdict."""
    by_place = {contents.cells[claim.id]: claim for claim in cells}
    metrics = list(dict.fromkeys(metric for metric, _ in by_place))
    rows = [
        (str(epoch), *(_cell(by_place.get((metric, epoch)), language) for metric in metrics))
        for epoch in sorted({epoch for _, epoch in by_place})
    ]
    told = say("Printed, then measured.", language)
    return f"{told}\n\n" + table((say("epoch", language), *map(code, metrics)), rows)


def _cell(claim: Claim | None, language: Language) -> str:
    if claim is None:
        return ""
    printed = text_of(claim.documented)
    if not claim.n:
        return escaped(say("{printed}; not measured", language, printed=printed))
    form = "{printed}; {measured}: {verdict}"
    verdict = wording.words(claim.verdict, language)
    return escaped(say(form, language, printed=printed, measured=wording.number(claim), verdict=verdict))
