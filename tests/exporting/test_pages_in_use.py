"""The pages in use: strokes by mouse, finger and keyboard, texts typed, both languages, nothing complained of."""

import numpy as np
import pytest
from chromium import FOUND, LACKING
from strokes import STROKES

from kerazoo.data.digits import as_digit

pytestmark = pytest.mark.skipif(FOUND is None, reason=LACKING)

ONE_OF_EACH = ("mnist_mlp", "imdb_transformer", "textgen_lstm")
PHONE = 390  # CSS pixels


def test_a_review_can_be_typed_and_its_words_walked(browser, written):
    page = browser.open(written("imdb_lstm"))
    page.until("answer && answer.weights")
    page.evaluate("box.focus(); box.select()")
    page.call("Input.insertText", text="An awful, boring mess")
    page.until("answer.weights && answer.tokens.length === 4")
    assert page.evaluate("$('answer').textContent").startswith("negative, probability")
    page.until("$('announced').textContent.includes('Most weight, by occlusion')")
    page.evaluate("list.firstChild.focus()")
    page.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "awful"
    assert page.evaluate("$('chosen').textContent").startswith("“awful” speaks for the answer: +")
    page.evaluate("box.value = 'zzyzx zzyzx'; ask()")
    assert page.evaluate("$('answer').textContent") == "The model knows none of these words."
    page.evaluate("box.value = ''; ask()")
    assert page.evaluate("$('answer').textContent") == "Type something."


def test_a_text_is_written_goes_on_and_can_be_stopped(browser, written):
    page = browser.open(written("textgen_lstm"))
    page.evaluate("form.elements.count.value = 30; form.requestSubmit()")
    page.until("left === 0")
    page.evaluate("$('more').click()")
    page.until("left === 0")
    assert page.evaluate("$('written').textContent === generated('ROMEO:', 60, 0, 0.8)")
    assert page.evaluate("$('status').textContent") == "60 characters written."
    page.evaluate("form.elements.count.value = 100000; form.requestSubmit(); form.elements.prompt.value = 'Ö'")
    page.settle()
    page.evaluate("$('stop').click()")
    assert 6 < page.evaluate("$('written').textContent.length") < 100000
    page.evaluate("form.elements.count.value = 1; form.requestSubmit()")
    page.until("left === 0")
    assert "does not know Ö" in page.evaluate("$('status').textContent")


def placed(page, stroke):
    """Return the points of a stroke on the canvas, in CSS pixels."""
    left, top, width = page.evaluate("(({ left, top, width }) => [left, top, width])(canvas.getBoundingClientRect())")
    return [(left + width * (0.25 + 0.5 * x), top + width * (0.15 + 0.7 * y)) for x, y in stroke]


def seen_and_drawn(page):
    """Return the 784 pixels that the model sees, and what `kerazoo predict` makes of the same drawing."""
    page.settle()
    alpha = page.evaluate("Array.from(pen.getImageData(0, 0, 280, 280).data.filter((_, k) => k % 4 === 3))")
    drawing = np.pad(np.reshape(alpha, (280, 280)), 8)  # on an empty ground
    return np.array(page.evaluate("Array.from(pixels)")), as_digit(drawing, "drawing")


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_is_drawn_with_the_mouse_and_read(digit, opened):
    page = opened("mnist_mlp_dropout")
    page.evaluate("clear()")
    for stroke in STROKES[digit]:
        first, *others = placed(page, stroke)
        page.mouse("mousePressed", *first)
        for point in others:
            page.mouse("mouseMoved", *point)
        page.mouse("mouseReleased", *others[-1])
    seen, wanted = seen_and_drawn(page)
    np.testing.assert_allclose(seen, wanted, rtol=0, atol=1e-6)
    assert page.evaluate("$('answer').textContent").startswith(f"It reads {digit}, probability")
    assert page.evaluate("$('bars').querySelector('.best').textContent").startswith(str(digit))


def test_a_finger_draws_and_does_not_scroll(browser, written):
    page = browser.open(written("mnist_mlp"), width=PHONE, height=500)
    (stroke,) = STROKES[7]
    first, *others = placed(page, stroke)
    page.touch("touchStart", first)
    for point in others:
        page.touch("touchMove", point)
    page.touch("touchEnd")
    seen, wanted = seen_and_drawn(page)
    np.testing.assert_allclose(seen, wanted, rtol=0, atol=1e-6)
    assert page.evaluate("[bestOf(probabilities), scrollY]") == [7, 0]


def test_the_keyboard_draws_undoes_and_clears(browser, written):
    page = browser.open(written("mnist_mlp"))
    page.evaluate("canvas.focus()")
    page.press(" ", *["ArrowRight"] * 6, " ", " ", *(["ArrowDown"] * 4 + ["ArrowLeft"]) * 3, " ")
    page.settle()
    assert page.evaluate("bestOf(probabilities)") == 7
    assert page.evaluate("[$('placed').textContent, strokes.length]") == ["Pen up", 2]
    page.until("$('announced').textContent.includes('It reads 7')")
    page.press("u")
    assert page.evaluate("strokes.length") == 1
    page.press("Delete")
    page.settle()
    assert page.evaluate("[$('answer').textContent, $('clear').disabled]") == ["Nothing is drawn yet.", True]


USE = {
    "mnist_mlp": "strokes = [[[80, 60], [200, 60], [130, 240]]]; changed()",
    "imdb_transformer": "box.value = 'An unforgettable film'; ask(); choose(1)",
    "textgen_lstm": "form.requestSubmit()",
}


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_page_speaks_the_browsers_language_and_the_other_and_fits_a_phone(name, language, browser, written):
    page = browser.open(written(name), width=PHONE, height=844, language=language, dark=language != "en")
    for spoken in (language, "zh-CN" if language == "en" else "en"):
        assert page.evaluate("document.documentElement.lang") == spoken
        page.evaluate(USE[name])
        page.settle()
        told = page.evaluate("document.title + document.querySelector('h1').textContent")
        assert page.evaluate("[...document.querySelectorAll('[data-text]')].every((one) => one.textContent)")
        assert any("\u4e00" <= letter <= "\u9fff" for letter in told) is (spoken != "en")
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE
        other = "en" if spoken != "en" else "zh"
        page.evaluate(f"document.querySelector('[data-language={other}]').click()")
    assert page.complaints == []
    assert page.requests == [written(name).as_uri()]


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_everything_that_takes_the_focus_has_a_name(name, opened):
    page = opened(name)
    page.call("Accessibility.enable")
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]

    def is_focusable(node):
        return any(one["name"] == "focusable" and one["value"]["value"] for one in node.get("properties", ()))

    names = [node["name"]["value"] for node in nodes if is_focusable(node) and not node["ignored"]]
    assert len(names) > 3 and all(names)


def test_an_error_is_noticed(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<!DOCTYPE html><title>x</title><script>nothing.there()</script>")
    assert browser.open(path).complaints
