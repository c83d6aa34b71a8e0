"""The pages in a real browser, where there is one: no error on the console, every verdict, no scrolling sideways."""

import html as markup
import re
import subprocess

import numpy as np
import pytest
from chromium import FOUND, LACKING

from kerazoo.report import predictions_html
from kerazoo.schema import Prediction

pytestmark = pytest.mark.skipif(FOUND is None, reason=LACKING)

PHONE = 390  # CSS pixels
FRAME = """<!DOCTYPE html><title>not loaded</title><body>
<iframe style="width: {width}px; height: 800px; border: 0" srcdoc="{page}" onload="
  const root = contentDocument.documentElement;
  document.title = root.clientWidth < {width} - 30 ? 'too narrow' : `${{root.scrollWidth - root.clientWidth}} too wide`
"></iframe>"""


@pytest.fixture
def browse(tmp_path):
    """Return a function that opens a page and returns its DOM and what the console said."""

    def open_page(text):
        path = tmp_path / "page.html"
        path.write_text(text, encoding="utf-8")
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"]
        options += [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1280,900", "--virtual-time-budget=5000"]
        done = subprocess.run([FOUND, *options, path.as_uri()], capture_output=True, text=True, timeout=60, check=True)
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    return open_page


def test_the_page_opens_without_an_error_and_shows_every_verdict(browse, html, contents):
    dom, console = browse(html)
    assert console == []
    assert len(re.findall(r'<tr id="[^"]+" data-verdict=', dom)) == len(contents.claims)
    assert f"{len(contents.claims)} of {len(contents.claims)} claims</output>" in dom  # the script has run


def test_numbers_are_sorted_as_numbers_and_before_texts(browse, html):
    click = "<script>document.querySelectorAll('th button')[1].click()</script></body>"
    dom, console = browse(html.replace("</body>", click))
    assert console == []
    cells = re.findall(r'<td data-label="Documented"(?: data-sort="([^"]*)")?>', dom)
    numbers = [float(one) for one in cells if one]
    assert len(numbers) > 40 and numbers == sorted(numbers) != sorted(numbers, key=str)
    assert all(cells[: len(numbers)]) and not any(cells[len(numbers) :])


def test_an_error_on_the_console_is_noticed(browse):
    _, console = browse("<!DOCTYPE html><title>x</title><script>nothing.there()</script>")
    assert console


@pytest.mark.parametrize("name", ["report.html", "report.zh-CN.html"])
def test_a_phone_does_not_scroll_sideways(browse, html_pages, name):
    dom, _ = browse(FRAME.format(width=PHONE, page=markup.escape(html_pages[name])))
    assert "<title>0 too wide</title>" in dom


def test_what_is_too_wide_is_noticed(browse):
    dom, _ = browse(FRAME.format(width=PHONE, page=markup.escape("<p style='width: 500px'>wide</p>")))
    assert "<title>0 too wide</title>" not in dom


def test_a_digit_is_shown_square(browse, tmp_path):
    seen = Prediction(
        "7.png", "7", 1.0, {str(k): float(k == 7) for k in range(10)}, pixels=np.zeros((28, 28), "float32")
    )
    with predictions_html.written(tmp_path / "7.html", "mnist_mlp", iter([seen])) as found:
        list(found)
    page = (tmp_path / "7.html").read_text(encoding="utf-8")
    measure = (
        "<script>document.title = `${document.images[0].clientWidth} x ${document.images[0].clientHeight}`</script>"
    )
    dom, console = browse(page.replace("</body>", f"{measure}</body>"))
    assert console == []
    width, height = map(int, re.search(r"<title>(\d+) x (\d+)</title>", dom).groups())
    assert width == height > 100
