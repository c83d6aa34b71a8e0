"""The page: whole, escaped, alone, and in accord with the verdicts."""

from collections import Counter
from html.parser import HTMLParser

import pytest

from kerazoo.report import curves, pictures
from kerazoo.report.contents import gather
from kerazoo.report.elements import Markup, element, prose
from kerazoo.report.page import page

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
            assert attributes.get(name, "#").startswith(("#", "data:"))
    style = read.named("meta")[1]["content"]
    assert style.startswith("default-src 'none'")


def test_every_picture_has_a_text(read):
    assert all(attributes.get("alt") for attributes in read.named("img"))
    drawn = read.named("svg")
    assert len(drawn) >= 4 + 2 + 2  # imdb_lstm, mnist_mlp, attention
    assert all(len(attributes["aria-label"]) > 20 for attributes in drawn)
    assert len({attributes["aria-label"] for attributes in drawn}) == len(drawn)


def test_the_verdicts_are_all_there_and_counted(read, contents):
    rows = {attributes["id"]: attributes["data-verdict"] for attributes in read.named("tr") if "id" in attributes}
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
    assert "Seed 1, temperature 1" in pictures.generated_text(found)[0]


def test_a_record_without_rows_gives_a_page(write_record, tmp_path):
    read = Reader(page(gather(record=tmp_path)))
    verdicts = {attributes["data-verdict"] for attributes in read.named("tr") if "id" in attributes}
    assert verdicts == {"not_measured"}
    assert not read.unbalanced


def test_printed_numbers_stand_against_measured_ones(contents):
    training = next(one for one in curves.TRAININGS if one.model == "imdb_lstm")
    printed = contents.printed_curves(training.experiment)
    assert set(printed) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert all(list(points) == list(range(1, 11)) for points in printed.values())
    drawn = curves.training_curves(contents, training)
    assert len(drawn) == 4
    assert "Measured, mean of 3: 0.501 at first, 0.541 at last. Printed: 0.4455 at first" in drawn[0]


def test_an_unfinished_training_is_drawn_as_far_as_it_goes(write_record):
    short = {"imdb_lstm_training": (lambda seed: {"history": {"loss": [0.5, 0.4][: 2 - seed]}}, 2)}
    training = next(one for one in curves.TRAININGS if one.model == "imdb_lstm")
    drawn = curves.training_curves(gather(record=write_record(**short)), training)
    assert "Measured, mean of 2: 0.5 at first" in drawn[0]


def test_attention_is_that_of_the_formula():
    formula, example = pictures.attention_pictures()
    assert "q3=0: 0.333, 0.333, 0.333" in formula  # a query of zero weighs all keys alike
    assert "0.576, 0.212, 0.212" in example  # e, 1, 1 over their sum


def test_elements_escape():
    assert element("p", "<&>", title='"<') == '<p title="&quot;&lt;">&lt;&amp;&gt;</p>'
    assert element("p", Markup("<b>x</b>"), None, ["<"]) == "<p><b>x</b>&lt;</p>"
    assert prose("a `<b>` c") == "a <code>&lt;b&gt;</code> c"
    assert prose("a ` b") == "a ` b"
