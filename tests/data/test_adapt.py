"""The caller's own data: every form that is taken, and every mistake that is named."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kerazoo
from kerazoo.data.pictures import as_pixels
from kerazoo.tasks import find

random = np.random.default_rng(0)
PIXELS = random.integers(0, 256, (40, 28, 28)).astype(np.uint8)
DIGITS = np.arange(40) % 10
REVIEWS = ["a fine film", "a bad film", "fine, fine, fine", "bad"] * 5
OPINIONS = [1, 0, 1, 0] * 5


def train(name, data, **options):
    return kerazoo.train(name, data=data, epochs=1, verbose=False, **options)


@pytest.mark.parametrize(
    "pixels",
    [
        *(PIXELS, PIXELS[..., None], PIXELS.reshape(40, 784), PIXELS.astype(np.int64)),
        *(PIXELS / 255.0, (PIXELS / 255.0).astype(np.float16)),
    ],
    ids=["(N,28,28) uint8", "(N,28,28,1)", "(N,784)", "int64", "float64", "float16"],
)
def test_pictures_of_every_form_are_the_same_pixels(pixels):
    expected = PIXELS.reshape(40, 784) / np.float32(255)
    np.testing.assert_allclose(as_pixels(pixels), expected, atol=1e-3 if pixels.dtype == np.float16 else 1e-7)
    assert as_pixels(pixels).dtype == np.float32


def test_whole_numbers_of_json_are_levels_and_zeros_and_ones_are_black_and_white():
    assert as_pixels([[0, 255] * 392])[0, :2].tolist() == [0, 1]
    assert as_pixels([[0, 1] * 392])[0, :2].tolist() == [0, 1]
    with pytest.raises(kerazoo.DataError, match="whole numbers from 0 to 255"):
        as_pixels([[0, 256] * 392])


@functools.cache
def of_a_pair():
    """The result of a training on a pair of pictures and digits."""
    return train("mnist_mlp", (PIXELS, DIGITS), units=(4,))


@pytest.mark.usefixtures("uncompiled")
def test_keras_own_form_has_a_test_split_and_a_pair_has_none():
    both = train("mnist_mlp", ((PIXELS, DIGITS), (PIXELS[:10], DIGITS[:10])), units=(4,))
    assert set(both.metrics) == {"loss", "accuracy"}
    assert of_a_pair().metrics == {}


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("labels", [DIGITS, DIGITS[:, None], DIGITS.astype(float), np.eye(10)[DIGITS], DIGITS.tolist()])
def test_labels_of_every_form_train_alike(labels):
    assert train("mnist_mlp", (PIXELS, labels), units=(4,)).history == of_a_pair().history


def test_raw_reviews_bring_their_own_vocabulary_and_the_model_keeps_it():
    result = train("imdb_lstm", ((REVIEWS, OPINIONS), (REVIEWS[:4], OPINIONS[:4])), units=4, embedding_dim=4)
    metrics = kerazoo.evaluate("imdb_lstm", result.model, data=(["fine film", "unheard of"], [1, 0]))
    assert set(metrics) == {"loss", "accuracy"}
    assert kerazoo.evaluate("imdb_lstm", result.model, data=(REVIEWS[:4], OPINIONS[:4])) == pytest.approx(
        result.metrics
    )


def test_rows_of_ids_may_be_of_any_length():
    rows = [[2, 3], [4], list(range(2, 150)), [5]]
    padded = np.zeros((4, 100), int)
    for place, row in enumerate(rows):
        padded[place, -min(len(row), 100) :] = row[-100:]
    small = {"units": 4, "embedding_dim": 4}
    assert (
        train("imdb_lstm", (rows, [0, 1, 0, 1]), **small).history
        == train("imdb_lstm", (padded, [0, 1, 0, 1]), **small).history
    )


def test_a_text_generator_takes_one_text():
    result = train("textgen_lstm", "the quick brown fox jumps over the lazy dog. " * 20, units=4, embedding_dim=4)
    assert result.metrics["loss"] > 0
    assert result.data["source"] == "user"


@pytest.mark.tensorflow
@pytest.mark.usefixtures("uncompiled")
def test_a_tf_data_set_of_batches_is_streamed():
    import tensorflow as tf

    stream = tf.data.Dataset.from_tensor_slices((as_pixels(PIXELS), DIGITS)).batch(8)
    result = train("mnist_mlp", stream, units=(4,))
    assert len(result.history["loss"]) == 1
    assert kerazoo.evaluate("mnist_mlp", result.model, data=stream)["loss"] > 0


def stream(x, y, batch=8):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((x, y)).batch(batch)


@pytest.mark.tensorflow
@pytest.mark.usefixtures("uncompiled")
def test_a_stream_of_pictures_is_brought_to_the_models_form():
    expected = train("mnist_mlp", stream(as_pixels(PIXELS), DIGITS), units=(4,)).history
    for pixels in (PIXELS, PIXELS[..., None], PIXELS.reshape(40, 784)):
        assert train("mnist_mlp", stream(pixels, DIGITS), units=(4,)).history["loss"] == pytest.approx(expected["loss"])


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        (PIXELS[:, :20], DIGITS, "inputs of shape"),
        (PIXELS, DIGITS + 90, "labels from"),
        (np.full((40, 784), np.nan), DIGITS, "NaN"),
        (PIXELS[:0], DIGITS[:0], "is empty"),
    ],
)
def test_a_stream_that_does_not_fit_is_refused(x, y, reason, tmp_path):
    with pytest.raises(kerazoo.DataError, match=reason):
        train("mnist_mlp", stream(x, y), run_dir=tmp_path / "run")
    with pytest.raises(kerazoo.DataError, match="not \\(inputs, labels\\)"):
        train("mnist_mlp", stream(PIXELS, DIGITS).map(lambda x, y: x), run_dir=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_text_is_read_with_the_vocabulary_that_the_model_learned():
    text = "the quick brown fox jumps over the lazy dog. " * 20
    model = train("textgen_lstm", text, units=4, embedding_dim=4).model
    with_all = kerazoo.evaluate("textgen_lstm", model, data=text)
    permuted = kerazoo.evaluate("textgen_lstm", model, data="zebra " + text)
    assert permuted["loss"] == pytest.approx(with_all["loss"], rel=0.2)
    assert kerazoo.fine_tune(model, "zzz " + text, epochs=1, verbose=False).metrics["loss"] > 0


def test_reviews_may_be_bytes_and_must_be_utf8():
    small = {"units": 4, "embedding_dim": 4}
    as_bytes = [review.encode() for review in REVIEWS]
    assert (
        train("imdb_lstm", (as_bytes, OPINIONS), **small).history
        == train("imdb_lstm", (REVIEWS, OPINIONS), **small).history
    )
    with pytest.raises(kerazoo.DataError, match="not UTF-8"):
        train("imdb_lstm", ([b"caf\xe9"] * 20, OPINIONS))


NAN = PIXELS / 255.0
NAN = np.where(np.arange(40)[:, None, None] == 7, np.nan, NAN)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("mnist_mlp", PIXELS, "wanted a kerazoo Dataset"),
        ("mnist_mlp", None.__class__, "wanted a kerazoo Dataset"),
        ("mnist_mlp", (PIXELS[:, :20], DIGITS), r"wanted \(N, 28, 28\)"),
        ("mnist_mlp", (PIXELS.astype(int) - 1, DIGITS), "dtype int64"),
        ("mnist_mlp", (PIXELS.astype(str), DIGITS), "dtype <U"),
        ("mnist_mlp", (PIXELS.astype(float), DIGITS), "divide by 255"),
        ("mnist_mlp", (-NAN[8:], DIGITS[8:]), "wanted 0 to 1"),
        ("mnist_mlp", (NAN, DIGITS), "NaN"),
        ("mnist_mlp", (PIXELS, DIGITS[:-1]), "40 inputs"),
        ("mnist_mlp", (PIXELS, DIGITS + 1), "labels from 1 to 10"),
        ("mnist_mlp", (PIXELS, DIGITS - 1), "labels from -1 to 8"),
        ("mnist_mlp", (PIXELS, DIGITS + 0.5), "whole numbers"),
        ("mnist_mlp", (PIXELS, np.where(DIGITS == 3, np.nan, DIGITS)), "NaN"),
        ("mnist_mlp", (PIXELS, np.eye(9)[DIGITS % 9]), "labels of shape"),
        ("mnist_mlp", (PIXELS[:0], DIGITS[:0]), "empty"),
        ("imdb_lstm", ([[1, 2], [20_000]], [0, 1]), "review 1 has word ids"),
        ("imdb_lstm", ([[1, 2], [-1]], [0, 1]), "review 1 has word ids"),
        ("imdb_lstm", ([[1.5], [2]], [0, 1]), "review 0 is float64"),
        ("imdb_lstm", (["fine", 3], [0, 1]), "review 0 is"),
        ("imdb_lstm", (REVIEWS, [2] * 20), "labels from 2 to 2"),
        ("textgen_lstm", (random.integers(0, 67, (4, 9)), [0] * 4), "ids from"),
        ("textgen_lstm", (random.random((4, 9)), [0] * 4), "float64 ids"),
        ("textgen_lstm", "too short", "longer text"),
        ("toy_mlp", (np.ones((4, 3)), [0] * 4), "inputs of shape"),
        ("toy_mlp", ([[1, 2], [3]], [0, 1]), "different lengths"),
        ("toy_mlp", (5, 5), "wanted a kerazoo Dataset"),
        ("imdb_lstm", (None, None), "wanted a kerazoo Dataset"),
        ("mnist_mlp", ([[1, 2], [3]], [0, 1]), "different sizes"),
        ("attention_block", (np.ones((4, 5, 32)), np.ones((4, 5, 31))), "targets of shape"),
    ],
)
def test_data_that_does_not_fit_is_refused_in_one_line(name, data, reason, tmp_path):
    with pytest.raises(kerazoo.DataError, match=reason) as caught:
        train(name, data, run_dir=tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [], "nothing is written"


def test_text_without_a_vocabulary_cannot_be_evaluated():
    with pytest.raises(kerazoo.DataError, match="needs the vocabulary"):
        kerazoo.evaluate("imdb_lstm", kerazoo.build("imdb_lstm"), data=(REVIEWS, OPINIONS))


@settings(max_examples=30, deadline=None)
@given(
    shape=st.sampled_from([(2, 28, 28), (2, 784), (1, 28, 28, 1), (0, 784)]),
    low=st.floats(0, 0.5),
    high=st.floats(0.5, 1),
)
def test_floats_from_0_to_1_pass_as_they_are(shape, low, high):
    pixels = np.linspace(low, high, int(np.prod(shape))).reshape(shape)
    assert np.array_equal(as_pixels(pixels), pixels.reshape(shape[0], 784).astype(np.float32))


def test_a_dataset_of_rows_of_different_lengths_is_padded_or_told():
    data = kerazoo.Dataset("user", "user", "user", [[1, 2], [3]], [0, 1])
    padded = find("imdb").dataset(data, {"sequence_length": 3, "vocab_size": 9})
    assert padded.x_train.tolist() == [[0, 1, 2], [0, 0, 3]]
    for name in ("toy", "mnist"):
        with pytest.raises(kerazoo.DataError, match="different"):
            find(name).dataset(data, {})
