import os
import urllib.request

import numpy as np
import pytest

import kerazoo
from kerazoo.data import prepared

MODELS = kerazoo.list_models()


@pytest.mark.parametrize("name", MODELS)
def test_sample_data_is_ready_for_the_model_and_the_same_each_time(name):
    data, again = (kerazoo.load_data(name, source="sample") for _ in range(2))
    assert data.source in ("sample", "document", "generated")
    assert len(data.x_train) == len(data.y_train) > 0
    assert len(data.x_test) == len(data.y_test) > 0
    assert data.x_train.dtype == kerazoo.spec(name).inputs[0].dtype
    assert np.array_equal(data.x_train, again.x_train)
    assert np.array_equal(data.y_test, again.y_test)
    assert data.name in repr(data)


def test_the_sample_digits_are_balanced_and_the_splits_apart():
    data = kerazoo.load_data("mnist_mlp", source="sample")
    assert data.x_train.shape == (4000, 784)
    assert np.bincount(data.y_train).tolist() == [400] * 10
    assert np.bincount(data.y_test).tolist() == [100] * 10
    assert data.x_train.min() == 0 and data.x_train.max() == 1
    rows = {row.tobytes() for row in data.x_train}
    assert sum(row.tobytes() in rows for row in data.x_test) == 0


def test_the_toy_data_is_the_documents():
    data = kerazoo.load_data("toy_mlp")
    assert data.x_train.tolist() == [[1, 0], [0, 1], [1, 1], [1, 0]]
    assert data.y_train.tolist() == [0, 1, 0, 0]


def test_generated_attention_targets_do_not_see_the_future_when_causal():
    from kerazoo.data.small import load_recall

    causal, full = load_recall(num_examples=16, causal=True), load_recall(num_examples=16)
    assert np.array_equal(causal.x_train, full.x_train)
    np.testing.assert_allclose(causal.y_train[:, -1], full.y_train[:, -1], rtol=1e-6)
    assert np.abs(causal.y_train[:, 0] - full.y_train[:, 0]).max() > 0.1


def test_reviews_keep_their_end():
    data = kerazoo.load_data("imdb_lstm", source="sample", sequence_length=5)
    full = kerazoo.load_data("imdb_lstm", source="sample")
    assert np.array_equal(data.x_train, full.x_train[:, -5:])
    assert data.x_train.max() < len(data.vocabulary)


def write_corpus(path, text="To be, or not to be: that is the question.\n" * 40, **how):
    path.write_text(text, **({"encoding": "utf-8"} | how))
    return str(path)


@pytest.mark.parametrize("unit", ["char", "word"])
def test_a_corpus_of_ones_own_becomes_windows(tmp_path, unit):
    corpus = write_corpus(tmp_path / "own.txt")
    data = kerazoo.load_data("textgen_lstm", corpus=corpus, unit=unit, sequence_length=8, stride=2)
    assert (data.source, data.name) == ("user", "own.txt")
    text = data.vocabulary.decode(data.x_train[0])
    assert text == {"char": "To be, o", "word": "To be, or not to be:"}[unit]
    assert np.array_equal(data.x_test[1, :-1], data.x_test[0, 1:]), "test windows begin at every id"
    assert data.y_test[0] == data.x_test[1, -1]
    assert np.array_equal(data.x_train[1, :-2], data.x_train[0, 2:]), "training windows begin at every second id"
    assert data.model_options == {"vocab_size": len(data.vocabulary)}


def test_line_ends_and_byte_order_marks_are_those_of_text(tmp_path):
    path = tmp_path / "dos.txt"
    path.write_bytes(b"\xef\xbb\xbf" + b"line one\r\nline two\r\n" * 30)
    vocabulary = kerazoo.load_data("textgen_lstm", corpus=str(path), sequence_length=4).vocabulary
    assert "\r" not in vocabulary.tokens and "\ufeff" not in vocabulary.tokens and "\n" in vocabulary.tokens


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "holds no text"),
        (b" \n\t\n", "holds no text"),
        (b"short", "longer text"),
        (b"x" * 100, "longer text"),
        (b"caf\xe9 " * 100, "not UTF-8"),
        ("Text".encode("utf-16"), "not UTF-8"),
    ],
)
def test_a_corpus_that_cannot_be_used_says_why(tmp_path, content, reason):
    path = tmp_path / "corpus.txt"
    path.write_bytes(content)
    with pytest.raises(kerazoo.DataError, match=reason):
        kerazoo.load_data("textgen_lstm", corpus=str(path))


def test_a_corpus_that_is_missing_or_a_directory_says_so(tmp_path):
    for path in (tmp_path / "gone.txt", tmp_path):
        with pytest.raises(kerazoo.DataError, match="cannot be read"):
            kerazoo.load_data("textgen_lstm", corpus=str(path))


@pytest.mark.parametrize(
    ("arguments", "error", "reason"),
    [
        ({"source": "web"}, kerazoo.InputError, "source='web'"),
        ({"data_dir": "/no/such/directory"}, kerazoo.InputError, "not a directory"),
        ({"corpse": "x.txt"}, kerazoo.OverrideError, "Did you mean 'corpus'"),
        ({"unit": "sentence"}, kerazoo.DataError, "unit='sentence'"),
        ({"stride": 0}, kerazoo.OverrideError, "at least 1"),
    ],
)
def test_a_call_that_cannot_work_is_refused(arguments, error, reason):
    with pytest.raises(error, match=reason):
        kerazoo.load_data("textgen_lstm", **arguments)


def test_a_data_directory_of_the_environment_that_is_missing_is_named(monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", "/no/such/directory")
    with pytest.raises(kerazoo.InputError, match="TFDS_DATA_DIR"):
        kerazoo.load_data("mnist_mlp")


@pytest.fixture
def no_network(monkeypatch):
    def unreachable(*_, **__):
        raise OSError("Name or service not known")

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)


def test_without_data_and_network_auto_takes_the_sample_and_says_so(no_network, tmp_path):
    with pytest.warns(kerazoo.SampleDataWarning, match="NOT THE REAL DATA"):
        data = kerazoo.load_data("mnist_mlp", data_dir=tmp_path)
    assert data.source == "sample"
    with pytest.raises(kerazoo.UnavailableError, match="cannot be fetched"):
        kerazoo.load_data("mnist_mlp", data_dir=tmp_path, source="tfds")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["mnist_mlp", "textgen_lstm"])
def test_real_data_comes_from_the_cache_the_second_time(name, monkeypatch):
    first = kerazoo.load_data(name, source="tfds")
    monkeypatch.setattr(prepared.Prepared, "read", None)
    again = kerazoo.load_data(name, source="tfds")
    assert np.array_equal(first.x_train, again.x_train) and np.array_equal(first.y_test, again.y_test)
    assert first.vocabulary == again.vocabulary


@pytest.mark.real_data
def test_mnist_is_the_real_one():
    data = kerazoo.load_data("mnist_mlp", source="tfds")
    assert (len(data.x_train), len(data.x_test), data.version) == (60_000, 10_000, "3.0.1")
    assert np.bincount(data.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert data.x_train.mean() == pytest.approx(0.1307, abs=1e-4)  # the mean that everybody normalises with


@pytest.mark.real_data
def test_imdb_is_the_real_one():
    data = kerazoo.load_data("imdb_lstm", source="tfds")
    assert data.x_train.shape == data.x_test.shape == (25_000, 100)
    assert data.y_train.sum() == data.y_test.sum() == 12_500
    assert len(data.vocabulary) == 20_000
    assert data.vocabulary.tokens[2:7] == ("the", "and", "a", "of", "to")


@pytest.mark.real_data
def test_tiny_shakespeare_is_the_real_one():
    data = kerazoo.load_data("textgen_lstm", source="tfds")
    assert len(data.vocabulary) == kerazoo.spec("textgen_lstm").defaults["vocab_size"]
    assert data.vocabulary.decode(data.x_train[0]).startswith("First Citizen:\nBefore we proceed")
    assert len(data.x_test) == 55_770 - 40


@pytest.mark.real_data
def test_another_data_set_of_the_same_name_and_version_is_not_mixed_up(tmp_path):
    root = os.environ["TFDS_DATA_DIR"]
    first = prepared.find("mnist", prepared.data_root(root))
    directory = tmp_path / "mnist" / "3.0.1"
    directory.mkdir(parents=True)
    (directory / "dataset_info.json").write_text("{}")
    (tmp_path / "mnist" / "2.10.0").mkdir()
    (tmp_path / "mnist" / "2.10.0" / "dataset_info.json").write_text("{}")
    other = prepared.find("mnist", tmp_path)
    assert other.version == "3.0.1"
    assert other.fingerprint != first.fingerprint
    with pytest.raises(kerazoo.UnavailableError, match="cannot be read"):
        kerazoo.load_data("mnist_mlp", data_dir=tmp_path)


def test_hold_out_takes_a_random_part_once():
    data = kerazoo.load_data("mnist_mlp", source="sample")
    split = data.hold_out(0.1, seed=3)
    assert split.sizes == {"train": 3600, "val": 400, "test": 1000}
    together = np.concatenate([split.x_train, split.x_val])
    assert np.array_equal(np.sort(together.sum(1)), np.sort(data.x_train.sum(1)))
    assert np.array_equal(split.y_val, data.hold_out(0.1, seed=3).y_val)
    for wrong in (0, 1, -0.5, 2, float("nan"), 1e-9):
        with pytest.raises(kerazoo.InputError, match="validation_split"):
            data.hold_out(wrong)
