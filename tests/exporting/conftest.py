"""A browser, and the pages of the packaged models in it."""

import pytest
from chromium import chromium

from kerazoo.exporting.html import write_packaged


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return a function: the path of the page of a packaged model."""
    folder = tmp_path_factory.mktemp("pages")

    def write(name):
        path = folder / f"{name}.html"
        if not path.exists():
            write_packaged(name, path)
        return path

    return write


@pytest.fixture(scope="module")
def opened(browser, written):
    """Return a function: the page of a packaged model, opened once."""
    pages = {}

    def open_page(name):
        if name not in pages:
            pages[name] = browser.open(written(name))
        return pages[name]

    return open_page
