"""Texts to answers: files, arrays, standard input and what is no text; the words that weighed."""

import dataclasses
import io
import json
import weakref

import keras
import numpy as np
import pytest
from rich.console import Console

import kerazoo
from kerazoo.inference.attribution import Reader, attention_of
from kerazoo.inference.predicting import predict, stream
from kerazoo.model_file import origin_of
from kerazoo.report import predictions, predictions_html
from kerazoo.tasks import find

GOOD = "A wonderful film, superb acting and a truly moving story. I loved every minute; one of the best this year."
BAD = "Terrible. The plot is a mess, the acting is awful and it is so boring that I walked out. A waste of money."
TELLING = ({"wonderful", "superb", "loved", "best"}, {"terrible", "awful", "boring", "waste"})


@pytest.fixture(scope="module")
def both():
    return kerazoo.predict("imdb_lstm", [GOOD, BAD])


def test_reviews_are_told_apart(both):
    assert [one.label for one in both] == ["positive", "negative"]
    for one in both:
        assert one.probabilities[one.label] == one.probability > 0.8
        assert sum(one.probabilities.values()) == pytest.approx(1)


def test_the_words_that_weigh_are_the_telling_ones(both):
    for one, telling in zip(both, TELLING, strict=True):
        heavy = {word.text for word in one.heaviest(8) if word.weight > 0}
        assert len(heavy & telling) >= 2
    assert [word.text for word in both[0].words[:3]] == ["a", "wonderful", "film"]


def log_odds(share):
    return np.log(share / (1 - share))


def test_a_reader_agrees_with_the_model_and_its_weights_add_up():
    model = kerazoo.build("imdb_transformer", sequence_length=12, vocab_size=50, dropout=0.0, seed=3, compile=False)
    ids = np.array([[0, 0, 0, 5, 9, 2, 7, 7, 30, 41, 3, 8], [1] * 12], np.int32)
    probabilities, weights = Reader(model, 1).read(ids)
    plain = model.predict(ids, verbose=0)[:, 0]
    np.testing.assert_allclose(probabilities[:, 1], plain, atol=1e-5)
    nothing = model.predict(np.minimum(ids, 1), verbose=0)[:, 0]  # every word unknown
    sign = np.where(plain > 0.5, 1, -1)
    np.testing.assert_allclose(weights.sum(1), sign * (log_odds(plain) - log_odds(nothing)), atol=0.02)
    assert (weights[0, :3] == 0).all()
    assert (weights[1] == 0).all()
    assert np.abs(weights[0, 3:]).min() > 0


def test_attention_rows_sum_to_one_and_skip_padding():
    model = kerazoo.build("imdb_transformer", sequence_length=6, vocab_size=50, compile=False)
    weights = attention_of(model, np.array([[0, 0, 4, 5, 6, 7]], np.int32))
    assert weights.shape == (1, 2, 6, 6)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)
    assert (weights[..., :2] == 0).all()
    assert attention_of(kerazoo.build("imdb_lstm", units=4, compile=False), np.ones((1, 6), np.int32)) is None


def test_files_and_open_files_hold_a_text_a_line(tmp_path):
    file = tmp_path / "reviews.txt"
    file.write_text(f"{GOOD}\n\n{BAD}\n", encoding="utf-8-sig")
    found = kerazoo.predict("imdb_lstm", file)
    assert [(one.input, one.label) for one in found] == [(f"{file}:1", "positive"), (f"{file}:3", "negative")]
    opened = kerazoo.predict("imdb_lstm", io.BytesIO(file.read_bytes()), explain=False)
    assert [one.label for one in opened] == ["positive", "negative"]
    assert not opened[0].words


def test_ids_are_read_as_their_text_is(both):
    vocabulary = origin_of(kerazoo.build("imdb_lstm", weights="pretrained", compile=False)).vocabulary
    (found,) = kerazoo.predict("imdb_lstm", np.array(vocabulary.encode(GOOD)))
    assert found.probability == pytest.approx(both[0].probability, abs=1e-5)
    assert [word.text for word in found.words] == [word.text for word in both[0].words]


@pytest.mark.parametrize("end", ["", "\n" * 9000])
def test_a_long_text_is_read_by_its_last_words(end):
    long = "boring " * 30_000 + "good\n" * 3000 + GOOD
    found, short = kerazoo.predict("imdb_lstm", [long + end, "good " * 200 + GOOD], explain=False)
    assert found.probability == pytest.approx(short.probability, abs=1e-6)
    (explained,) = kerazoo.predict("imdb_lstm", "good\n" * 3000)
    assert len(explained.words) == 100


def test_emoji_beside_words_are_unknown_words():
    (found,) = kerazoo.predict("imdb_lstm", "what a wonderful film 😀 太好看了")
    assert [word.known for word in found.words] == [True] * 4 + [False] * 2
    assert found.label == "positive"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", "empty text"),
        (" \n\t", "empty text"),
        ("电影很好看", "no word that the model knows"),
        ("😀😀", "no word that the model knows"),
        ("...", "no word that the model knows"),
        ("a film\0", "byte 0"),
        ("a good film \udcff", "half a character"),
        (b"\xff\xd8\xff\xe0 a picture", "not UTF-8"),
        (io.BytesIO(b"\x89PNG\r\n\x1a\n\0\0"), "not UTF-8"),
        (io.BytesIO(b""), "holds no text"),
        (io.BytesIO(b"a" * (2**24 + 2)), "longer than 16 MB"),
        (np.array([1.5, 2.0]), "float64"),
        (np.array([3, 20_000]), "wanted whole numbers|wanted 0 to 19999"),
        (object(), "object of shape"),
        ([], "nothing to predict"),
        ({"text": "good"}, "are a dictionary"),
    ],
)
def test_what_is_no_text_is_refused_in_one_line(given, told):
    with pytest.raises(kerazoo.InputError, match=told) as caught:
        predict("imdb_lstm", given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [("textgen_lstm", "kerazoo generate"), ("attention_block", "no classes"), ("imdb_lstn", "imdb_lstm")],
)
def test_what_does_not_classify_is_refused(name, told):
    with pytest.raises(kerazoo.InputError, match=told):
        predict(name, [GOOD])


def test_a_model_of_ones_own_is_asked_by_its_file(tmp_path):
    kerazoo.save_model(kerazoo.build("mnist_mlp", units=(8,), seed=1), tmp_path / "mine.keras")
    (found,) = kerazoo.predict("mnist_mlp", np.eye(28, dtype=np.float32), model=tmp_path / "mine.keras")
    assert found.label in "0123456789"
    (same,) = kerazoo.predict("mnist_mlp", np.eye(28, dtype=np.float32), weights=str(tmp_path / "mine.keras"))
    assert same.probabilities == found.probabilities
    (rows,) = kerazoo.predict("toy_mlp", [0.5, -1.0], model=kerazoo.build("toy_mlp"))
    assert sum(rows.probabilities.values()) == pytest.approx(1)
    with pytest.raises(kerazoo.InputError, match="no vocabulary"):
        kerazoo.predict("imdb_lstm", GOOD, model=kerazoo.build("imdb_lstm", units=4))


def test_arguments_name_files_where_there_are_such(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.txt").write_text("text")
    standard = io.BytesIO()
    given = [find("imdb").from_argument(one, standard) for one in ("mine.txt", "-", "a good film", "x" * 5000)]
    assert [str(given[0]), *given[1:]] == ["mine.txt", standard, "a good film", "x" * 5000]
    for missing, told in (("yours.txt", "is not a file"), ("./yours", "is not a file"), (".", "is a directory")):
        with pytest.raises(kerazoo.DataError, match=told):
            find("imdb").from_argument(missing, standard)


def test_json_is_whole_and_holds_what_came_before_an_error(both):
    def failing():
        yield from both
        raise kerazoo.DataError("the third")

    file = io.StringIO()
    with pytest.raises(kerazoo.DataError, match="third"):
        predictions.write_json(file, failing())
    first, second = json.loads(file.getvalue())
    assert (first["label"], second["label"]) == ("positive", "negative")
    assert first["probabilities"].keys() == {"negative", "positive"}
    assert first["words"][0].keys() == {"word", "weight", "known"}


def test_those_before_a_bad_input_are_answered():
    found = stream("imdb_lstm", [GOOD, BAD, ""])
    assert next(found).label == "positive"
    assert next(found).label == "negative"
    with pytest.raises(kerazoo.DataError, match="input 2 is an empty text"):
        next(found)
    found = stream("imdb_lstm", [GOOD, "xxqy", BAD])
    assert next(found).label == "positive"
    with pytest.raises(kerazoo.DataError, match="'xxqy' has no word.*; what comes after it was not read"):
        next(found)


def test_a_single_input_that_cannot_be_read_is_told_as_such():
    with pytest.raises(kerazoo.DataError, match="has no word that the model knows") as caught:
        kerazoo.predict("imdb_lstm", "xxqy")
    assert "what comes after it" not in str(caught.value)


def test_long_texts_are_not_held():
    alive = []

    class Review(str):
        def __init__(self, *_):
            alive.append(weakref.ref(self))

    taken = (Review(f"a good film {place}") for place in range(200))
    next(stream("imdb_lstm", taken, explain=False))
    assert sum(one() is not None for one in alive) < 10


def test_one_logit_is_that_of_the_second_class():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.layers[0].set_weights([np.array([[1.0], [0.0]]), np.zeros(1)])
    found = kerazoo.predict("toy_mlp", [[2.0, 0.0], [-2.0, 0.0]], model=model)
    assert [one.label for one in found] == ["1", "0"]
    assert found[0].probability == pytest.approx(1 / (1 + np.exp(-2)))


def test_a_table_shows_brackets_as_they_are(both):
    file = io.StringIO()
    one = dataclasses.replace(both[0], input="[great] film")
    predictions.show_predictions(Console(file=file, markup=False, width=120), [one])
    assert "\n[great] film " in file.getvalue()
    assert f"Words are weighed by {one.method}; " in file.getvalue()
    assert "\\[" not in file.getvalue()


def test_classes_have_the_names_that_the_model_learnt():
    model = kerazoo.build("imdb_lstm", weights="pretrained")
    assert origin_of(model).classes == ("negative", "positive")
    named = kerazoo.Dataset("user", "user", "user", np.array([GOOD, BAD]), np.array([0, 1]))
    named = dataclasses.replace(named, classes=("positive", "negative"))
    assert kerazoo.evaluate("imdb_lstm", model, data=named)["accuracy"] == 1
    with pytest.raises(kerazoo.DataError, match="the class 'fine', and the model tells negative, positive apart"):
        kerazoo.evaluate("imdb_lstm", model, data=dataclasses.replace(named, classes=("bad", "fine")[::-1]))
    ids = np.ones((4, 100), np.int32)
    tuned = kerazoo.fine_tune(
        model, (ids, [0, 1, 0, 1]), epochs=1, trainable_layers=1, num_classes=2, verbose=False
    ).model
    (found,) = kerazoo.predict("imdb_lstm", GOOD, model=tuned, explain=False)
    assert set(found.probabilities) == {"0", "1"}


def test_a_page_shows_words_and_attention_and_escapes_them(tmp_path):
    model = kerazoo.build("imdb_transformer", weights="pretrained", compile=False)
    review = "<script>alert('x')</script> & a <b>great</b> film, &amp; so on"
    with predictions_html.written(
        tmp_path / "page.html", "imdb_transformer", stream("imdb_transformer", [review], model=model, attention=True)
    ) as found:
        (one,) = found
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page
    assert "viewport" in page
    assert page.count("<caption>") == 2
    assert one.attention.shape == (2, len(one.words), len(one.words))


def test_a_page_shows_the_digit_and_is_not_written_where_an_input_fails(tmp_path):
    picture = np.zeros((28, 28), np.uint8)
    picture[5:23, 13:15] = 255
    with predictions_html.written(tmp_path / "1.html", "mnist_mlp", stream("mnist_mlp", picture)) as found:
        list(found)
    page = (tmp_path / "1.html").read_text(encoding="utf-8")
    assert 'alt="input 0 as the model sees it' in page
    assert "data:image/png;base64," in page
    assert page.count("<tr") == 10
    with (
        pytest.raises(kerazoo.DataError),
        predictions_html.written(tmp_path / "2.html", "mnist_mlp", stream("mnist_mlp", [picture, "none.png"])) as found,
    ):
        list(found)
    assert [one.name for one in tmp_path.iterdir()] == ["1.html"]
