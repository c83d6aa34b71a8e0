"""The pages in a browser answer as Keras does, split texts as Python does, and write as `kerazoo generate` does."""

import itertools
import json
import os

import keras
import numpy as np
import pytest
from chromium import FOUND, LACKING
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kerazoo
from kerazoo import Vocabulary
from kerazoo.data.imdb import BUILDER, HOST
from kerazoo.data.prepared import prepare
from kerazoo.exporting.html import write_html
from kerazoo.inference.attribution import attention_of
from kerazoo.model_file import Origin, origin_of, set_origin

pytestmark = pytest.mark.skipif(FOUND is None, reason=LACKING)

DIGITS, REVIEWS = ("mnist_mlp", "mnist_mlp_dropout"), ("imdb_lstm", "imdb_transformer")
SOURCE = "tfds" if os.environ.get("TFDS_DATA_DIR") else "sample"
TEXT = "A dull film, zzyzx, but the ending moved me"
CLOSE = {"rtol": 0, "atol": 1e-5}


def probabilities(page, call, inputs, batch=100):
    """Return what a function of the page answers to each input."""
    found = []
    for begin in range(0, len(inputs), batch):
        given = json.dumps(inputs[begin : begin + batch])
        found += page.evaluate(f"{given}.map((one) => Array.from({call}))")
    return np.array(found)


@pytest.mark.parametrize("name", DIGITS)
def test_a_thousand_digits_are_answered_as_keras_answers_them(name, opened):
    x = kerazoo.load_data(name, source=SOURCE).x_test[:1000]
    found = probabilities(opened(name), "probabilitiesOf(one.map((level) => level / 255))", np.rint(x * 255).tolist())
    wanted = kerazoo.build(name, weights="pretrained").predict(x, verbose=0)
    assert (found.argmax(1) == wanted.argmax(1)).all() and len(found) == 1000
    np.testing.assert_allclose(found, wanted, **CLOSE)


@pytest.fixture(scope="module")
def reviews():
    if SOURCE == "sample":
        data = kerazoo.load_data("imdb_lstm", source="sample")
        return [data.vocabulary.decode(row) for row in data.x_test[:500]]
    every = prepare(BUILDER, HOST, None, SOURCE).read("test")
    return [example["text"].decode() for example in itertools.islice(every, 500)]


@pytest.mark.parametrize("name", REVIEWS)
def test_five_hundred_reviews_are_answered_as_keras_answers_them(name, opened, reviews):
    model = kerazoo.build(name, weights="pretrained")
    rows = origin_of(model).vocabulary.encode_rows(reviews, model.inputs[0].shape[1])
    found = probabilities(opened(name), "answerOf(one).probabilities", reviews)
    wanted = model.predict(rows, verbose=0)[:, 0]
    assert ((found[:, 1] > 0.5) == (wanted > 0.5)).all() and len(found) == 500
    np.testing.assert_allclose(found[:, 1], wanted, **CLOSE)


@pytest.mark.parametrize("name", REVIEWS)
def test_a_word_weighs_what_the_log_odds_lose_without_it(name, opened):
    model, page = kerazoo.build(name, weights="pretrained"), opened(name)
    vocabulary = origin_of(model).vocabulary
    page.evaluate(f"box.value = {json.dumps(TEXT)}; ask()")
    page.until("answer.weights")
    row = vocabulary.encode_rows([TEXT], model.inputs[0].shape[1])
    count = len(vocabulary.split(TEXT))
    rows = np.repeat(row, count + 1, axis=0)
    rows[np.arange(count), np.arange(-count, 0)] = vocabulary.unknown
    shares = model.predict(rows, verbose=0)[:, 0].astype(np.float64)
    odds = np.log(shares / (1 - shares)) * np.sign(shares[-1] - 0.5)
    np.testing.assert_allclose(page.evaluate("answer.weights"), odds[-1] - odds[:-1], rtol=0, atol=1e-4)
    assert page.evaluate("document.querySelectorAll('#words .unknown').length") == 1
    if name == "imdb_transformer":
        attention = attention_of(model, row)[0, :, -count:, -count:]
        found = page.evaluate("answer.attention.map((head) => head.map((row) => Array.from(row)))")
        np.testing.assert_allclose(found, attention, **CLOSE)


@pytest.mark.parametrize(("prompt", "temperature", "seed"), [("ROMEO:", 0.8, 7), ("", 1.2, 4_000_000_000), ("Ö", 0, 0)])
@pytest.mark.filterwarnings("ignore:the model does not know 'Ö'")
def test_the_same_seed_writes_the_same_text_as_the_command(prompt, temperature, seed, opened):
    wanted = kerazoo.generate("textgen_lstm", prompt, length=200, temperature=temperature, seed=seed)
    found = opened("textgen_lstm").evaluate(f"generated({json.dumps(prompt)}, 200, {seed}, {temperature})")
    assert found == wanted


def test_a_model_of_words_with_two_lstms_writes_the_same(browser, tmp_path):
    tokens = ("\ufffd", "\n", *"(),.!’", "don't", "go", "home", "now")
    keras.utils.set_random_seed(0)
    layers = [keras.layers.LSTM(8, return_sequences=True), keras.layers.Dropout(0.5), keras.layers.LSTM(8)]
    layers = [keras.layers.Embedding(len(tokens), 4), *layers, keras.layers.Dense(len(tokens), "softmax")]
    model = keras.Sequential([keras.Input((None,), dtype="int32"), *layers])
    set_origin(model, Origin(vocabulary=Vocabulary(tokens, "token")))
    write_html(model, tmp_path / "page.html", name="own")
    page = browser.open(tmp_path / "page.html")
    wanted = kerazoo.generate(model, "go now ", length=100, seed=1)
    assert page.evaluate("generated('go now ', 100, 1, 1)") == wanted


def test_names_from_outside_are_texts(browser, tmp_path):
    hostile = "</script><script>nothing.there()</script><img src=x onerror=alert(1)>"
    model = kerazoo.build("mnist_mlp", units=(2,), num_classes=2)
    set_origin(model, Origin("mnist_mlp", classes=(hostile, "$& {name}")))
    write_html(model, tmp_path / "page.html", name=hostile)
    page = browser.open(tmp_path / "page.html")
    shown = page.evaluate("[...document.querySelectorAll('#bars th')].map((one) => one.textContent)")
    assert shown == [hostile, "$& {name}"]
    assert hostile in page.evaluate("document.title + document.querySelector('footer').textContent")
    assert page.complaints == []


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("Cn", "Cs", "Co"))), min_size=20, max_size=40))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_texts_are_split_as_python_splits_them(opened, texts):
    page = opened("textgen_lstm")
    texts += ["don't <br/>stop", "A<BR />b", "很好看 the film", "x\u0130y ΣΑΣ", "a\x1cb\x85c", "(it’s) [ok]!\n"]
    for unit in ("char", "token", "word", "character"):
        found = page.evaluate(f"{json.dumps(texts)}.map((one) => UNITS.{unit}.split(one))")
        vocabulary = Vocabulary(("", "\ufffd"), unit)
        assert found == [vocabulary.split(one) for one in texts]
