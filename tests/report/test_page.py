"""The page: whole, escaped, alone, and in accord with the verdicts."""

import re
from collections import Counter
from html.parser import HTMLParser

import pytest

from kerazoo.ledger.documents import Figure
from kerazoo.ledger.study import load_study
from kerazoo.report import formulas, stories, wording
from kerazoo.report.answers import answer
from kerazoo.report.contents import gather
from kerazoo.report.figures import drawn
from kerazoo.report.languages import is_chinese
from kerazoo.report.page import page, prose

EMPTY = {"meta", "link", "img", "input", "col"}


class Reader(HTMLParser):
    """Collects the elements of a page and complains of tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.unbalanced = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def named(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def read(html):
    return Reader(html)


def test_tags_match_and_ids_are_unique(read):
    assert not read.unbalanced
    assert not read.open
    ids = Counter(attributes["id"] for _, attributes in read.elements if "id" in attributes)
    assert [name for name, count in ids.items() if count > 1] == []


def test_texts_of_the_record_do_not_become_markup(read, html):
    assert len(read.named("script")) == 1  # the page's own
    assert "<img src=http" not in html
    assert html.count("&lt;script&gt;alert(") >= 4  # sample, note, call, reason


def test_nothing_is_asked_of_the_network(read):
    for _, attributes in read.elements:
        for name in ("src", "href", "xlink:href", "action", "srcset"):
            assert attributes.get(name, "#").startswith(("#", "data:")) or attributes[name] == "report.zh-CN.html"
    style = read.named("meta")[1]["content"]
    assert style.startswith("default-src 'none'")


def test_every_picture_has_a_text(read):
    assert all(attributes.get("alt") for attributes in read.named("img"))
    drawn = read.named("svg")
    assert len(drawn) >= 4 + 2 + 2  # imdb_lstm, mnist_mlp, attention
    assert all(len(attributes["aria-label"]) > 20 for attributes in drawn)
    assert len({attributes["aria-label"] for attributes in drawn}) == len(drawn)


def test_the_verdicts_are_all_there_and_counted(read, contents):
    rows = {
        attributes["id"]: attributes["data-verdict"] for attributes in read.named("tr") if "data-verdict" in attributes
    }
    assert rows == {claim.id: str(claim.verdict) for claim in contents.claims}
    counted = {attributes["data-count"] for attributes in read.named("b")}
    assert counted == set(rows.values())


def test_cells_with_numbers_sort_by_them(read, contents):
    raw = [attributes.get("data-sort") for attributes in read.named("td") if attributes.get("data-label") == "Measured"]
    measured = [claim.measured for claim in contents.claims]
    assert raw == [None if one is None or isinstance(one, (bool, str, list)) else str(one) for one in measured]
    assert any(raw)


def test_a_generated_text_is_told_with_its_seed(write_record):
    values = {0: {"word_share": 0.5}, 1: {"sample": "To be"}}
    found = gather(record=write_record(textgen_lstm_training=(values.__getitem__, 2)))
    figure = next(one for one in found.figures if one.kind == "text")
    assert drawn(found, figure).story == "Seed 1."


def test_a_record_without_rows_gives_a_page(write_record, tmp_path):
    read = Reader(page(gather(record=tmp_path)))
    verdicts = {attributes["data-verdict"] for attributes in read.named("tr") if "data-verdict" in attributes}
    assert verdicts == {"not_measured"} | {entry.finding for entry in load_study().entries if entry.rule == "source"}
    assert not read.unbalanced


def curves_of(contents, experiment):
    return drawn(
        contents, next(one for one in contents.figures if one.experiment == experiment and one.kind == "curves")
    )


def test_printed_numbers_stand_against_measured_ones(contents):
    printed = contents.printed_curves("imdb_lstm_training")
    assert set(printed) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert all(list(points) == list(range(1, 11)) for points in printed.values())
    plots = curves_of(contents, "imdb_lstm_training").plots
    assert len(plots) == 4
    told = "Measured, training loss only rises, from 0.501 to 0.541; the printed one goes from 0.4455 to "
    assert plots[0].story.startswith(told) and plots[0].story in plots[0].svg


def test_an_unfinished_training_is_drawn_as_far_as_it_goes(write_record):
    short = {"imdb_lstm_training": (lambda seed: {"history": {"loss": [0.5, 0.4][: 2 - seed]}}, 2)}
    plots = curves_of(gather(record=write_record(**short)), "imdb_lstm_training").plots
    assert plots[0].story.startswith("Measured, training loss is 0.5;")


@pytest.mark.parametrize(
    ("label", "curve", "told"),
    [
        ("test loss", [0.5, 0.4, 0.9, 1.2], "falls from 0.5 to 0.4 in epoch 2, then rises to 1.2, 3.0 times its best"),
        ("test accuracy", [0.7, 0.8, 0.85], "rises from 0.7 to 0.85"),
        ("test accuracy", [0.8, 0.7], "only falls, from 0.8 to 0.7"),
    ],
)
def test_a_curve_tells_its_story(label, curve, told):
    assert stories.of_curve(label, [curve, curve], {}) == f"Measured, {label} {told}."


def test_pictures_tell_what_to_see():
    assert stories.of_confusion([[9, 1], [0, 10]]).startswith("1 of 20 are mistaken; most often a 0 is read as a 1")
    assert stories.of_lines({"a": [[1, 2]], "b": [[5, 4]]}) == "After the last epoch: b 4, a 2."
    assert "a has 50 times as much as b" in stories.of_lines({"a": [[5, 4]], "b": [[0.1, 4]]}, at_end=False)


def test_attention_tells_what_each_row_weighs_most(contents):
    figure = next(one for one in contents.figures if one.kind == "weights")
    assert drawn(contents, figure).plots[0].story == "q1=1 weighs k2=2 most (0.700); q2=0 weighs all alike."


def test_verdicts_come_before_curves_and_empty_sections_are_left_out(html, write_record):
    assert 0 < html.index('id="verdicts"') < html.index('id="curves"') < html.index('id="programs"')
    bare = page(gather(record=write_record(mnist_mlp_training=(lambda seed: {"accuracy": 0.9}, 1))))
    assert not any(f'id="{name}"' in bare for name in ("mistaken-digits", "generated-text", "programs"))


def test_each_row_tells_why_in_a_sentence_and_stands_under_its_article(contents, html):
    rows = re.findall(r'<tr id="([^"]+)" data-verdict.*?data-label="Why"><p>(.*?)</p>', html, re.DOTALL)
    assert rows == [(claim.id, str(prose(answer(claim)))) for claim in contents.claims]
    for document in contents.documents():
        assert html.index(f'id="article-{document}"') < html.index(f'<tr id="{document}/')


def test_the_page_in_chinese_tells_the_same_in_chinese(contents, html_pages, html):
    (name, english), (other, chinese) = html_pages.items()
    assert (name, other) == ("report.html", "report.zh-CN.html")
    assert f'href="{other}"' in english and f'href="{name}"' in chinese
    read = Reader(chinese)
    assert not read.unbalanced and not read.open
    assert read.named("html") == [{"lang": "zh-CN"}]
    assert [one.get("data-verdict") for one in read.named("tr")] == [
        one.get("data-verdict") for one in Reader(html).named("tr")
    ]
    counted = re.findall(r'data-count="\w+">(\d+)</b>', chinese)
    assert counted == [str(count) for count in wording.counts(contents.claims).values()]
    headings = re.findall(r"<h2>(.*?)</h2>", chinese) + re.findall(r'<button type="button">(.*?)<', chinese)
    assert len(headings) > 8 and all(map(is_chinese, headings))


def test_formulas_are_typeset(contents, html):
    printed = [claim.quote for claim in contents.claims if claim.kind != "program"]
    quotes = [*filter(formulas.is_latex, printed), *filter(formulas.is_latex, (one.correct for one in contents.claims))]
    assert len(quotes) > 10
    for quote in quotes:
        typeset = formulas.mathml(quote)
        assert not Reader(typeset).unbalanced and "\\" not in typeset
        assert typeset in html
    assert formulas.mathml(r"\frac{a}{b_1^2}") == (
        "<math><mfrac><mrow><mi>a</mi></mrow><mrow><msubsup><mi>b</mi><mn>1</mn><mn>2</mn></msubsup></mrow></mfrac></math>"
    )
    cases = formulas.mathml(r"\begin{cases} 1, & i = c \\ 0, & i \ne \mathbb{R}_{\mathrm{max}} \end{cases}")
    assert cases.count("<mtr>") == 2 and cases.count("<mtd>") == 4 and "<msub><mi>ℝ</mi><mrow><mi>max</mi>" in cases
    assert formulas.mathml("<b>") == "<math><mo>&lt;</mo><mi>b</mi><mo>&gt;</mo></math>"


def test_code_is_escaped():
    assert prose("a `<b>` c") == "a <code>&lt;b&gt;</code> c"
    assert prose("a ` b<") == "a ` b&lt;"


def test_a_figure_of_what_was_not_measured_is_left_out(contents):
    assert drawn(contents, Figure("", "digits", "optimizers_vs_sgd", "none", paths=["nothing"])) is None
    assert drawn(contents, Figure("", "lines", "optimizers_vs_sgd", "none", lines={"a": "b"})) is None
