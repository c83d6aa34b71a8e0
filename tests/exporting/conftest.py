"""The pages of the packaged models in a browser; small models of the zoo, and each in each format, made once."""

import keras
import pytest
from chromium import chromium

import kerazoo
from kerazoo.exporting.api import FORMATS
from kerazoo.exporting.html import write_packaged
from kerazoo.lazy import installed

SMALL = {
    "imdb_lstm": {"vocab_size": 500, "embedding_dim": 16, "units": 16},
    "imdb_transformer": {"vocab_size": 500},
    "textgen_lstm": {"units": 16, "embedding_dim": 16},
    "attention_block": {"num_heads": 2, "causal": True, "padding_mask": True, "return_weights": True},
}


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


@pytest.fixture(scope="module")
def no_real_data(tmp_path_factory):
    """Compare on the embedded samples, which take no time to read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFDS_DATA_DIR", str(tmp_path_factory.mktemp("nothing")))
        yield


@pytest.fixture(scope="session")
def model():
    """Return a function: a model of the zoo with fresh weights, far enough from each other to tell answers apart."""
    built = {}

    def build(name):
        if name not in built:
            built[name] = kerazoo.build(name, seed=1, **SMALL.get(name, {}))
        return built[name]

    return build


@pytest.fixture(scope="session")
def exported(model, tmp_path_factory):
    """Return a function: what exporting a model of the zoo in a format came to."""
    folder, written = tmp_path_factory.mktemp("exported"), {}

    def export(name, form):
        if missing := [one for one in FORMATS[form].needs if not installed(one)]:
            pytest.skip(f"{', '.join(missing)} is not installed")
        if keras.backend.backend() not in FORMATS[form].backends:
            pytest.skip(f"not with Keras on {keras.backend.backend()}")
        if (name, form) not in written:
            path = folder / f"{name}{FORMATS[form].suffix or '.saved'}"
            written[name, form] = kerazoo.export(model(name), path, format=form)
        return written[name, form]

    return export
