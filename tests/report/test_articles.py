"""The pages of the articles: every claim, in the article's order, with links that lead somewhere."""

import dataclasses
import re
from pathlib import Path

import pytest

from kerazoo.report import articles, cards, markdown, wording
from kerazoo.report.answers import answer
from kerazoo.report.languages import LANGUAGES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pages(contents):
    return articles.pages(contents)


def test_there_is_a_page_an_article_and_language_and_each_leads_to_the_other(pages, contents):
    assert len(pages) == len(contents.documents()) * len(LANGUAGES)
    for name, text in pages.items():
        (other,) = re.findall(r"\[(?:English|中文)\]\((.*?)\)", text)
        assert other in pages and other != name and other[:3] == name[:3]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_claim_is_told_under_its_section(contents, language):
    for document in contents.documents():
        text = articles.page(contents, document, language)
        numbers = [
            tuple(map(int, one.split("."))) for one in re.findall(r"(?m)^## (?:Section |第)(\d+(?:\.\d+)*)", text)
        ]
        assert numbers == sorted(numbers)
        for claim in contents.claims:
            if claim.document == document and claim.id not in contents.cells:
                assert text.count(f"../{markdown.claims_file(language)}#{markdown.anchor(claim)})") == 1
                assert markdown.escaped(wording.caveat(claim, language)) in text


def test_the_cells_of_a_printed_table_are_a_table(pages):
    assert len(re.findall(r"(?m)^\| \d+ \| 0\.\d+; ", pages["001.md"])) == 10
    assert len(re.findall(r"(?m)^\| \d+ \| 0\.\d+；", pages["001.zh-CN.md"])) == 10


def test_what_is_right_is_typeset_or_linked(contents):
    changed = {
        "000/mlp-definition": r"h_j = \sigma\left(\sum_i w_{ij} x_i\right)",
        "000/cross-entropy-simplified": r"-\sum_i \left(z",
        "000/program": "programs/corrected.py",
        "000/training-log": "1 < 2",
    }
    claims = [dataclasses.replace(one, correct=changed.get(one.id, "")) for one in contents.claims]
    text = articles.page(dataclasses.replace(contents, claims=tuple(claims)), "000", "zh")
    assert "应为：$`h_j = \\sigma\\left(\\sum_i w_{ij} x_i\\right)`$" in text
    assert "应为：`-\\sum_i \\left(z`" in text  # it breaks off
    assert "修正后的程序：[corrected.py](../programs/corrected.py)" in text
    assert "应为：1 \\< 2" in text


def test_texts_of_the_record_do_not_become_markup(contents):
    claims = tuple(dataclasses.replace(one, answer="", zh={}) for one in contents.claims)
    text = articles.page(dataclasses.replace(contents, claims=claims), "001", "en")
    assert "&lt;script&gt;alert(" in text and "<script>" not in text


def anchors_of(text):
    """The names that links into a Markdown text can lead to: of headings, and those that are written out."""
    headings = re.findall(r"(?m)^#+ (.*)$", text)
    slugs = (re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)
    return {*slugs, *re.findall(r'<a id="([^"]+)">', text)}


def test_every_claim_is_listed_in_each_language_under_an_anchor_of_its_own(contents):
    documents = markdown.claims_documents(contents)
    assert list(documents) == ["claims.md", "claims.zh-CN.md"]
    for text in documents.values():
        anchors = re.findall(r'<a id="([^"]+)">', text)
        assert len(anchors) == len(set(anchors)) == len(contents.claims)
    listed = documents["claims.zh-CN.md"].splitlines()
    rows = {re.findall(r"`(.*?)`", line)[0]: line for line in listed if line.startswith("| <a id=")}
    for claim in contents.claims:
        assert f"**{wording.words(claim.verdict, 'zh')}**" in rows[claim.id]
        assert markdown.escaped(answer(claim, "zh")) in rows[claim.id]


def test_cards_link_to_claims(contents):
    assert "](../claims.md#000-program)" in cards.documents(contents)["toy_mlp"]


DOCUMENTS = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_the_checkout_lead_somewhere(path):
    text = re.sub(r"```.*?```|`[^`]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]*(?:#[^)\s]*)?)\)", text):
        file, _, anchor = target.partition("#")
        if "://" in file:
            continue
        found = path.parent / file if file else path
        assert found.exists(), target
        assert not anchor or anchor in anchors_of(found.read_text(encoding="utf-8")), target


def test_the_translation_of_readme_has_its_programs():
    def blocks(name):
        return re.findall(r"```(?:sh|python)\n.*?```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)

    english, chinese = blocks("README.md"), blocks("README.zh-CN.md")
    assert chinese == [block for block in english if block in chinese] and chinese[:2] == english[:2]
