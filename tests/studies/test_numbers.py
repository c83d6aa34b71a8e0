"""The exact checks of numbers: each verdict found again here."""

import math
import os
from types import SimpleNamespace

import numpy as np
import pytest
from articles import ENTRIES, MEASURED, claim, measured

from kerazoo import Setting
from kerazoo.data.vocabulary import Vocabulary
from kerazoo.studies.articles.experiments import counts


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_the_cross_entropy_example_is_wrong_in_every_base():
    found = claim("004/cross-entropy-example")
    assert found.measured == pytest.approx(-(math.log(0.8) + math.log(0.9)) / 4)
    assert all(abs(found.measured / math.log(base) - 0.196) > 0.01 for base in (math.e, 2, 10))
    assert found.verdict == "wrong" and "0.0821" in found.note


def test_the_seconds_of_the_log_do_not_follow_from_its_microseconds():
    for epoch, (seconds, microseconds) in enumerate([(3, 231), (2, 205), (2, 206), *[(2, 205)] * 7], start=1):
        found = claim(f"001/timing-arithmetic/e{epoch:02}")
        assert found.documented == seconds and f"{microseconds}us" in found.quote
        assert found.measured == pytest.approx(20_000 * microseconds / 1e6)
        assert found.verdict == "wrong"


@pytest.mark.parametrize(
    ("id", "f", "limits"), [("004/sigmoid-range", sigmoid, (0, 1)), ("004/tanh-range", np.tanh, (-1, 1))]
)
def test_the_range_of_an_activation_is_open(id, f, limits):
    places = np.linspace(-15, 15, 1001)
    assert limits[0] < f(places).min() and f(places).max() < limits[1]
    found = claim(id)
    assert found.documented == list(limits) and found.measured == pytest.approx(limits, abs=1e-9)
    assert found.verdict == "holds" and measured("activations")[id[4:].split("-")[0]]["attained"] is False


def test_relu_and_layers_are_counted():
    assert (claim("004/relu-examples").verdict, claim("004/relu-examples").measured) == ("holds", [0, 0, 2])
    assert max(0, -1 + 1) != max(0, -1) + max(0, 1) and claim("004/relu-linear").verdict == "wrong"
    # 235,146 and 669,706 parameters are those of two hidden layers each, behind 784 inputs.
    assert 785 * 256 + 257 * 128 + 129 * 10 == 235_146 and 785 * 512 + 513 * 512 + 513 * 10 == 669_706
    assert claim("003/three-layers").verdict == claim("004/first-layer").verdict == "mixed"
    assert claim("001/title-vs-program").verdict == "wrong"


def test_the_printed_output_contradicts_itself_and_the_training_data():
    labels = {(1, 0): (1, 0), (0, 1): (0, 1), (1, 1): (1, 0)}  # as the document's x_train and y_train have them
    second = claim("000/printed-output/labels/second")
    assert second.measured == 1 + labels[1, 1].index(1) != second.documented and second.verdict == "wrong"
    assert claim("000/printed-output/probabilities").verdict == "wrong"


def test_the_toy_program_is_described_and_tests_what_it_was_trained_on():
    layers, samples = (claim(f"000/{name}") for name in ("layers", "samples"))
    assert (layers.measured, layers.verdict) == ([2, 10, 2], "holds") and "52" in layers.note
    assert (samples.measured, samples.verdict) == ([4, 2], "holds") and "3 of the 4" in samples.note
    assert measured("toy_program")["test"]["unseen"] == 0 and ENTRIES["000/test-data"].finding == "mixed"


def test_pytorch_prints_the_gradient_function_of_an_output():
    pytest.importorskip("torch")
    found = claim("000/printed-output/tensor")
    assert found.verdict == "not_comparable" and "grad_fn=<AddmmBackward0>" in found.note  # it is only supposed


def test_the_text_generator_gives_distributions_and_is_as_large_as_its_vocabulary():
    found = claim("002/generates-text")
    assert found.verdict == "wrong" and measured("text_generator")["predicted"]["shape"] == [5, 66]
    size = measured("text_generator")["size"]
    assert size["characters"]["parameters"] == 66 * 128 + 4 * 128 * (128 + 128 + 1) + 129 * 66 == 148_546
    assert size["words"]["parameters"] == 20_000 * 128 + 4 * 128 * (128 + 128 + 1) + 129 * 20_000
    assert claim("002/large-model/program").verdict == "mixed"


@pytest.mark.real_data
def test_the_counts_are_those_of_the_real_data(monkeypatch):
    import tensorflow_datasets as tfds

    def as_tfds_says(name, setting):  # its metadata: the loaders have tests of their own, and take long
        builder = {"mnist_mlp": "mnist", "imdb_lstm": "imdb_reviews/plain_text"}[name]
        info = tfds.builder(builder, data_dir=os.environ["TFDS_DATA_DIR"]).info
        sizes = {split: info.splits[split].num_examples for split in ("train", "test")}
        return SimpleNamespace(
            sizes=sizes, x_train=np.array([[0, 1], [2, 2]]), vocabulary=Vocabulary.learn("a", "word")
        )

    monkeypatch.setattr(counts, "data_of", as_tfds_says)
    for check in ("mnist_counts", "imdb_counts"):
        MEASURED[check] = getattr(counts, check)(Setting())
    assert measured("imdb_counts")["evidence"]["reviews_with_a_word_beyond_the_vocabulary"] == 0.5
    assert {id: (claim(id).measured, claim(id).verdict) for id in ENTRIES if ENTRIES[id].check.endswith("_counts")} == {
        "001/train-samples": (25_000, "not_reproduced"),
        "001/val-samples": (25_000, "reproduced"),
        "001/program/padding": (True, "mixed"),
        "003/mnist-70000": (70_000, "reproduced"),
        "004/mnist-split": ([60_000, 10_000], "reproduced"),
    }
