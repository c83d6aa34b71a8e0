"""Pages of models without a browser: what they hold, that they are whole, and which models have none."""

import re
import subprocess
import sys
import tomllib
import webbrowser
from importlib import resources

import keras
import numpy as np
import pytest

import kerazoo
from kerazoo import InputError, NotFiniteError, Vocabulary
from kerazoo.cli import main
from kerazoo.exporting.html import page, write_html, write_packaged
from kerazoo.exporting.html.arrays import embedded
from kerazoo.exporting.html.content import content_of, content_of_packaged
from kerazoo.model_file import Origin, set_origin
from kerazoo.weights import manifest

PACKAGE = resources.files("kerazoo.exporting.html")
TEXTS = tomllib.loads(PACKAGE.joinpath("texts.toml").read_text(encoding="utf-8"))
TEMPLATES = {one.name: one.read_text(encoding="utf-8") for one in PACKAGE.joinpath("templates").iterdir()}
ALL_TEXTS = [
    pytest.param(told, id=f"{kind}-{key}") for kind in ("page", *page._SCRIPTS) for key, told in TEXTS[kind].items()
]
WORDS = Vocabulary(("", "\ufffd", *"abcd"), "word")


def tree(value, to):
    """Return `value` with what `to` makes of its arrays."""
    if isinstance(value, dict):
        return {key: tree(one, to) for key, one in value.items()}
    if isinstance(value, list):
        return [tree(one, to) for one in value]
    return to(value) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("name", sorted(manifest()))
def test_a_packaged_model_is_the_same_with_and_without_keras(name):
    found, wanted = content_of_packaged(name), content_of(kerazoo.build(name, weights="pretrained"), name)
    for to in (np.shape, np.ndarray.tolist):
        assert tree(found, to) == tree(wanted, to)


def test_layers_without_bias_and_with_adapters_have_the_arrays_that_they_compute_with():
    plain = keras.layers.Dense(8, activation="relu", use_bias=False)
    adapted = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((784,)), plain, adapted])
    adapted.enable_lora(2)
    adapted.lora_kernel_b.assign(keras.ops.ones(adapted.lora_kernel_b.shape))
    first, second = content_of(model, "x")["layers"]
    assert not first["bias"].any() and first["bias"].shape == (8,)
    for found, layer in ((first, plain), (second, adapted)):
        np.testing.assert_array_equal(found["kernel"], keras.ops.convert_to_numpy(layer.kernel))


@pytest.mark.parametrize("name", sorted(manifest()))
def test_a_page_is_small_and_names_no_address(name, tmp_path):
    write_packaged(name, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert 100_000 < len(text.encode()) < 5_000_000
    assert "default-src 'none'" in text
    shown = re.sub(r'<script id="model".*?</script>', "", text, flags=re.DOTALL)
    assert not re.search(r"https?://|url\(|@import|fetch\(|XMLHttpRequest", shown)


@pytest.mark.parametrize("told", ALL_TEXTS)
def test_both_languages_say_the_same_with_the_same_values(told):
    assert set(told) == {"en", "zh"}
    assert set(re.findall(r"\{\w+\}", told["en"])) == set(re.findall(r"\{\w+\}", told["zh"]))
    assert not re.search(r"[\u3000-\u9fff\uff00-\uffef]", told["en"])
    assert re.search(r"[\u3000-\u9fff]", told["zh"])


def of_templates(kind):
    """Return the templates of a kind of page as one text."""
    return "".join(TEMPLATES[one] for one in ("page.html.j2", f"{kind}.html.j2", *page._SCRIPTS[kind]))


@pytest.mark.parametrize("kind", page._SCRIPTS)
def test_what_a_page_says_stands_in_the_texts(kind):
    said = set(re.findall(r'\b(?:say\(|text\(|data-label=|data-text=)"([\w-]+)"', of_templates(kind)))
    assert len(said) > 10 and said <= set(TEXTS["page"]) | set(TEXTS[kind])


@pytest.mark.parametrize("section", ["page", *page._SCRIPTS])
def test_what_stands_in_the_texts_is_said(section):
    used = "".join(map(of_templates, page._SCRIPTS)) if section == "page" else of_templates(section)
    said = set(re.findall(r'"([\w-]+)"', used)) | {"limits-characters"} | set(TEXTS["examples"])
    beginnings = tuple(re.findall(r"`(\w+-)\$\{", used))
    assert [key for key in TEXTS[section] if key not in said and not key.startswith(beginnings)] == []


def luminance(colour):
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(*colours):
    """Return the ratio of the Web Content Accessibility Guidelines."""
    darker, lighter = sorted(map(luminance, colours))
    return (lighter + 0.05) / (darker + 0.05)


def mixed(shade, ground, depth):
    """Return the colour of a `shade`, as "red, green, blue", so deep on its `ground`."""
    parts = [int(ground[place : place + 2], 16) for place in (1, 3, 5)]
    shares = zip(map(int, shade.split(",")), parts, strict=True)
    return "#" + "".join(f"{round(depth * one + (1 - depth) * under):02x}" for one, under in shares)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_what_is_written_stands_out_from_its_ground(scheme):
    rules = re.findall(r":root \{(.*?)\}", TEMPLATES["page.css"], re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w{6});", rules[scheme]))
    for ink, ground in (("ink", "paper"), ("ink", "panel"), ("soft", "paper"), ("on-accent", "accent")):
        assert contrast(colours[ink], colours[ground]) >= 4.5
    shades = dict(re.findall(r"--(for|against): (\d+, \d+, \d+);", rules[scheme]))
    for shade in shades.values():  # of the word that weighs most
        assert contrast(colours["ink"], mixed(shade, colours["paper"], 0.75)) >= 4.5
    for edge in ("edge", "accent"):
        assert contrast(colours[edge], colours["paper"]) >= 3


def of_words(*layers, vocabulary=WORDS, length=5):
    model = keras.Sequential([keras.Input((length,), dtype="int32"), *layers])
    set_origin(model, Origin(vocabulary=vocabulary))
    return model


def changed_transformer():
    model = kerazoo.build("imdb_transformer", vocab_size=6, sequence_length=5, compile=False)
    next(one for one in model.layers if isinstance(one, keras.layers.Dense)).activation = keras.activations.gelu
    set_origin(model, Origin(vocabulary=WORDS))
    return model


LSTM, DENSE = keras.layers.LSTM, keras.layers.Dense
EMBEDDING = keras.layers.Embedding
REFUSED = {
    "nothing to draw or to write": lambda: kerazoo.build("toy_mlp"),
    "a layer MultiHeadAttention;": lambda: kerazoo.build("attention_block"),
    "a layer Conv2D;": lambda: keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(2, 3)]),
    "activation='relu'": lambda: of_words(EMBEDDING(6, 2), LSTM(2, activation="relu"), DENSE(1, "sigmoid")),
    "go_backwards=True": lambda: of_words(EMBEDDING(6, 2), LSTM(2, go_backwards=True), DENSE(1, "sigmoid")),
    "mask_zero=True": lambda: of_words(EMBEDDING(6, 2, mask_zero=True), LSTM(2), DENSE(1, "sigmoid")),
    "in another order": lambda: of_words(EMBEDDING(6, 2), DENSE(1, "sigmoid")),
    "does not return": lambda: of_words(EMBEDDING(6, 2), LSTM(2, return_sequences=True), DENSE(1, "sigmoid")),
    "carries no vocabulary": lambda: of_words(EMBEDDING(6, 2), LSTM(2), DENSE(1, "sigmoid"), vocabulary=None),
    "more than its embedding": lambda: of_words(EMBEDDING(5, 2), LSTM(2), DENSE(1, "sigmoid")),
    "3 units with sigmoid": lambda: of_words(EMBEDDING(6, 2), LSTM(2), DENSE(3, "sigmoid")),
    "found by jieba": lambda: of_words(
        EMBEDDING(6, 2), LSTM(2), DENSE(1, "sigmoid"), vocabulary=Vocabulary(WORDS.tokens, "jieba")
    ),
    "does not end in a softmax": lambda: of_words(
        EMBEDDING(6, 2), LSTM(2), DENSE(2, "softmax"), vocabulary=Vocabulary(("\ufffd", *"abc"), "char")
    ),
    "another structure than 'imdb_transformer'": changed_transformer,
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_model_without_a_page_is_refused_in_one_line_that_says_why(reason, tmp_path):
    with pytest.raises(InputError, match=reason) as caught:
        write_html(REFUSED[reason](), tmp_path / "page.html", name="own")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_what_is_not_finite_gets_no_page(tmp_path):
    model = kerazoo.build("mnist_mlp", units=(2,))
    model.layers[1].bias.assign([np.nan, 0])
    with pytest.raises(NotFiniteError, match="train the model anew"):
        write_html(model, tmp_path / "page.html", name="mnist_mlp")


@pytest.mark.parametrize("path", ["none/page.html", "."])
def test_a_path_that_cannot_be_written_is_refused(path, tmp_path):
    with pytest.raises(InputError, match="wanted a file in a directory that exists"):
        write_packaged("mnist_mlp", tmp_path / path)


def test_weights_are_rounded_only_where_the_page_would_be_too_large(tmp_path, monkeypatch):
    model, path = kerazoo.build("mnist_mlp", units=(64,)), tmp_path / "page.html"
    write_html(model, path, name="mnist_mlp")
    whole = path.stat().st_size
    monkeypatch.setattr(page, "LARGEST", whole - 1)
    with pytest.warns(UserWarning, match="its answers may differ a little"):
        write_html(model, path, name="mnist_mlp")
    assert path.stat().st_size < 0.8 * whole
    monkeypatch.setattr(page, "LARGEST", 20_000)
    with pytest.raises(InputError, match="wanted at most 0.02: train a smaller model"):
        write_html(model, path, name="mnist_mlp")


def test_an_array_is_as_small_as_it_goes_without_loss():
    random = np.random.default_rng(0)
    table = random.integers(-127, 128, (5_000, 100)) * random.random((5_000, 1))
    table[:, 0] = 127 * np.abs(table).max(1)
    given = {"a": [np.float32(random.normal(size=9))], "b": np.float16(random.normal(size=9)), "c": 3}
    found = embedded(given, lossless=True)
    assert (found["a"][0]["dtype"], found["b"]["dtype"], found["c"]) == ("float32", "float16", 3)
    assert embedded(given, lossless=False)["a"][0]["dtype"] == "float16"


@pytest.fixture
def opened(monkeypatch):
    """The addresses that a browser was to open."""
    found = []
    monkeypatch.setattr(webbrowser, "open", lambda address: found.append(address) or len(found) == 1)
    return found


def test_demo_writes_a_page_and_opens_it(opened, cache, capsys):
    assert main(["demo", "textgen_lstm"]) == 0
    path = cache / "pages" / "textgen_lstm.html"
    assert opened == [path.as_uri()]
    told = capsys.readouterr()
    assert told.out == f"{path}\n" and not told.err
    assert main(["demo", "textgen_lstm"]) == 0  # as where there is no browser
    assert "no browser was found" in capsys.readouterr().err


def test_demo_of_a_run_writes_where_it_is_told_and_opens_nothing(opened, tmp_path):
    kerazoo.save_model(kerazoo.build("mnist_mlp", units=(8,)), tmp_path / "model.keras")
    assert main(["demo", "mnist_mlp", "--model", str(tmp_path / "model.keras"), "--out", str(tmp_path / "p.html")]) == 0
    assert not opened and (tmp_path / "p.html").is_file()


@pytest.mark.parametrize("arguments", [["toy_mlp"], ["no_model"], ["mnist_mlp", "--out", "no/such/page.html"]])
def test_demo_refuses_in_one_line(arguments, opened, capsys):
    assert main(["demo", *arguments]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1 and not opened


def test_demo_imports_no_framework(tmp_path):
    program = (
        "import sys; from kerazoo.cli import main; main(['demo', 'imdb_transformer', '--out', sys.argv[1]]);"
        "print({'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "p.html"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "set()"
