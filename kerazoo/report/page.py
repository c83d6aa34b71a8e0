"""The report as one HTML page that asks nothing of the network."""

from __future__ import annotations

from importlib import resources
from typing import Any

import kerazoo
from kerazoo.ledger.entries import is_number
from kerazoo.report import curves, pictures, wording
from kerazoo.report.contents import Contents
from kerazoo.report.elements import Markup, element, prose
from kerazoo.schema import Claim, Verdict

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_SECTIONS = {
    "curves": "Curves",
    "statements": "Optimizers and activations",
    "digits": "Mistaken digits",
    "attention": "Attention weights",
    "text": "Generated text",
    "programs": "Printed programs",
    "verdicts": "Verdicts",
}


def page(contents: Contents) -> str:
    """Return the report as HTML."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("link", rel="icon", href="data:,"),
        element("title", "kerazoo: documented results, measured"),
        element("style", _asset("page.css")),
    )
    filled = {
        "curves": _curves(contents),
        "statements": _statements(contents),
        "digits": pictures.digit_mistakes(contents),
        "attention": _attention(),
        "text": pictures.generated_text(contents),
        "programs": _programs(contents),
        "verdicts": _verdicts(contents),
    }
    sections = [
        element("section", element("h2", title), filled[name], id=name)
        for name, title in _SECTIONS.items()
        if filled[name]
    ]
    links = [element("li", element("a", title, href=f"#{name}")) for name, title in _SECTIONS.items() if filled[name]]
    body = element(
        "body",
        element("header", _opening(contents), element("nav", element("ul", links), aria_label="Sections")),
        element("main", sections),
        element("footer", _closing(contents)),
        element("script", _asset("page.js")),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _asset(name: str) -> Markup:
    return Markup(resources.files("kerazoo.report").joinpath(name).read_text(encoding="utf-8"))


def _opening(contents: Contents) -> list[Markup]:
    found = wording.counts(contents.claims)
    documents = len({claim.document for claim in contents.claims})
    items = [
        element(
            "li",
            element("b", count, class_=verdict, data_count=verdict),
            element("a", wording.words(verdict), href="#verdicts", data_choose=verdict),
            element("small", wording.MEANINGS[verdict]),
        )
        for verdict, count in found.items()
    ]
    return [
        element("h1", "Documented results, measured"),
        element(
            "p",
            f"{documents} articles on large models print programs, formulas and numbers. Of the {len(contents.claims)} "
            "claims that can be checked, this is what became of each.",
        ),
        element("ul", items, class_="counts"),
    ]


def _curves(contents: Contents) -> list[Markup]:
    parts = [
        element(
            "p",
            "Thin lines: seeds. Thick line: their mean. Band: its 95 % interval (Student's t). Dots: what the document "
            "prints, where it prints a curve.",
        )
    ]
    for training in curves.TRAININGS:
        parts.append(element("h3", element("code", training.model)))
        if training.remark:
            parts.append(element("p", training.remark, class_="soft"))
        parts.append(element("div", curves.training_curves(contents, training), class_="plots"))
    return parts


def _statements(contents: Contents) -> list[Markup]:
    plots = curves.optimizer_curves(contents) + curves.gradient_curves(contents)
    return [element("div", plots, class_="plots")] if plots else []


def _attention() -> list[Markup]:
    return [
        element(
            "p",
            "Three positions of one number each, as in document 001, section 4.3, with numbers put in for its "
            "letters. By the formula of section 4.1 each query weighs every key; by the example's Output each position "
            "is weighed by its own query and key alone.",
        ),
        element("div", pictures.attention_pictures(), class_="plots"),
    ]


def _programs(contents: Contents) -> list[Markup]:
    parts: list[Any] = []
    for claim in contents.claims:
        if claim.kind != "program":
            continue
        of_model = f", the program of {claim.model}" if claim.model else ""
        parts.append(element("h3", f"Document {claim.document}, section {claim.section}{of_model}"))
        parts.append(element("p", _badge(claim.verdict), " ", prose(claim.note)))
        repairs = [
            element(
                "li",
                element("strong", one.what),
                f": {one.why}" if one.why else None,
                element("div", "Without it ", element("code", one.call), f" fails: {one.error}", class_="soft")
                if one.call
                else None,
            )
            for one in wording.repairs(claim)
        ]
        parts.append(element("ol", repairs) if repairs else None)
    return [part for part in parts if part is not None]


def _verdicts(contents: Contents) -> list[Markup]:
    headings = ("Claim", "Documented", "Measured", "Verdict", "Why")
    columns = [element("col", class_=name) for name in ("claim", "value", "value", "verdict", "why")]
    head = element("tr", [element("th", element("button", name, type="button"), scope="col") for name in headings])
    return [
        _filter(contents),
        element(
            "table",
            element("colgroup", columns),
            element("thead", head),
            element("tbody", [_row(claim) for claim in contents.claims]),
            class_="verdicts",
        ),
    ]


def _filter(contents: Contents) -> Markup:
    fields = {name: sorted({str(getattr(claim, name)) for claim in contents.claims}) for name in _FILTERS}
    choices = [
        element(
            "label",
            name,
            element(
                "select",
                element("option", "all", value=""),
                [element("option", wording.words(value), value=value) for value in values if value],
                name=name,
            ),
        )
        for name, values in fields.items()
    ]
    text = element("label", "text", element("input", type="search", name="text", autocomplete="off"))
    return element("form", choices, text, element("output"), class_="filter", hidden=True)


_FILTERS = ("verdict", "document", "model", "kind")


def _row(claim: Claim) -> Markup:
    quoted = element("q", claim.quote, lang="zh") if claim.quote else None
    return element(
        "tr",
        element(
            "td",
            element("a", claim.id, class_="id", href=f"#{claim.id}"),
            element("span", claim.gloss, " ", element("small", quoted, f" §{claim.section}")),
            data_sort=claim.id,
        ),
        element("td", wording.documented(claim), data_label="Documented", data_sort=_number(claim.documented)),
        element("td", wording.measured(claim), data_label="Measured", data_sort=_number(claim.measured)),
        element("td", _badge(claim.verdict), data_label="Verdict"),
        element("td", prose(claim.note or claim.reason), _details(claim), data_label="Why"),
        id=claim.id,
        **{f"data_{name}": str(getattr(claim, name)) for name in _FILTERS},
    )


def _number(value: Any) -> Any:
    """Return a number as it is, to sort by, and None for anything else."""
    return value if is_number(value) else None


def _details(claim: Claim) -> Markup:
    lines: dict[str, Any] = {
        "Measured is": claim.metric,
        "Tolerance": f"{claim.tolerance:g} {claim.unit}".strip() if claim.tolerance else "",
        "Rule": claim.reason,
        "Design": claim.design,
        "Test-set error": wording.test_error(claim),
        "Provenance": wording.provenance(claim),
    }
    pairs = [(element("dt", name), element("dd", prose(text))) for name, text in lines.items() if text]
    return element("details", element("summary", "how"), element("dl", pairs))


def _badge(verdict: Verdict) -> Markup:
    return element("span", wording.words(verdict), class_=f"badge {verdict}")


def _closing(contents: Contents) -> list[Markup]:
    lines = {**contents.provenance(), "Rendered by": f"kerazoo {kerazoo.__version__}"}
    told = [(element("dt", name), element("dd", text)) for name, text in lines.items()]
    return [element("h2", "Provenance"), element("dl", told)]
